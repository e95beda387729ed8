"""How much work a job plans: pure functions of the data's size and the budget, never of the clock.

Two runs of one job on machines of different speed plan the same photos and steps, so they make the
same model; only a machine too slow for the plan is stopped by the deadline.
"""

from __future__ import annotations

from dataclasses import dataclass

# Measured on two shared cores, 2026-11-21, lower quartile: LiteRT features, small network's steps.
VIEWS_PER_SECOND = 130
SAMPLES_PER_SECOND = 900
TRAINING_SHARE = 0.75

TRIAL_TRAINING = 400
TRIAL_VALIDATION = 250
TRIAL_EPOCHS = 20
TRIAL_PER_LABEL = 8
MOST_VALIDATION = 2000
FEWEST_VIEWS = 200

SCRATCH_SAMPLES = 32_000
SCRATCH_MOST_EPOCHS = 60
SCRATCH_FEWEST_EPOCHS = 2


@dataclass(frozen=True)
class Plan:
    """Photos used: in the trial of every candidate, and in the training of what is left of them."""

    trial_training: int
    trial_validation: int
    training: int
    validation: int

    def bounded(self, training: int) -> bool:
        """Whether the budget leaves photos out of training."""
        return self.training < training


def plan(training: int, validation: int, labels: int, max_seconds: float) -> Plan:
    """The photos that fit the budget: at most a fifth of the views judge, the others teach."""
    views = max(int(TRAINING_SHARE * max_seconds * VIEWS_PER_SECOND), FEWEST_VIEWS)
    judging = min(validation, MOST_VALIDATION, max(views // 10, 1))
    teaching = max(views - 2 * judging, labels, FEWEST_VIEWS // 2)
    taught = min(training, teaching)
    trial = min(
        taught, max(TRIAL_TRAINING, TRIAL_PER_LABEL * labels), max(teaching // 4, 2 * labels)
    )
    return Plan(trial, min(judging, TRIAL_VALIDATION), taught, judging)


def scratch_epochs(photos: int, max_seconds: float) -> int:
    """Passes over the photos that the small network makes: fewer of many photos than of few."""
    affordable = min(SCRATCH_SAMPLES, int(0.5 * max_seconds * SAMPLES_PER_SECOND))
    return min(max(affordable // max(photos, 1), SCRATCH_FEWEST_EPOCHS), SCRATCH_MOST_EPOCHS)


def scratch_size(short_sides: list[int]) -> int:
    """Pixels of the small network's input, a multiple of 4: the photos' own up to 40, else 64."""
    middle = sorted(short_sides)[len(short_sides) // 2] if short_sides else 64
    return max(16, middle // 4 * 4) if middle <= 40 else 64
