"""How much work an AutoML job plans: a pure function of the data's size and the budget.

Two runs of one job on machines of different speed plan the same photos and steps, so they make the
same model; only a machine slower than the plan thinks is stopped by the clock.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from trainer.schedule import TRIAL_PER_LABEL, TRIAL_TRAINING, TRIAL_VALIDATION

# Seconds and rates on two shared cores (AMD EPYC with AVX-512), 2026-11-22: imports, the export and
# the comparison of a view with it, the head of 1280 features.
START_SECONDS, EXPORT_SECONDS, COMPARE_SECONDS, HEAD_SECONDS = 3.5, 1.5, 0.013, 1.0
VIEWS_PER_SECOND = 172.0
SAMPLES_PER_SECOND, SMALL_SAMPLES_PER_SECOND = 900.0, 2000.0
# The share of the budget that a plan uses.
USED = 1.02

TRIAL_EPOCHS = 20
FEWEST_VIEWS = 200
MOST_VALIDATION = 2000
SAMPLE, QUICK_SAMPLE = 200, 60
JUDGING_SHARE, TESTING_SHARE = 0.12, 0.25
# Fewer photos than these gain little from a trained tail: of 1,000 clothing photos 86.2 % of the
# validation photos frozen and 89.4 % trained, of 500 80.9 % either way (2026-11-21,
# frozen with a discriminant; a logistic regression is 0.4 points better of 320, 0.2 of 640).
FEWEST_TAUGHT, FEWEST_TAUGHT_PER_LABEL = 1000, 30

# How often a network from scratch looks at photos; pictures of at most so many pixels a side are
# drawings of the size of a digit, cheap to look at.
SCRATCH_SAMPLES, SMALL_SCRATCH_SAMPLES, SMALL_SIDE = 32_000, 64_000, 40
SCRATCH_MOST_EPOCHS, SCRATCH_FEWEST_EPOCHS = 60, 2


@dataclass(frozen=True)
class Recipe:
    """How a pretrained network is trained on: from which block, on how many views, how long.

    `block` is the first that is trained, None for none. `views` is 1 (each photo as it is) or 2
    (its mirror image too); with `mirrored` an answer is of both. `rate` is photos a second of
    training on two cores, forward passes are three times as fast. The network sees squares of
    `size` pixels, `views_per_second` of them.
    """

    name: str
    block: int | None
    views: int
    epochs: int
    mirrored: bool
    rate: float = 0.0
    size: int = 224
    views_per_second: float = VIEWS_PER_SECOND


# Dearest first. Validation accuracy, %, of one to five folds of five, the others teaching
# (clothing, 2026-11-22): 94.3, 93.3, 92.9, 92.6, 92.3, 90.9, 90.9, 89.6.
RECIPES = (
    Recipe("tail from block 11, both views, 3 epochs", 11, 2, 3, True, 230),
    Recipe("tail from block 11, 2 epochs, both views judged", 11, 1, 2, True, 230),
    Recipe("tail from block 11, 2 epochs", 11, 1, 2, False, 230),
    Recipe("tail from block 13, 2 epochs", 13, 1, 2, False, 320),
    Recipe("tail from block 13, 1 epoch", 13, 1, 1, False, 320),
    Recipe("tail from block 15, 1 epoch", 15, 1, 1, False, 800),
    Recipe("tail from block 11, 1 epoch, 160 pixels", 11, 1, 1, False, 430, 160, 255),
    Recipe("frozen", None, 1, 0, False),
)
QUICKEST, FROZEN = RECIPES[-2], RECIPES[-1]


@dataclass(frozen=True)
class Size:
    """How many photos teach, judge and are left to evaluate with, and of how many labels."""

    training: int
    validation: int
    test: int
    labels: int


@dataclass(frozen=True)
class Plan:
    """The recipe, the photos that it uses, and the seconds that it is expected to take."""

    recipe: Recipe
    training: int
    validation: int
    test: int
    trial_training: int
    trial_validation: int
    sample: int
    seconds: float

    def bounded(self, training: int) -> bool:
        """Whether the budget leaves photos out of training."""
        return self.training < training


def plan(size: Size, max_seconds: float) -> Plan:
    """The dearest recipe that fits the budget with all photos; else as many photos as fit."""
    judged = _judged(size, max_seconds)
    trained = (one for one in RECIPES if one is not FROZEN)
    chosen = next((one for one in trained if _fits(one, judged, max_seconds)), None)
    if chosen is None:
        chosen, judged = _fewer(judged, max_seconds)
    return _plan(chosen, judged)


def finishing_seconds(recipe: Recipe, test: int) -> float:
    """Seconds of export, comparison and evaluation of so many photos."""
    answers = 2 if recipe.mirrored else 1
    compared = _sample(recipe) * COMPARE_SECONDS
    return EXPORT_SECONDS + answers * (compared + test / recipe.views_per_second)


def solving_seconds(recipe: Recipe, training: int, validation: int) -> float:
    """Seconds after the tail's training: its head is solved anew, on all views that taught."""
    if recipe.block is None:
        return 0.0
    views = training * recipe.views + validation * (2 if recipe.mirrored else 1)
    return views / (3 * recipe.rate) + HEAD_SECONDS


