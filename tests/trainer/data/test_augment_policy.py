"""`trainer.data.augment_policy`: changes that carry meaning are left out, by names or by trial."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from trainer.data.augment_policy import Decision, decide, meanings
from trainer.data.augment_trial import Trial
from trainer.imports import tensorflow
from trainer.judge import Score

TRIES = ("flip", "brightness", "contrast", "hue", "saturation")
COUNT, SIZE = 240, 24


@dataclass(frozen=True)
class Silent:
    """Photos that have nothing against any change: each does a little good."""

    judges: int = 100
    grey: bool = False

    gain: int = 1

    def score(self, names: Sequence[str]) -> Score:
        """Half of them right, and one more for each change."""
        return Score(np.arange(self.judges) < self.judges // 2 + self.gain * len(names), 0.0)


def spots(
    labels: NDArray[np.int64], place: int, colours: Sequence[Sequence[int]]
) -> NDArray[np.uint8]:
    """Squares with noise and a spot of its label's colour, at its side if `place` is not 0."""
    random = np.random.default_rng(4)
    pixels = random.integers(40, 120, (len(labels), SIZE, SIZE, 3))
    for square, label in zip(pixels, labels, strict=True):
        down = random.integers(4, 12)
        across = 8 + int(random.integers(-1, 2)) + place * (2 * int(label) - 1)
        square[down : down + 8, across : across + 8] = colours[label]
    return pixels.astype(np.uint8)


def trial(pixels: NDArray[np.uint8], labels: NDArray[np.int64], several: bool = False) -> Trial:
    """Half of the squares teach, half judge."""
    truth, half = np.eye(2, dtype=bool)[labels], len(labels) // 2
    return Trial(tensorflow(), pixels[:half], truth[:half], pixels[half:], truth[half:], several, 0)


@pytest.fixture
def labels() -> NDArray[np.int64]:
    """Two labels by turns."""
    return np.arange(COUNT) % 2


@pytest.mark.parametrize(
    ("names", "left_out"),
    [
        (["turn_left", "turn_right", "stop"], {"flip"}),
        (["turnLeft", "straight"], {"flip"}),
        (["label_0", "label_1", "label_2"], {"flip"}),
        (["A", "b", "C"], {"flip"}),
        (["seven", "eight"], {"flip"}),
        (["printed page", "cat"], {"flip"}),
        (["red apple", "pear"], {"hue", "saturation"}),
        (["black-cat", "tiger"], {"brightness", "contrast"}),
        (["right green", "day"], set(TRIES)),
        (["dress", "hat", "t-shirt", "class 1"], set()),
        (["copyright", "redwood", "nightingale"], set()),
        (["1", "cat", "dog"], set()),
    ],
)
def test_names_say_what_a_change_would_take_away(names: list[str], left_out: set[str]) -> None:
    """Sides, digits, letters, colours and light, as whole words in any spelling; nothing else."""
    decision = decide(("affine",), TRIES, names, Silent())

    assert set(decision.left_out) == left_out == set(meanings(names))
    assert set(decision.names) == {"affine", *TRIES} - left_out


def test_colours_that_do_no_good_are_left_out() -> None:
    """A draw is enough for mirror images, and not for brightness, contrast, hue, saturation."""
    decision = decide((), TRIES, ["up", "down"], Silent(gain=0))

    assert decision.names == ("flip",)
    assert set(decision.left_out.values()) == {"no better in a trial on 100 photos"}


def test_mirror_images_are_left_out_where_sides_are_the_labels(labels: NDArray[np.int64]) -> None:
    """A spot left or right: flips would undo it, and colours are no matter."""
    grey = [[200, 200, 200]] * 2
    decision = decide(("affine",), TRIES, ["up", "down"], trial(spots(labels, 5, grey), labels))

    assert "flip" not in decision.names
    assert "points worse in a trial on 120 photos" in decision.left_out["flip"]


def test_colours_are_left_out_where_they_are_the_labels(labels: NDArray[np.int64]) -> None:
    """A red spot or one a little nearer to orange: hue would undo it; flips are no matter."""
    colours = [[190, 80, 40], [190, 105, 40]]
    decision = decide((), TRIES, ["up", "down"], trial(spots(labels, 0, colours), labels))

    assert "flip" in decision.names
    assert set(decision.left_out) >= {"hue", "saturation"}


def test_light_is_left_out_where_it_is_the_label(labels: NDArray[np.int64]) -> None:
    """The same spot, darker or lighter by 40, of several labels a photo too."""
    pixels = (
        spots(labels, 0, [[90, 90, 90], [90, 90, 90]]).astype(np.int16)
        + 40 * labels[:, None, None, None]
    )
    decision = decide((), TRIES, ["up", "down"], trial(pixels.astype(np.uint8), labels, True))

    assert set(decision.left_out) >= {"brightness", "contrast"}


def test_grey_photos_and_few_photos_are_left_alone(labels: NDArray[np.int64]) -> None:
    """Colours of grey photos are not changed; with too few photos to judge by, nothing tried is."""
    pixels = np.repeat(spots(labels, 5, [[200] * 3] * 2)[..., :1], 3, axis=3)
    some, few = trial(pixels, labels), trial(pixels[:40], labels[:40])

    assert decide((), ("hue",), ["up", "down"], some) == Decision(
        (), {"hue": "the photos are grey"}
    )
    assert decide(("affine",), ("flip",), ["up", "down"], few) == Decision(
        ("affine",), {"flip": "too few photos to try it on: 20"}
    )


def test_a_decision_is_the_same_again_and_one_line(labels: NDArray[np.int64]) -> None:
    """The same photos, seed and names: the same decision, with every reason once."""
    pixels = spots(labels, 5, [[200] * 3] * 2)
    first, second = (decide((), TRIES, ["dark", "x"], trial(pixels, labels)) for _ in range(2))

    assert first == second
    assert first.sentence.startswith("Photos are changed in training by: ")
    assert "brightness, contrast (labels name how light it is: dark)" in first.sentence
    assert "\n" not in first.sentence
