"""`trainer.fit`: how a training ends, and that a restarted one ends as if it had never stopped."""

import io
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from trainer.checkpoints import Checkpoints
from trainer.course import (
    BUDGET,
    CONVERGED,
    DIVERGED,
    NOT_FINITE,
    Course,
    Result,
    Room,
    rate_at,
)
from trainer.errors import TrainingError
from trainer.fit import fit
from trainer.journal import Journal


@dataclass
class Line:
    """A student with one number to learn, 3: gradient steps on (x − 3)² with noisy photos."""

    photos: int = 20
    x: float = 0.0
    steps: int = 0
    lost_at: float = math.inf

    def step(
        self, chosen: NDArray[np.int64], random: np.random.Generator, rate: float
    ) -> tuple[float, float]:
        """One gradient step; the loss is lost at step `lost_at`."""
        self.steps += 1
        noise = float(random.normal()) + float(chosen.sum()) / 1000
        self.x -= rate * 2 * (self.x - 3 + 0.1 * noise)
        return (math.nan if self.steps >= self.lost_at else (self.x - 3) ** 2), 0.5

    def weights(self) -> dict[str, NDArray[Any]]:
        """The number."""
        return {"x": np.array(self.x)}

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The number and the steps made."""
        return {**self.weights(), "steps": np.array(self.steps)}

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Takes back either."""
        self.x = float(arrays["x"])
        self.steps = int(arrays.get("steps", self.steps))


@dataclass
class Lab:
    """A place to train in: its folder, its log, its curves, and a clock that a test moves."""

    folder: Path
    now: float = 0.0
    log: io.StringIO = field(default_factory=io.StringIO)
    points: list[tuple[int, str, dict[str, float]]] = field(default_factory=list)

    def write(self, epoch: int, run: str, figures: Mapping[str, float]) -> None:
        """Keeps a point of a curve."""
        self.points.append((epoch, run, dict(figures)))

    def fit(
        self, student: Line, judge: Callable[[], tuple[float, float]] | None = None, **course: Any
    ) -> Result:
        """Trains a student here."""
        known = Checkpoints(self.folder, "line", lambda message: self.said.append(message))
        judged = judge or (lambda: ((student.x - 3) ** 2, 0.5))
        room = Room(judged, Journal(self.log), known, self, lambda: self.now)
        usual = {
            "epochs": 6,
            "batch_size": 4,
            "learning_rate": 0.1,
            "seed": 1,
            "patience": 0,
            "max_seconds": 100.0,
            "checkpoint_every": 1,
        }
        return fit(student, Course(**{**usual, **course}), room)

    @property
    def said(self) -> list[str]:
        """The messages of the log."""
        return [json.loads(line)["message"] for line in self.log.getvalue().splitlines()]


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    """An empty one."""
    return Lab(tmp_path / "checkpoints")


def test_a_slow_epoch_says_how_far_it_is(lab: Lab) -> None:
    """Steps of three seconds: a line every second one, none right after an epoch's own line."""

    class Slow(Line):
        def step(self, *given: Any) -> tuple[float, float]:
            lab.now += 3
            return super().step(*given)

    lab.fit(Slow(), epochs=2)

    fractions = [json.loads(line)["fraction"] for line in lab.log.getvalue().splitlines()]
    assert [line.partition(": loss")[0] for line in lab.said] == [
        "Epoch 1 of 2: step 2 of 5.",
        "Epoch 1 of 2: step 4 of 5.",
        "Epoch 1 of 2",
        "Epoch 2 of 2: step 2 of 5.",
        "Epoch 2 of 2: step 4 of 5.",
        "Epoch 2 of 2",
    ]
    assert fractions == sorted(fractions)


def test_every_epoch_is_told_and_drawn(lab: Lab) -> None:
    """A line and a point of each curve an epoch; the student ends with its best weights."""
    student = Line()

    result = lab.fit(student)

    epochs = [json.loads(line) for line in lab.log.getvalue().splitlines()]
    best = min(result.history, key=lambda line: line["validationLoss"])
    assert (result.stop_reason, result.epochs) == (CONVERGED, 6)
    assert [line["epoch"] for line in epochs] == [1, 2, 3, 4, 5, 6]
    assert {"loss", "accuracy", "validationLoss", "seconds", "fraction"} <= set(epochs[0])
    assert result.history[result.best_epoch - 1] == best
    assert round((student.x - 3) ** 2, 6) == best["validationLoss"]
    assert [(epoch, run) for epoch, run, _ in lab.points[:3]] == [
        (0, "train"),
        (0, "validation"),
        (1, "train"),
    ]


