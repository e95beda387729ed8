"""The candidate that knows nothing yet: a small network trained on these photos alone."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from trainer.data.decode import short_side, square_of_file
from trainer.data.manifest import Photo
from trainer.data.resize import Pixels
from trainer.models import cnn
from trainer.models.linear import discriminant
from trainer.models.network import Classifier
from trainer.schedule import scratch_size
from trainer.transfer import KeepGoing, Listener, label_array

READERS = 2
PIXEL_SIDE = 16


@dataclass(frozen=True)
class Lesson:
    """What a training needs beside photos: number of labels, epochs and seed."""

    classes: int
    epochs: int
    seed: int


def size_for(photos: Sequence[Photo]) -> int:
    """The input size that suits these photos, from their own sizes."""
    return scratch_size([short_side(photo.path) for photo in photos])


def read(photos: Sequence[Photo], size: int) -> Pixels:
    """Squares `(photos, size, size, 3)` uint8 of the photos."""

    def one(path: Path) -> Pixels:
        return square_of_file(path, size)

    with ThreadPoolExecutor(READERS) as pool:
        squares = list(pool.map(one, [photo.path for photo in photos]))
    return np.stack(squares) if squares else np.zeros((0, size, size, 3), np.uint8)


def pixel_logits(
    taught: Sequence[Photo], judges: Sequence[Photo], classes: int
) -> NDArray[np.float64]:
    """Logits `(judges, labels)` by a head on plain pixels: what can be had without any network."""
    rows = [read(photos, PIXEL_SIDE).reshape(len(photos), -1) / 255 for photos in (taught, judges)]
    values, judged = (row.astype(np.float32) for row in rows)
    weights, bias = discriminant(values, label_array(taught), classes)
    logits: NDArray[np.float64] = judged.astype(np.float64) @ weights + bias
    return logits


def train(
    photos: Sequence[Photo], pixels: Pixels, lesson: Lesson, listen: Listener, keep_going: KeepGoing
) -> cnn.Trained:
    """The network that these photos teach."""
    labels = label_array(photos)
    return cnn.train(pixels, labels, lesson.classes, lesson.epochs, lesson.seed, listen, keep_going)


def logits(trained: cnn.Trained, pixels: Pixels) -> NDArray[np.float64]:
    """Logits `(photos, labels)` of squares."""
    return cnn.embed(trained.network, pixels).astype(np.float64) @ trained.weights + trained.bias


def classifier(trained: cnn.Trained, labels: tuple[str, ...], divisor: float) -> Classifier:
    """The model to export, its logits divided by `divisor`."""
    weights = (trained.weights / np.float32(divisor)).astype(np.float32)
    bias = (trained.bias / np.float32(divisor)).astype(np.float32)
    return Classifier(trained.network, weights, bias, labels, mirrored=False)
