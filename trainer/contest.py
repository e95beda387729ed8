"""Which way of training is used: by pixels and validation photos, never by names or by the clock.

Every candidate that plain pixels leave a chance is trained on the same few photos and judged on the
same validation photos (a round of successive halving; Jamieson and Talwalkar, 2016,
arXiv:1502.07943); what is clearly behind is dropped, the rest is trained on all photos, and the
best of them is exported.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from trainer import scratch, transfer, tuned
from trainer.artifacts import Candidate
from trainer.assignment import Assignment
from trainer.choice import SCRATCH, TRANSFER, Choice
from trainer.data.manifest import Photo
from trainer.embed import Embedder
from trainer.judge import Score, lead, mirror_helps, score, scratch_wins, survivors
from trainer.maps import MapsEmbedder
from trainer.models.linear import temperature
from trainer.models.network import Classifier
from trainer.plan import TRIAL_EPOCHS, USED, scratch_epochs, scratch_seconds

Logits = NDArray[np.float64]

# Where a head on the pixels themselves is further behind than this, they are photographs: of 400 to
# learn from it was 38 to 41 points behind with clothing photos and 22 with digits (2026-11-22).
PIXELS_BEHIND = 0.3


@dataclass(frozen=True)
class _Finalist:
    name: str
    score: Score
    photos: int
    classifier: Classifier


def choose(job: Assignment, reader: Embedder | MapsEmbedder) -> Choice:
    """The best candidate, trained on every planned photo; `reader` is the recipe's."""
    contest = _Contest(job, reader)
    winner = contest.run()
    return Choice(
        classifier=winner.classifier,
        name=winner.name,
        candidates=tuple(contest.reports),
        stop_reason=job.stop_reason(contest.cut_short),
        training_photos=winner.photos,
        validation=job.judges,
    )