def test_a_restart_ends_where_an_undisturbed_training_ends(lab: Lab, tmp_path: Path) -> None:
    """Killed in epoch 4, taken up after epoch 3: the same weights and the same history."""
    undisturbed = Line()
    whole = Lab(tmp_path / "other").fit(undisturbed)

    class Killed(BaseException):
        """Stands for the end of the process."""

    class Dying(Line):
        def step(self, *given: Any) -> tuple[float, float]:
            if self.steps == 17:
                raise Killed
            return super().step(*given)

    with pytest.raises(Killed):
        lab.fit(Dying())
    student = Line()
    result = lab.fit(student)

    assert "Going on after epoch 3 from a checkpoint." in lab.said
    assert student.x == undisturbed.x
    assert result.history == whole.history


def test_patience_ends_a_training_that_no_longer_gets_better(lab: Lab) -> None:
    """Two epochs after the best one it stops, with the best one's weights."""
    losses = iter([0.5, 0.4, 0.6, 0.7, 0.1])

    result = lab.fit(Line(), judge=lambda: (next(losses), 0.5), patience=2)

    assert (result.stop_reason, result.epochs, result.best_epoch) == (CONVERGED, 4, 2)
    assert lab.said[-1] == "No better validation loss in 2 epochs: stopped."


def test_the_deadline_ends_a_training_with_what_it_has(lab: Lab) -> None:
    """Each epoch is judged 40 seconds later: in the third the hundred seconds are over."""
    student = Line()

    def judge() -> tuple[float, float]:
        lab.now += 51
        return (student.x - 3) ** 2, 0.5

    result = lab.fit(student, judge=judge)

    assert (result.stop_reason, result.epochs) == (BUDGET, 2)
    assert "100 seconds are over in epoch 3." in lab.said


def test_a_restart_counts_the_seconds_before_it(lab: Lab) -> None:
    """The budget is the training's, not the process's."""
    student = Line()

    def judge() -> tuple[float, float]:
        lab.now += 30
        return (student.x - 3) ** 2, 0.5

    lab.fit(student, judge=judge, epochs=3)
    result = lab.fit(Line(), epochs=6, max_seconds=80.0)

    assert (result.stop_reason, result.epochs) == (BUDGET, 3)


def test_a_deadline_in_the_first_epoch_still_leaves_weights(lab: Lab) -> None:
    """Steps that were made are judged, so that there is something to export."""

    class Slow(Line):
        def step(self, *given: Any) -> tuple[float, float]:
            lab.now += 60
            return super().step(*given)

    student = Slow()
    result = lab.fit(student)

    assert (result.stop_reason, result.epochs, result.best_epoch) == (BUDGET, 0, 1)
    assert student.x != 0.0


def test_a_lost_loss_keeps_the_last_good_weights(lab: Lab) -> None:
    """Not finite at step 3 of epoch 3: named, stopped, the best epoch's weights kept."""
    student = Line(lost_at=13)

    result = lab.fit(student)

    assert (result.stop_reason, result.epochs) == (NOT_FINITE, 2)
    assert lab.said[-1].startswith("The loss was nan at step 3 of epoch 3: stopped, with the")
    assert round((student.x - 3) ** 2, 6) == min(h["validationLoss"] for h in result.history)


def test_a_loss_that_is_lost_at_once_is_an_error(lab: Lab) -> None:
    """Without a whole epoch there is no model; the rate that was received is named."""
    with pytest.raises(TrainingError) as error:
        lab.fit(Line(lost_at=2), learning_rate=0.7)

    assert str(error.value) == (
        "The loss was nan at step 2 of epoch 1, before any epoch was whole. Give a smaller "
        "--learning-rate. Received: 0.7"
    )


@pytest.mark.parametrize("lost", [math.nan, math.inf])
def test_a_loss_lost_on_validation_photos_alone_keeps_the_last_good_weights(
    lab: Lab, lost: float
) -> None:
    """Steps look well, the third judgement does not: stopped, with the best of the first two."""
    student, judged = Line(), iter([0.5, 0.4, lost])
    seen: list[float] = []

    def judge() -> tuple[float, float]:
        seen.append(student.x)
        return next(judged), 0.5

    result = lab.fit(student, judge=judge)

    assert (result.stop_reason, result.epochs, result.best_epoch) == (NOT_FINITE, 2, 2)
    assert lab.said[-1].startswith(f"The loss was {lost} of validation photos after epoch 3: stop")
    assert student.x == seen[1]


