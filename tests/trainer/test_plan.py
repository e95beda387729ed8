"""`trainer.plan`: work planned from sizes and budget alone."""

import pytest

from trainer.deadline import ALLOWED
from trainer.plan import (
    FROZEN,
    QUICKEST,
    RECIPES,
    USED,
    Size,
    finishing_seconds,
    plan,
    scratch_epochs,
    solving_seconds,
)

FOLD = Size(2720, 300, 756, 10)
MILLION = Size(1_000_000, 100_000, 100_000, 10)


def test_more_time_buys_a_dearer_recipe() -> None:
    """From half a minute to two minutes every recipe is at least as dear as the one before."""
    chosen = [RECIPES.index(plan(FOLD, budget).recipe) for budget in (15, 30, 45, 60, 90, 120)]

    assert chosen == sorted(chosen, reverse=True)
    assert RECIPES[chosen[0]] is FROZEN
    assert RECIPES[chosen[-1]] is RECIPES[0]


@pytest.mark.parametrize("budget", [30, 60, 120, 600])
@pytest.mark.parametrize("size", [FOLD, MILLION, Size(90, 10, 20, 10)])
def test_a_plan_keeps_its_budget(size: Size, budget: float) -> None:
    """What is planned takes less than the budget, whatever the size."""
    assert plan(size, budget).seconds <= USED * budget


def test_a_small_data_set_is_used_whole() -> None:
    """A minute is enough for every photo of a few thousand."""
    work = plan(FOLD, 60.0)

    assert (work.training, work.validation, work.test) == (2720, 300, 756)
    assert (work.trial_training, work.trial_validation) == (400, 250)
    assert not work.bounded(2720)


def test_a_budget_leaves_photos_out_of_a_big_data_set() -> None:
    """A million photos do not fit into a minute; those that do train the quickest tail."""
    minute, two = plan(MILLION, 60.0), plan(MILLION, 120.0)

    assert minute.recipe is QUICKEST
    assert minute.bounded(1_000_000)
    assert minute.training >= 1500
    assert two.training > 2 * minute.training
    assert minute.test < 5000


@pytest.mark.parametrize(("training", "labels"), [(2, 2), (20, 2), (400, 40), (100_000, 5000)])
@pytest.mark.parametrize("max_seconds", [0.1, 7.5, 60.0, 86_400.0])
def test_a_plan_never_asks_for_more_than_there_is(
    training: int, labels: int, max_seconds: float
) -> None:
    """Tiny and huge sets and budgets give a plan with photos in it, and no more than exist."""
    judges = training // 8 + 1
    work = plan(Size(training, judges, judges, labels), max_seconds)

    assert 1 <= work.trial_training <= work.training <= training
    assert 1 <= work.trial_validation <= work.validation <= judges
    assert work.test <= judges
    assert all(scratch_epochs(work.training, max_seconds, side) >= 1 for side in (28, 64))


def test_a_plan_uses_most_of_its_budget_but_not_all() -> None:
    """Of a million photos so many are taken that little of the budget is left."""
    assert 0.85 * 600 <= plan(MILLION, 600).seconds <= USED * 600 + 1


@pytest.mark.parametrize("budget", [30.0, 60.0, 120.0])
def test_what_is_left_after_the_training_has_its_time(budget: float) -> None:
    """The last head, export and evaluation are no more than half of a plan, which ends in time."""
    work = plan(FOLD, budget)
    after = solving_seconds(work.recipe, work.training, work.validation)
    after += finishing_seconds(work.recipe, work.test)

    assert 0 < after < work.seconds / 2
    assert work.seconds <= ALLOWED * budget
