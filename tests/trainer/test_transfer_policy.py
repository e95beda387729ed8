"""`trainer.transfer_policy`: rules of size and likeness, read as tables."""

from dataclasses import replace

import numpy as np
import pytest

from trainer.transfer_policy import (
    Case,
    dropout,
    epochs,
    learning_rate,
    likeness,
    mixes,
    normalises_anew,
    rate_factors,
    share,
    unfrozen,
)

NOTHING = Case(photos=500, likeness=0.0, pretrained=False)


@pytest.mark.parametrize(
    ("accuracy", "counts", "wanted"),
    [
        (1.0, (5, 5), 1.0),
        (0.5, (5, 5), 0.0),
        (0.3, (5, 5), 0.0),
        (0.75, (5, 5), 0.5),
        (0.9, (9, 1), 0.0),
        (0.4, (2, 2, 2, 2, 2), 0.25),
        (1.0, (4,), 1.0),
    ],
)
def test_likeness_is_the_way_from_guessing_to_right(
    accuracy: float, counts: tuple[int, ...], wanted: float
) -> None:
    """Always answering the most frequent label is nought, however frequent it is."""
    truth = np.repeat(np.eye(len(counts), dtype=bool), counts, axis=0)

    assert likeness(accuracy, truth) == pytest.approx(wanted)


def test_without_a_judge_nothing_is_alike() -> None:
    """No photo, no evidence."""
    assert likeness(1.0, np.zeros((0, 3), bool)) == 0.0


@pytest.mark.parametrize(
    ("photos", "alike", "wanted"),
    [
        (999, 0.9, 0.0),
        (999, 0.5, 0.0),
        (999, 0.4, 0.25),
        (1000, 0.9, 0.25),
        (1000, 0.7, 0.5),
        (19_999, 0.2, 0.5),
        (20_000, 0.9, 1.0),
    ],
)
def test_more_is_trained_of_many_photos_and_of_unlike_ones(
    photos: int, alike: float, wanted: float
) -> None:
    """A few photos like ImageNet's leave all as it is; twenty thousand teach everything."""
    case = Case(photos, alike)

    assert share(case) == wanted
    assert unfrozen("auto", 52, case) == int(52 * wanted)


@pytest.mark.parametrize(
    ("unfreeze", "layers"),
    [("none", 0), ("tail", 13), ("all", 52), (7, 7), (99, 52), ("auto", 0)],
)
def test_a_word_or_a_number_of_the_user_stands(unfreeze: str | int, layers: int) -> None:
    """A quarter is the tail; more layers than there are is all of them."""
    few = Case(photos=100, likeness=0.9)

    assert unfrozen(unfreeze, 52, few) == layers
    assert unfrozen(unfreeze, 52, replace(few, pretrained=False)) == 52


@pytest.mark.parametrize(
    ("case", "wanted"),
    [
        (Case(100, 1.0), 30),
        (Case(1000, 1.0), 16),
        (Case(1000, 0.0), 30),
        (Case(3068, 0.9), 5),
        (Case(100_000, 0.9), 2),
        (replace(NOTHING, photos=60), 60),
        (replace(NOTHING, photos=6400), 10),
        (replace(NOTHING, photos=1_000_000), 4),
    ],
)
def test_epochs_by_photos(case: Case, wanted: int) -> None:
    """The fewer the photos and the less is known of them, the more passes."""
    assert epochs(case) == wanted


def test_the_rate_falls_with_likeness_and_rises_with_the_batch_from_nothing() -> None:
    """0.003 for what ImageNet shows, 0.01 for what it does not; 0.1 for 256 photos a step."""
    rates = [learning_rate(Case(1000, alike), 32) for alike in (1.0, 0.5, 0.0)]

    assert rates[0] == pytest.approx(3e-3)
    assert rates[2] == pytest.approx(1e-2)
    assert rates == sorted(rates)
    assert learning_rate(NOTHING, 256) == pytest.approx(0.1)
    assert learning_rate(NOTHING, 8) == pytest.approx(0.1 / 32)


def test_lower_groups_of_layers_take_shorter_steps() -> None:
    """Four groups, each 2.6 times slower than the next; from nothing all alike; none of none."""
    factors = rate_factors(8, Case(1000, 0.9))

    assert factors[::2] == factors[1::2]
    assert factors[-1] == 1.0
    assert [after / before for before, after in zip(factors[::2], factors[2::2], strict=False)] == [
        pytest.approx(2.6)
    ] * 3
    assert rate_factors(3, NOTHING) == (1.0, 1.0, 1.0)
    assert rate_factors(0, NOTHING) == ()
    assert rate_factors(1, Case(10, 0.1)) == (1.0,)


def test_small_data_leave_out_more_and_are_not_mixed() -> None:
    """Dropout falls with size; photos are laid over one another from twenty thousand on."""
    sizes = (100, 1000, 20_000)

    assert [dropout(Case(size, 0.9)) for size in sizes] == [0.5, 0.3, 0.2]
    assert [mixes(Case(size, 0.9)) for size in sizes] == [False, False, True]


def test_only_what_knows_nothing_takes_new_statistics() -> None:
    """Batch normalisation of a pretrained network stays in inference mode."""
    assert normalises_anew(NOTHING)
    assert not normalises_anew(Case(100_000, 0.0))