def test_a_loss_lost_on_validation_photos_at_once_is_an_error(lab: Lab) -> None:
    """After the first epoch, or at a deadline in it: nothing is worth keeping."""
    with pytest.raises(TrainingError, match="nan of validation photos after epoch 1, before any"):
        lab.fit(Line(), judge=lambda: (math.nan, 0.0))
    with pytest.raises(TrainingError, match="nan of validation photos in epoch 1, before any"):
        lab.fit(Line(), judge=lambda: (math.nan, 0.0), max_seconds=-1.0)


def test_a_loss_that_only_grows_is_stopped_before_it_is_lost(lab: Lab) -> None:
    """At a rate of 3 the error grows fivefold each step: it ends while the loss is still finite."""

    class Jumping(Line):
        def step(
            self, chosen: NDArray[np.int64], random: np.random.Generator, rate: float
        ) -> tuple[float, float]:
            return super().step(chosen, random, 30 * rate if self.steps >= 10 else rate)

    student = Jumping()
    result = lab.fit(student)

    last = lab.said[-1]
    assert (result.stop_reason, result.epochs, result.best_epoch) == (DIVERGED, 2, 2)
    assert last.startswith("The loss was ") and "of epoch 3: stopped, with the weights" in last
    assert (student.x - 3) ** 2 < 1


def test_a_validation_loss_far_above_the_beginning_is_an_error_at_once(lab: Lab) -> None:
    """Ten times the first step's loss, or ten nats, is worse than knowing nothing."""
    with pytest.raises(TrainingError, match="The loss was 2000 of validation photos after epoch 1"):
        lab.fit(Line(), judge=lambda: (2000.0, 0.1))

    assert lab.fit(Line(x=2.9), judge=lambda: (9.9, 0.1)).stop_reason == CONVERGED


def test_the_first_loss_is_known_after_a_restart(lab: Lab) -> None:
    """What is too high is measured by the training's first step, not the process's."""
    lab.fit(Line(x=-30.0), epochs=2)

    result = lab.fit(Line(), epochs=4, judge=lambda: (3000.0, 0.1))

    assert result.stop_reason == CONVERGED


def test_without_memory_the_batch_that_fits_is_named(lab: Lab) -> None:
    """Of 16 photos a step fails, of 8 too, of 4 not: that is what to type."""

    class Large(Line):
        def step(
            self, chosen: NDArray[np.int64], random: np.random.Generator, rate: float
        ) -> tuple[float, float]:
            if len(chosen) > self.limit:
                raise MemoryError
            return super().step(chosen, random, rate)

        limit = 5

    with pytest.raises(TrainingError) as error:
        lab.fit(Large(), batch_size=16)
    assert str(error.value) == (
        "The machine ran out of memory at step 1 of epoch 1, with 16 photos in it. A batch of 4 "
        "fits: give --batch-size 4."
    )

    student = Large()
    student.limit = 0
    with pytest.raises(TrainingError, match="Not even a batch of 1 fits"):
        lab.fit(student, batch_size=16)


def test_a_deadline_in_a_later_epoch_has_its_figures(lab: Lab) -> None:
    """The unfinished third epoch is the best: the history has it too."""
    losses = iter([0.5, 0.4, 0.1])

    def judge() -> tuple[float, float]:
        lab.now += 45
        return next(losses), 0.7

    class Slow(Line):
        def step(self, *given: Any) -> tuple[float, float]:
            lab.now += 4 if self.steps >= 10 else 0
            return super().step(*given)

    result = lab.fit(Slow(), judge=judge)

    assert (result.stop_reason, result.epochs, result.best_epoch) == (BUDGET, 2, 3)
    assert result.history[result.best_epoch - 1]["validationLoss"] == 0.1


def test_checkpoints_come_as_often_as_asked(lab: Lab) -> None:
    """Every fourth epoch, and the last."""
    lab.fit(Line(), checkpoint_every=4)

    assert sorted(path.name for path in lab.folder.iterdir()) == [
        "checkpoint-000004.npz",
        "checkpoint-000006.npz",
    ]


def test_the_rate_rises_then_falls_to_zero() -> None:
    """A tenth of the steps to the highest, then a half cosine that ends at 0."""
    assert rate_at(0.05, 2.0) == pytest.approx(1.0)
    assert rate_at(0.1, 2.0) == pytest.approx(2.0)
    assert rate_at(0.55, 2.0) == pytest.approx(1.0)
    assert rate_at(1.0, 2.0) == pytest.approx(0.0)
