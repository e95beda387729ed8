"""Which way of training is used: by pixels and validation photos, never by names or by the clock.

Every candidate is trained on the same few photos and judged on the same validation photos (a round
of successive halving; Jamieson and Talwalkar, 2016, arXiv:1502.07943); what is clearly behind is
dropped, the rest is trained on all photos, and the best of them is exported.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainer import scratch, transfer
from trainer.artifacts import Candidate
from trainer.config import Task
from trainer.data.manifest import Photo, Photos, spread
from trainer.data.survey import share_out
from trainer.embed import Embedder
from trainer.journal import Journal
from trainer.judge import Score, lead, mirror_helps, score, scratch_wins, survivors
from trainer.models.efficientnet_lite import lite0
from trainer.models.linear import temperature
from trainer.models.network import Classifier
from trainer.schedule import TRIAL_EPOCHS, Plan, plan, scratch_epochs

TRANSFER, SCRATCH = "transfer", "scratch"
CONVERGED, BUDGET = "MODEL_CONVERGED", "BUDGET_REACHED"

Logits = NDArray[np.float64]


@dataclass(frozen=True)
class Choice:
    """The classifier to export, how each candidate did, why training stopped, what was used."""

    classifier: Classifier
    name: str
    candidates: tuple[Candidate, ...]
    stop_reason: str
    training_photos: int
    validation: tuple[Photo, ...]


@dataclass(frozen=True)
class _Finalist:
    name: str
    score: Score
    logits: Logits
    photos: int
    make: Callable[[float], Classifier]


def choose(photos: Photos, task: Task, journal: Journal, keep_going: Callable[[], bool]) -> Choice:
    """The best candidate, trained on every planned photo."""
    taught, judges = share_out(photos, task.seed, journal)
    work = plan(len(taught), len(judges), len(photos.labels), task.max_seconds)
    contest = _Contest(
        labels=photos.labels,
        training=taught[: work.training],
        validation=judges[: work.validation],
        work=work,
        task=task,
        journal=journal,
        keep_going=keep_going,
    )
    winner = contest.run()
    divisor = temperature(winner.logits, transfer.label_array(contest.validation))
    bounded = contest.cut_short or work.bounded(len(taught))
    return Choice(
        classifier=winner.make(divisor),
        name=winner.name,
        candidates=tuple(contest.reports),
        stop_reason=BUDGET if bounded else CONVERGED,
        training_photos=winner.photos,
        validation=tuple(spread(judges, 0)),
    )


@dataclass
class _Contest:
    """The candidates on their way from the trial to the choice."""

    labels: tuple[str, ...]
    training: list[Photo]
    validation: list[Photo]
    work: Plan
    task: Task
    journal: Journal
    keep_going: Callable[[], bool]
    reports: list[Candidate] = field(default_factory=list)
    cut_short: bool = False

    def run(self) -> _Finalist:
        """The trial of all, then the training of those that are left."""
        self.embedder = Embedder(lite0())
        self.trial = self.training[: self.work.trial_training]
        self.jury = self.validation[: self.work.trial_validation]
        transferred, mirrored = self._try_transfer()
        drawn = self._try_scratch()
        everything = len(self.trial) == len(self.training)
        keep_transfer, keep_scratch = survivors(transferred, drawn, everything)
        for name, kept in ((TRANSFER, keep_transfer), (SCRATCH, keep_scratch)):
            if not kept:
                ahead, error = lead(transferred, drawn)
                self.journal.say(f"Dropped {name}: behind by {abs(ahead):.3f} ± {error:.3f}.")
        finish = {
            TRANSFER: lambda: self._finish_transfer(mirrored),
            SCRATCH: self._finish_scratch,
        }
        kept_names = {TRANSFER: keep_transfer, SCRATCH: keep_scratch}
        order = [TRANSFER, SCRATCH]
        if drawn.accuracy > transferred.accuracy:
            order.reverse()
        return self._best([finish[name] for name in order if kept_names[name]])

    def _best(self, finishes: list[Callable[[], _Finalist]]) -> _Finalist:
        """Trains the candidates that are left, the trial's leader first; the best by validation."""
        done = {finalist.name: finalist for finalist in [finishes[0]()]}
        for finish in finishes[1:]:
            if not self.keep_going():
                self.journal.say("No time is left to train the other candidate.", "WARNING")
                self.cut_short = True
                break
            finalist = finish()
            done[finalist.name] = finalist
        if len(done) == 2 and scratch_wins(done[TRANSFER].score, done[SCRATCH].score):
            return done[SCRATCH]
        return done.get(TRANSFER) or done[SCRATCH]

    def _try_transfer(self) -> tuple[Score, bool]:
        """The trial's score with the mirror image, unless the photo alone does better."""
        listen = self.journal.span("features", 0.02, 0.06, "Trial features of validation photos")
        self.judged = transfer.read_both(self.embedder, self.jury, listen)
        listen = self.journal.span("features", 0.06, 0.15, "Trial features of training photos")
        self.learned = transfer.read_both(self.embedder, self.trial, listen)
        started, scores = time.monotonic(), {}
        for mirrored in (False, True):
            head = transfer.fit([self.learned], mirrored, len(self.labels))
            logits = transfer.logits(head, self.judged, mirrored)
            scores[mirrored] = self._calibrated(logits, self.jury)
            name = f"{TRANSFER}, trial, " + ("with mirror image" if mirrored else "photo alone")
            self._report(name, scores[mirrored], head.photos, started)
        mirrored = mirror_helps(scores[False], scores[True])
        return scores[mirrored], mirrored

    def _try_scratch(self) -> Score:
        started = time.monotonic()
        self.size = scratch.size_for(self.trial)
        lesson = scratch.Lesson(len(self.labels), TRIAL_EPOCHS, self.task.seed)
        pixels = scratch.read(self.trial, self.size)
        listen = self.journal.span("train", 0.15, 0.22, "Trial steps from scratch")
        trained = scratch.train(self.trial, pixels, lesson, listen, self.keep_going)
        logits = scratch.logits(trained, scratch.read(self.jury, self.size))
        result = self._calibrated(logits, self.jury)
        self._report(f"{SCRATCH}, trial", result, len(self.trial), started)
        return result

    def _finish_transfer(self, mirrored: bool) -> _Finalist:
        started = time.monotonic()
        rest, more = self.training[len(self.trial) :], self.validation[len(self.jury) :]
        listen = self.journal.span("features", 0.22, 0.26, "Features of validation photos")
        judged = _joined(self.judged, transfer.read_both(self.embedder, more, listen))
        listen = self.journal.span("features", 0.26, 0.7, "Features of training photos")
        extra = transfer.read_once(self.embedder, rest, mirrored, listen, self.keep_going)
        self.cut_short |= len(extra.labels) < len(rest)
        head = transfer.fit([self.learned, extra], mirrored, len(self.labels))
        logits = transfer.logits(head, judged, mirrored)

        def make(divisor: float) -> Classifier:
            return transfer.classifier(self.embedder, head, self.labels, mirrored, divisor)

        return self._finalist(TRANSFER, logits, head.photos, started, make)

    def _finish_scratch(self) -> _Finalist:
        started = time.monotonic()
        epochs = scratch_epochs(len(self.training), self.task.max_seconds)
        lesson = scratch.Lesson(len(self.labels), epochs, self.task.seed)
        pixels = scratch.read(self.training, self.size)
        listen = self.journal.span("train", 0.3, 0.75, "Steps from scratch")
        trained = scratch.train(self.training, pixels, lesson, listen, self.keep_going)
        self.cut_short |= not trained.finished
        logits = scratch.logits(trained, scratch.read(self.validation, self.size))

        def make(divisor: float) -> Classifier:
            return scratch.classifier(trained, self.labels, divisor)

        return self._finalist(SCRATCH, logits, len(self.training), started, make)

    def _finalist(
        self, name: str, logits: Logits, photos: int, started: float, make: Any
    ) -> _Finalist:
        result = self._calibrated(logits, self.validation)
        self._report(name, result, photos, started)
        return _Finalist(name, result, logits, photos, make)

    def _calibrated(self, logits: Logits, judges: list[Photo]) -> Score:
        truth = transfer.label_array(judges)
        return score(logits / temperature(logits, truth), truth)

    def _report(self, name: str, result: Score, photos: int, started: float) -> None:
        seconds = round(time.monotonic() - started, 2)
        judged = len(result.right)
        accuracy = round(result.accuracy, 6)
        self.reports.append(
            Candidate(name, accuracy, round(result.log_loss, 6), photos, judged, seconds)
        )
        self.journal.say(
            f"{name}: {accuracy:.4f} of {judged} validation photos, taught by {photos}.",
            phase="train",
            candidate=name,
            accuracy=accuracy,
        )


def _joined(first: transfer.Features, second: transfer.Features) -> transfer.Features:
    if not len(second.labels):
        return first
    return transfer.Features(
        np.concatenate([first.values, second.values]),
        np.concatenate([first.labels, second.labels]),
    )
