"""Transfer with a Keras backbone: the head first, then the upper layers at a lower rate.

Phase one freezes the backbone and solves the head. Phase two (`keras_second.py`) goes on from there
with as many layers as `transfer_policy` says, and is kept only if it is better on validation
photos. A backbone that knows nothing has no phase one: all of it learns at once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from trainer import frozen, keras_second, transfer_policy
from trainer.choice import Choice
from trainer.course import Course, Result, Room
from trainer.data.manifest import Photo, Photos, truth_matrix
from trainer.hyper import Hyper
from trainer.journal import Journal
from trainer.keras_second import Head, Judge
from trainer.models.keras_backbone import Backbone
from trainer.models.keras_reader import KerasReader
from trainer.models.keras_student import units
from trainer.models.network import Classifier
from trainer.schedule import patience
from trainer.transfer_policy import Case

# Of changes that a photo of anything bears; the mirror image is added where it helps.
BORNE = ("crop", "zoom")
FLIP, MIXUP = "flip", "mixup"


@dataclass(frozen=True)
class Lesson:
    """The photos, those that teach and those that judge; the settings, and which were given."""

    photos: Photos
    training: list[Photo]
    judges: list[Photo]
    hyper: Hyper
    course: Course
    given: Mapping[str, Any]
    multi_label: bool


def train(
    lesson: Lesson, backbone: Backbone, journal: Journal, room: Callable[[Hyper, Judge], Room]
) -> tuple[Choice, Hyper, Result | None]:
    """The better phase by validation photos, the settings in the end, how phase two went.

    `room` makes what stands around phase two, by its settings.
    """
    started, limit = time.monotonic(), lesson.course.max_seconds
    first = _phase_one(lesson, backbone, journal, started) if backbone.pretrained else None
    case = _case(lesson, first)
    layers = transfer_policy.unfrozen(lesson.hyper.unfreeze, len(units(backbone.base)), case)
    left = limit - (time.monotonic() - started)
    if first is not None and (not layers or not lesson.judges or left <= 0):
        return keras_second.frozen(first, backbone), lesson.hyper, None
    head = _head(lesson, first)
    hyper = _settled(lesson, case, head.mirrored)
    _tell(journal, backbone, case, layers, hyper)
    second = keras_second.Lesson(
        training=lesson.training,
        judges=lesson.judges,
        labels=lesson.photos.labels,
        hyper=hyper,
        course=replace(
            lesson.course,
            epochs=hyper.epochs,
            learning_rate=hyper.learning_rate,
            patience=hyper.patience,
            max_seconds=left,
        ),
        multi_label=lesson.multi_label,
        factors=transfer_policy.rate_factors(layers, case),
    )
    choice, result = keras_second.improve(
        first, head, backbone, second, journal, lambda judge: room(hyper, judge)
    )
    return choice, hyper, result


def _phase_one(lesson: Lesson, backbone: Backbone, journal: Journal, started: float) -> Choice:
    names, limit = lesson.hyper.augment, lesson.course.max_seconds
    frozen_lesson = frozen.Lesson(
        lesson.photos,
        lesson.training,
        lesson.judges,
        None if names is None else FLIP in names,
        False,
        lesson.hyper.seed,
        limit,
        # Features of some backbones are below 0, and phase two goes on from this very head.
        roots=0,
    )
    way = frozen.train_several if lesson.multi_label else frozen.train
    reader = KerasReader(backbone)
    return way(frozen_lesson, reader, journal, lambda: time.monotonic() - started < limit)


def _head(lesson: Lesson, first: Choice | None) -> Head:
    if first is None:
        return Head(None, FLIP in (lesson.hyper.augment or ()))
    made = first.classifier
    assert isinstance(made, Classifier)
    return Head((made.weights, made.bias), made.mirrored)


def _case(lesson: Lesson, first: Choice | None) -> Case:
    accuracy = first.candidates[-1].validationAccuracy if first is not None else 0.0
    truth = truth_matrix(lesson.judges, len(lesson.photos.labels))
    alike = transfer_policy.likeness(accuracy, truth)
    return Case(len(lesson.training), alike, first is not None)


def _settled(lesson: Lesson, case: Case, mirrored: bool) -> Hyper:
    """The settings of phase two: what was given, else the policy's."""
    hyper, given = lesson.hyper, lesson.given
    epochs = hyper.epochs if "epochs" in given else transfer_policy.epochs(case)
    rate = transfer_policy.learning_rate(case, hyper.batch_size)
    names = [*BORNE, *([FLIP] if mirrored else []), *([MIXUP] * transfer_policy.mixes(case))]
    return replace(
        hyper,
        epochs=epochs,
        patience=hyper.patience if "patience" in given else patience(epochs),
        learning_rate=hyper.learning_rate if "learning-rate" in given else rate,
        dropout=hyper.dropout if "dropout" in given else transfer_policy.dropout(case),
        augment=tuple(names) if hyper.augment is None else hyper.augment,
    )


def _tell(journal: Journal, backbone: Backbone, case: Case, layers: int, hyper: Hyper) -> None:
    every = len(units(backbone.base))
    known = f"likeness {case.likeness:.2f}" if case.pretrained else "nothing known yet"
    journal.say(
        f"{backbone.name}, {known}, {case.photos} photos: {layers} of {every} layers learn, "
        f"{hyper.epochs} epochs, rate {hyper.learning_rate:.2g}.",
        phase="train",
        likeness=round(case.likeness, 4),
        layersTrained=layers,
        layers=every,
    )
