"""`trainer.schedule`: work planned from sizes and budget."""

import pytest

from trainer.schedule import plan, scratch_epochs, scratch_size


def test_a_small_data_set_is_used_whole() -> None:
    """Sixty seconds are enough for every one of 3,068 and 341 photos."""
    work = plan(3068, 341, 10, 60.0)

    assert (work.training, work.validation) == (3068, 341)
    assert (work.trial_training, work.trial_validation) == (400, 250)
    assert not work.bounded(3068)


def test_a_budget_leaves_photos_out_of_a_big_data_set() -> None:
    """A million photos do not fit into a minute; twice the budget takes about twice as many."""
    minute, two = plan(1_000_000, 100_000, 10, 60.0), plan(1_000_000, 100_000, 10, 120.0)

    assert minute.bounded(1_000_000)
    assert minute.training + 2 * minute.validation <= 60 * 130
    assert two.training == pytest.approx(2 * minute.training, rel=0.02)


@pytest.mark.parametrize(("training", "labels"), [(2, 2), (20, 2), (400, 40), (100_000, 5000)])
@pytest.mark.parametrize("max_seconds", [0.1, 7.5, 60.0, 86_400.0])
def test_a_plan_never_asks_for_more_than_there_is(
    training: int, labels: int, max_seconds: float
) -> None:
    """Tiny and huge sets and budgets give a plan with photos in it, and no more than exist."""
    work = plan(training, training // 8 + 1, labels, max_seconds)

    assert 1 <= work.trial_training <= work.training <= training
    assert 1 <= work.trial_validation <= work.validation <= training // 8 + 1
    assert scratch_epochs(work.training, max_seconds) >= 1


@pytest.mark.parametrize(("sides", "size"), [([28] * 9, 28), ([9], 16), ([400, 533], 64), ([], 64)])
def test_the_small_network_takes_the_photos_own_size(sides: list[int], size: int) -> None:
    """Digits stay 28 pixels, big photos become 64, nothing is smaller than 16."""
    assert scratch_size(sides) == size