@dataclass
class _Contest:
    """The candidates on their way from the trial to the choice."""

    job: Assignment
    embedder: Embedder | MapsEmbedder
    reports: list[Candidate] = field(default_factory=list)
    cut_short: bool = False

    def run(self) -> _Finalist:
        """The trial of all, then the training of those that are left."""
        job, work = self.job, self.job.work
        self.recipe = work.recipe
        self.trial = job.training[: work.trial_training]
        self.jury = job.validation[: work.trial_validation]
        transferred = self._try_transfer()
        if not self._may_be_drawn(transferred):
            return self._finish_transfer()
        drawn = self._try_scratch()
        everything = len(self.trial) == len(job.training)
        kept = dict(
            zip((TRANSFER, SCRATCH), survivors(transferred, drawn, everything), strict=True)
        )
        self._tell_dropped(kept, transferred, drawn)
        finishes = [self._finish_transfer] if kept[TRANSFER] else []
        if kept[SCRATCH]:
            first = drawn.accuracy > transferred.accuracy
            finishes.insert(0 if first else len(finishes), self._finish_scratch)
        if len(finishes) > 1:
            self._make_room()
        return self._best(finishes)

    def _tell_dropped(self, kept: dict[str, bool], transferred: Score, drawn: Score) -> None:
        ahead, error = lead(transferred, drawn)
        for name in (name for name in kept if not kept[name]):
            self.job.journal.say(f"Dropped {name}: behind by {abs(ahead):.3f} ± {error:.3f}.")

    def _make_room(self) -> None:
        """Leaves the tail frozen where there is no time for it beside the network from scratch."""
        budget = self.job.task.max_seconds
        seconds = self.job.work.seconds + scratch_seconds(len(self.job.training), budget, self.size)
        if seconds > USED * budget:
            self.recipe = replace(self.recipe, block=None)

    def _best(self, finishes: list[Callable[[], _Finalist]]) -> _Finalist:
        """Trains the candidates that are left, the trial's leader first; the best by validation."""
        done = {finalist.name.partition(",")[0]: finalist for finalist in [finishes[0]()]}
        for finish in finishes[1:]:
            if not self.job.deadline.keep_going():
                self.job.journal.say("No time is left to train the other candidate.", "WARNING")
                self.cut_short = True
                break
            finalist = finish()
            done[finalist.name.partition(",")[0]] = finalist
        if len(done) == 2 and scratch_wins(done[TRANSFER].score, done[SCRATCH].score):
            return done[SCRATCH]
        return done.get(TRANSFER) or done[SCRATCH]

    def _try_transfer(self) -> Score:
        """The trial's score; with the mirror image, unless the photo alone does better."""
        started, journal = time.monotonic(), self.job.journal
        listen = journal.span("features", 0.02, 0.06, "Trial features of validation photos")
        self.judged = self._read(self.jury, self.recipe.mirrored, listen)
        listen = journal.span("features", 0.06, 0.15, "Trial features of training photos")
        self.learned = self._read(self.trial, self.recipe.mirrored, listen)
        scores = {}
        for mirrored in (False, True) if self.recipe.mirrored else (False,):
            head = transfer.fit([self.learned], mirrored, len(self.job.labels))
            logits = transfer.logits(head, self.judged, mirrored)
            scores[mirrored] = self._calibrated(logits, self.jury)
            name = f"{TRANSFER}, trial, " + ("with mirror image" if mirrored else "photo alone")
            self._report(name, scores[mirrored], head.photos, started)
        if self.recipe.mirrored and not mirror_helps(scores[False], scores[True]):
            journal.say("Mirror images are not used: the labels differ by left and right.")
            self.recipe = replace(self.recipe, views=1, mirrored=False)
        journal.accuracy = scores[self.recipe.mirrored].accuracy
        return scores[self.recipe.mirrored]

    def _may_be_drawn(self, transferred: Score) -> bool:
        """Whether a network from scratch has a chance: a head on plain pixels is not far behind."""
        if not self.jury:
            return True
        logits = scratch.pixel_logits(self.trial, self.jury, len(self.job.labels))
        behind = transferred.accuracy - self._calibrated(logits, self.jury).accuracy
        if behind > PIXELS_BEHIND:
            self.job.journal.say(f"No network from scratch: pixels alone are {behind:.2f} behind.")
        return behind <= PIXELS_BEHIND

    def _try_scratch(self) -> Score:
        started, journal = time.monotonic(), self.job.journal
        self.size = scratch.size_for(self.trial)
        lesson = scratch.Lesson(len(self.job.labels), TRIAL_EPOCHS, self.job.task.seed)
        pixels = scratch.read(self.trial, self.size)
        listen = journal.span("train", 0.15, 0.22, "Trial steps from scratch")
        trained = scratch.train(self.trial, pixels, lesson, listen, self.job.deadline.keep_going)
        logits = scratch.logits(trained, scratch.read(self.jury, self.size))
        result = self._calibrated(logits, self.jury)
        self._report(f"{SCRATCH}, trial", result, len(self.trial), started)
        return result

    def _finish_transfer(self) -> _Finalist:
        started, job, mirrored = time.monotonic(), self.job, self.recipe.mirrored
        rest, more = job.training[len(self.trial) :], job.validation[len(self.jury) :]
        listen = job.journal.span("features", 0.22, 0.26, "Features of validation photos")
        judged = transfer.joined(self.judged, self._read(more, mirrored, listen))
        listen = job.journal.span("features", 0.26, 0.5, "Features of training photos")
        extra = self._read_rest(rest, listen)
        self.cut_short |= len(extra.labels) < len(rest)
        head = transfer.fit([self.learned, extra], mirrored, len(job.labels))
        logits = transfer.logits(head, judged, mirrored)
        divisor = temperature(logits, judged.labels)
        result = self._calibrated(logits, job.validation)
        self._report(f"{TRANSFER}, frozen", result, head.photos, started)
        job.journal.accuracy = result.accuracy
        made = transfer.classifier(self.embedder.network, head, job.labels, mirrored, divisor)
        frozen = _Finalist(f"{TRANSFER}, frozen", result, head.photos, made)
        return self._tuned(frozen)

    def _tuned(self, frozen: _Finalist) -> _Finalist:
        """The finalist with a trained tail, if the recipe has one, time allows and it is better."""
        job = self.job
        if self.recipe.block is None or not job.validation:
            return frozen
        if job.deadline.left() <= 0:
            job.journal.say("No time is left to train the tail.", "WARNING")
            self.cut_short = True
            return frozen
        found = tuned.tune(job, self.embedder, frozen.classifier, self.recipe, frozen.photos)
        self.cut_short |= found.cut_short
        self.reports.extend(found.candidates)
        if found.classifier is None:
            return frozen
        job.journal.accuracy = found.score.accuracy
        return _Finalist(found.name, found.score, frozen.photos, found.classifier)

    def _finish_scratch(self) -> _Finalist:
        started, job = time.monotonic(), self.job
        epochs = scratch_epochs(len(job.training), job.task.max_seconds, self.size)
        lesson = scratch.Lesson(len(job.labels), epochs, job.task.seed)
        pixels = scratch.read(job.training, self.size)
        listen = job.journal.span("train", 0.3, 0.75, "Steps from scratch")
        trained = scratch.train(job.training, pixels, lesson, listen, job.deadline.keep_going)
        self.cut_short |= not trained.finished
        logits = scratch.logits(trained, scratch.read(job.validation, self.size))
        result = self._calibrated(logits, job.validation)
        self._report(SCRATCH, result, len(job.training), started)
        divisor = temperature(logits, transfer.label_array(job.validation))
        made = scratch.classifier(trained, job.labels, divisor)
        return _Finalist(SCRATCH, result, len(job.training), made)

    def _read(
        self, photos: list[Photo], mirrored: bool, listen: transfer.Listener
    ) -> transfer.Features:
        read = transfer.read_both if mirrored else transfer.read_plain
        return read(self.embedder, photos, listen)

    def _read_rest(self, photos: list[Photo], listen: transfer.Listener) -> transfer.Features:
        """Features of the photos after the trial's, as many as time allows."""
        # Here the machine shows how fast it is: before, TensorFlow's import ran beside the reading.
        started, recipe = time.monotonic(), self.recipe
        keep_going = self.job.deadline.keep_going
        if recipe.views == 2:
            found = transfer.read_both(self.embedder, photos, listen, keep_going)
        else:
            read = transfer.read_once
            found = read(self.embedder, photos, recipe.mirrored, listen, keep_going)
        views, seconds = found.values.shape[0] * recipe.views, time.monotonic() - started
        self.job.deadline.measured(views, seconds, recipe.views_per_second)
        return found

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
        self.job.journal.say(
            f"{name}: {accuracy:.4f} of {judged} validation photos, taught by {photos}.",
            phase="train",
            candidate=name,
            accuracy=accuracy,
        )
