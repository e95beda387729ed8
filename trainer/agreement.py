"""The rule that training, the exported graph and the server see the same photo.

The same label on at least 99.5 % and a mean difference of a score of at most 0.01, each of the
three against each other, on a fixed sample; otherwise what was chosen on validation would not be
what is served. Labels within 0.01 of the best are one, as far as a score may differ anyway: two
readers' rounding of greys moves a score by up to 0.003 (clothing) and, of a model of noise, 0.011
(2026-11-22), and photos in so close a race would stop a training. What moves all scores is caught
by their mean.

Scores of a model that is always sure (1.0 and 3e-37) tell nothing of its decoder, so the pixels of
a few photos are compared too. Server and training share their decoder: one comparison is enough.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from trainer.artifacts import LIKELY
from trainer.data.decode import square_of_file
from trainer.data.resize import Pixels
from trainer.errors import ExportError
from trainer.models.litert import Interpreter
from trainer.models.network import Exportable, Floats

# One photo may differ in any sample: a head that few photos taught moves by 0.04 on a photo whose
# greys differ by 0.007 on average (clothing, 12 photos a class, 2026-11-22).
SAMPLE = 200
# The trained model and the server share a decoder and a LiteRT file; that they do is soon seen.
TRAINED_SAMPLE = 40
LEAST_SAME_LABEL = 0.995
MOST_MEAN_DIFFERENCE = 0.01
TIED = 0.01
PIXEL_SAMPLE = 20
# Grey levels. The clothing photos give 0.007 at most on average, and no odd format more; a resize
# that is not quite the same (bicubic, no filter) 0.6 or more on any 20 of them, colours swapped 12
# (128 to 300 pixels, 2026-11-22).
MOST_GREYS = 0.2
NAMES = {
    "trained": "the trained model",
    "graph": "the exported graph",
    "server": "the server's model",
}
ADVICE = (
    "The same training would end the same way: save the photos anew as JPEG or PNG in RGB, or make "
    "a custom training with another --model-type or --seed."
)


@dataclass(frozen=True)
class Agreement:
    """Photos compared, the share (0–1) with the same label, mean and largest |Δ| of a score.

    Of models of several labels it is the share of (photo, label) pairs with the same yes or no (of
    two labels that are both sure, either may come first), a score within 0.01 of 0.5 being both.
    """

    photos: int
    same_label: float
    mean_difference: float
    largest_difference: float = 0.0

    def check(self, who: str = "The trained model and the exported graph") -> None:
        """Raises ExportError with the figures if the rule is broken between the two named."""
        others = round((1 - self.same_label) * self.photos)
        differs = self.same_label < LEAST_SAME_LABEL and others > 1
        if differs or self.mean_difference > MOST_MEAN_DIFFERENCE:
            raise ExportError(
                f"{who} give the same label on {self.same_label:.2%} of "
                f"{self.photos} photos (at least {LEAST_SAME_LABEL:.1%} needed) and their scores "
                f"differ by {self.mean_difference:.4f} on average (at most {MOST_MEAN_DIFFERENCE})."
                f" {ADVICE}"
            )


@dataclass(frozen=True)
class PixelAgreement:
    """Photos compared, and |Δ| in grey levels (0–255): the mean, and the mean of the worst photo.

    It is between training's decoder, which the server shares, and the exported graph's.
    """

    photos: int
    mean_difference: float
    worst_photo: float

    def check(self) -> None:
        """Raises ExportError with the figures if the two decoders do not see the same."""
        if self.mean_difference > MOST_GREYS:
            raise ExportError(
                f"Training and the exported graph see other pixels: {self.mean_difference:.2f} "
                f"grey levels of 255 apart on average on {self.photos} photos (at most "
                f"{MOST_GREYS}), {self.worst_photo:.2f} on the worst. {ADVICE}"
            )


def compare_pixels(trained: Sequence[Pixels], exported: Floats) -> PixelAgreement:
    """How far two decoders' squares `(photos, size, size, 3)`, RGB 0–255, agree."""
    pairs = zip(trained, exported, strict=True)
    apart = [float(np.abs(there - here).mean()) for here, there in pairs]
    return PixelAgreement(len(apart), float(np.mean(apart)), max(apart))


def compare(trained: Floats, exported: Floats, multi_label: bool = False) -> Agreement:
    """How far two sets of scores `(photos, labels)` agree."""
    if multi_label:
        same = (trained >= LIKELY) == (exported >= LIKELY)
        same |= (np.abs(trained - LIKELY) <= TIED) | (np.abs(exported - LIKELY) <= TIED)
    else:
        same = _behind(trained, exported) <= TIED
        same |= _behind(exported, trained) <= TIED
    apart = np.abs(trained - exported)
    return Agreement(len(trained), float(same.mean()), float(apart.mean()), float(apart.max()))


def three_ways(
    trained: Floats, graph: Floats, served: Floats, multi_label: bool = False
) -> dict[str, Any]:
    """The `agreement` of `model.json`: the worst of the three pairs, and `pairs`, each by its name.

    All are scores `(photos, labels)` of the same photos, of the trained model perhaps only of the
    first of them. Raises ExportError if the rule is broken.
    """
    sides = {"trained": trained, "graph": graph, "server": served}
    found = {
        f"{first}_{second}": _pair(sides[first], sides[second], multi_label)
        for first, second in itertools.combinations(sides, 2)
    }
    for pair, agreement in found.items():
        first, second = (NAMES[side] for side in pair.split("_"))
        agreement.check(f"{first[0].upper()}{first[1:]} and {second}")
    worst = Agreement(
        len(graph),
        min(one.same_label for one in found.values()),
        max(one.mean_difference for one in found.values()),
        max(one.largest_difference for one in found.values()),
    )
    return asdict(worst) | {"pairs": {pair: asdict(one) for pair, one in found.items()}}


def _pair(first: Floats, second: Floats, multi_label: bool) -> Agreement:
    count = min(len(first), len(second))
    return compare(first[:count], second[:count], multi_label)


def _behind(scores: Floats, others: Floats) -> Floats:
    """How far `(photos,)` the label that the others put first is behind the best here, 0–1."""
    there = np.take_along_axis(scores, others.argmax(axis=1)[:, None], axis=1)[:, 0]
    gap: Floats = scores.max(axis=1) - there
    return gap


def trained_scores(
    classifier: Exportable, paths: Sequence[Path], model: bytes | None = None
) -> Floats:
    """Scores `(photos, labels)` as training saw the photos: its decoder, LiteRT arithmetic.

    `model` is the classifier's LiteRT form, where that has been made already.
    """
    file = model or classifier.litert()
    workers = max(1, min(os.cpu_count() or 1, len(paths)))
    scores = np.zeros((len(paths), len(classifier.labels)), np.float32)
    places = itertools.count()

    def work(interpreter: Interpreter) -> None:
        while (place := next(places)) < len(paths):
            scores[place] = interpreter.run(square_of_file(paths[place], classifier.size))

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(work, [Interpreter(file) for _ in range(workers)]))
    return scores