def _sample(recipe: Recipe) -> int:
    """Photos that the SavedModel is compared on."""
    return SAMPLE if recipe.epochs > 1 else QUICK_SAMPLE


def scratch_epochs(photos: int, max_seconds: float, side: int) -> int:
    """Passes that the small network makes over photos of so many pixels a side: fewer of many."""
    samples, rate = _scratch_pace(side)
    affordable = min(samples, int(0.5 * max_seconds * rate))
    return min(max(affordable // max(photos, 1), SCRATCH_FEWEST_EPOCHS), SCRATCH_MOST_EPOCHS)


def scratch_seconds(photos: int, max_seconds: float, side: int) -> float:
    """Seconds that these passes take."""
    return scratch_epochs(photos, max_seconds, side) * photos / _scratch_pace(side)[1]


def _scratch_pace(side: int) -> tuple[int, float]:
    """Looks at photos, and how many a second."""
    if side <= SMALL_SIDE:
        return SMALL_SCRATCH_SAMPLES, SMALL_SAMPLES_PER_SECOND
    return SCRATCH_SAMPLES, SAMPLES_PER_SECOND


def _judged(size: Size, max_seconds: float) -> Size:
    """Fewer photos that judge and evaluate, where a budget is small for them."""
    views = max(max_seconds * VIEWS_PER_SECOND, FEWEST_VIEWS)
    judging = min(size.validation, MOST_VALIDATION, max(int(JUDGING_SHARE * views), 1))
    return replace(size, validation=judging, test=min(size.test, int(TESTING_SHARE * views)))


def _seconds(recipe: Recipe, size: Size) -> float:
    answers = 2 if recipe.mirrored else 1
    views = size.training * recipe.views + size.validation * answers
    seconds = START_SECONDS + HEAD_SECONDS + views / recipe.views_per_second
    if recipe.block is not None:
        judged = size.validation * answers * recipe.epochs / (3 * recipe.rate)
        seconds += size.training * recipe.epochs / recipe.rate + judged
        seconds += solving_seconds(recipe, size.training, size.validation)
    return seconds + finishing_seconds(recipe, size.test)


def _fits(recipe: Recipe, size: Size, max_seconds: float) -> bool:
    return _seconds(recipe, size) <= USED * max_seconds


def _fewer(size: Size, max_seconds: float) -> tuple[Recipe, Size]:
    """The quickest tail on as many photos as fit, or the frozen network where those are few."""
    for recipe, fewest in (
        (QUICKEST, max(FEWEST_TAUGHT, FEWEST_TAUGHT_PER_LABEL * size.labels)),
        (FROZEN, 0),
    ):
        fixed = _seconds(recipe, replace(size, training=0))
        each = (_seconds(recipe, replace(size, training=1000)) - fixed) / 1000
        count = min(int((USED * max_seconds - fixed) / each), size.training)
        if count >= fewest:
            break
    least = min(size.training, max(FEWEST_VIEWS // 2, size.labels))
    return recipe, replace(size, training=max(count, least))


def _plan(recipe: Recipe, size: Size) -> Plan:
    few = max(TRIAL_TRAINING, TRIAL_PER_LABEL * size.labels)
    return Plan(
        recipe=recipe,
        training=size.training,
        validation=size.validation,
        test=size.test,
        trial_training=min(size.training, few),
        trial_validation=min(size.validation, TRIAL_VALIDATION),
        sample=_sample(recipe),
        seconds=_seconds(recipe, size),
    )
