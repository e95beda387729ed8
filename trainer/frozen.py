"""Transfer with frozen features: the head is solved at once, nothing else is trained."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from trainer import multi_label, transfer
from trainer.artifacts import Candidate
from trainer.choice import BUDGET, CONVERGED, TRANSFER, Choice
from trainer.data.manifest import Photo, Photos
from trainer.embed import Reader
from trainer.journal import Journal
from trainer.judge import Score, mirror_helps, score
from trainer.models.linear import temperature
from trainer.schedule import TRIAL_PER_LABEL, TRIAL_TRAINING

KeepGoing = Callable[[], bool]


@dataclass(frozen=True)
class Lesson:
    """The photos that teach and those that judge; `mirror` None lets those that judge decide.

    With `both_views` every training photo's mirror image is read too, for a tail to learn from.
    """

    photos: Photos
    training: list[Photo]
    judges: list[Photo]
    mirror: bool | None
    both_views: bool
    seed: int
    max_seconds: float
    roots: int = transfer.ROOTS


def train(lesson: Lesson, embedder: Reader, journal: Journal, keep_going: KeepGoing) -> Choice:
    """The classifier of one label a photo."""
    started, labels = time.monotonic(), lesson.photos.labels
    few = _few(lesson)
    first, rest = lesson.training[:few], lesson.training[few:]
    listen = journal.span("features", 0.02, 0.1, "Features of validation photos")
    judged = transfer.read_both(embedder, lesson.judges, listen)
    listen = journal.span("features", 0.1, 0.2, "First features of training photos")
    learned = transfer.read_both(embedder, first, listen)
    mirrored = _mirrored(lesson, learned, judged)
    listen = journal.span("features", 0.2, 0.6, "Features of training photos")
    if mirrored and lesson.both_views:
        more = transfer.read_both(embedder, rest, listen, keep_going)
    else:
        more = transfer.read_once(embedder, rest, mirrored, listen, keep_going)
    head = transfer.fit([learned, more], mirrored, len(labels), lesson.roots)
    logits = transfer.logits(head, judged, mirrored)
    divisor = temperature(logits, judged.labels)
    result = score(logits / divisor, judged.labels)
    accuracy, log_loss = round(result.accuracy, 6), round(result.log_loss, 6)
    seconds = round(time.monotonic() - started, 2)
    journal.say(
        f"Frozen features: {accuracy:.4f} of {len(judged.labels)} validation photos.",
        phase="train",
        accuracy=accuracy,
        mirrored=mirrored,
    )
    name = f"{TRANSFER}, frozen"
    return Choice(
        transfer.classifier(embedder.network, head, labels, mirrored, divisor),
        name,
        (Candidate(name, accuracy, log_loss, head.photos, len(judged.labels), seconds),),
        BUDGET if head.photos < len(lesson.training) else CONVERGED,
        head.photos,
        tuple(lesson.judges),
    )


def train_several(
    lesson: Lesson, embedder: Reader, journal: Journal, keep_going: KeepGoing
) -> Choice:
    """The classifier of several labels a photo."""
    heads = multi_label.Lesson(
        labels=lesson.photos.labels,
        training=lesson.training,
        judges=lesson.judges,
        trial=min(len(lesson.training), _few(lesson)),
        journal=journal,
        keep_going=keep_going,
        embedder=embedder,
    )
    classifier = heads.run()
    return Choice(
        classifier,
        f"{TRANSFER}, frozen",
        tuple(heads.reports),
        BUDGET if heads.cut_short else CONVERGED,
        heads.taught,
        tuple(lesson.judges),
    )


def _few(lesson: Lesson) -> int:
    """Photos of a trial."""
    return max(TRIAL_TRAINING, TRIAL_PER_LABEL * len(lesson.photos.labels))


def _mirrored(lesson: Lesson, learned: transfer.Features, judged: transfer.Features) -> bool:
    """Whether the mirror image is used too: as asked, else unless it is clearly worse."""
    if lesson.mirror is not None:
        return lesson.mirror
    scores = [_trial(lesson, learned, judged, mirrored) for mirrored in (False, True)]
    return mirror_helps(*scores)


def _trial(
    lesson: Lesson, learned: transfer.Features, judged: transfer.Features, mirrored: bool
) -> Score:
    head = transfer.fit([learned], mirrored, len(lesson.photos.labels), lesson.roots)
    logits = transfer.logits(head, judged, mirrored)
    return score(logits / temperature(logits, judged.labels), np.asarray(judged.labels))
