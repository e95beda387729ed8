"""Photos as batches of pixels and targets, read by threads while the trainer computes.

Every epoch has a number; seed and number decide its order, so the same epoch comes again the same,
byte for byte, whatever the machine's threads did. Only the batches on their way are in memory:
the photos may be many times larger than it. What is decoded once may be kept (`cache`).

    feed = Feed(photos.training, len(photos.labels), size=64, batch_size=32, seed=7)
    for epoch in range(1, 11):
        for pixels, targets in feed.epoch(epoch).map(augmented):
            ...
"""

from __future__ import annotations

import math
import os
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from trainer.data.decode import square_of_file
from trainer.data.manifest import Photo, truth_matrix
from trainer.data.resize import Pixels
from trainer.data.squares import Squares, squares_for
from trainer.errors import PhotoError

# One more than cores: of 2 to 8 threads on 2 cores the quickest (2026-11-22).
READERS_BEYOND_CORES = 1
MAX_READERS = 32
# They do nothing but open files ahead of the readers, which on a mounted bucket is a wait.
SCOUTS = 2
BATCHES_AHEAD = 3
# What Eigen, TensorFlow's arrays, asks for on processors with AVX-512.
TENSOR_ALIGNMENT_BYTES = 64

Targets = NDArray[np.float32]
Places = NDArray[np.int64]


class Feed:
    """Gives epochs of the photos, as `tf.data` or as plain arrays.

    `labels` is the number of labels, `size` the height and width of the squares in pixels (add the
    margin that a random crop needs). `cache` is "none", "memory", or a folder for the squares, of
    `size * size * 3` bytes each, which a later process finds again while the photos are unchanged.
    `readers` is the number of threads.
    """

    def __init__(
        self,
        photos: Sequence[Photo],
        labels: int,
        size: int,
        batch_size: int,
        seed: int = 0,
        cache: str | Path = "none",
        readers: int | None = None,
    ) -> None:
        self.photos, self.labels, self.size = photos, labels, size
        self.batch_size, self.seed = batch_size, seed
        self.problem = cast(PhotoError | None, None)
        self._readers = readers or min((os.cpu_count() or 1) + READERS_BEYOND_CORES, MAX_READERS)
        self._paths = [photo.path for photo in photos]
        self._squares: Squares = squares_for(cache, self._paths, size)

    def __len__(self) -> int:
        """Batches in an epoch; the last may be smaller."""
        return -(-len(self.photos) // self.batch_size)

    def order(self, epoch: int | None) -> Places:
        """Places of the photos in the order of an epoch; as they are given for None."""
        if epoch is None:
            return np.arange(len(self.photos))
        return np.random.default_rng([self.seed, epoch]).permutation(len(self.photos))

    def arrays(self, epoch: int | None = None, start: int = 0) -> Iterator[tuple[Pixels, Targets]]:
        """Batches `(batch, size, size, 3)` uint8 and `(batch, labels)` float32, 0 or 1.

        `start` is the first batch to give: a resumed epoch goes on in the middle. Raises PhotoError
        naming the photo that cannot be read.
        """
        order = self.order(epoch)
        pool, scouts = ThreadPoolExecutor(self._readers), ThreadPoolExecutor(SCOUTS)
        ahead: deque[_Batch] = deque()
        try:
            for first in range(start * self.batch_size, len(order), self.batch_size):
                places = order[first : first + self.batch_size]
                for share in range(SCOUTS):
                    scouts.submit(self._scout, places[share::SCOUTS])
                ahead.append(self._begun(pool, places))
                if len(ahead) > BATCHES_AHEAD:
                    yield self._whole(ahead.popleft())
            while ahead:
                yield self._whole(ahead.popleft())
        finally:
            for threads in (pool, scouts):
                threads.shutdown(cancel_futures=True)

    def epoch(self, epoch: int | None = None, start: int = 0) -> Any:
        """The same as a `tf.data.Dataset` of (pixels, targets), one element a batch.

        One iteration at a time. Iterate it inside `with feed.naming_photos():` to have the
        PhotoError and not TensorFlow's.
        """
        from trainer.imports import tensorflow

        tf, under_way = tensorflow(), cast(list[Iterator[tuple[Pixels, Targets]]], [])

        def batch(number: Any) -> tuple[Pixels, Targets]:
            if number == start:
                under_way[:] = [self.arrays(epoch, start)]
            return next(under_way[0])

        def shaped(number: Any) -> Any:
            pixels, targets = tf.numpy_function(batch, [number], (tf.uint8, tf.float32))
            return (
                tf.ensure_shape(pixels, (None, self.size, self.size, 3)),
                tf.ensure_shape(targets, (None, self.labels)),
            )

        # Not from_generator, which takes 80 ms more a batch of 32 at 224 pixels (TensorFlow 2.21).
        numbers, options = tf.data.Dataset.range(start, max(len(self), start)), tf.data.Options()
        # An epoch that has ended waits for autotune's thread, which sleeps for as long as the epoch
        # took so far (2.21): one of 1.3 s ends after 2.6 s. There is nothing here to tune.
        options.autotune.enabled = False
        return numbers.map(shaped).prefetch(1).with_options(options)

    @contextmanager
    def naming_photos(self) -> Iterator[None]:
        """Turns TensorFlow's error about a photo into the PhotoError that names it."""
        self.problem = None
        try:
            yield
        except Exception as error:
            if not type(error).__module__.startswith("tensorflow"):
                raise
            if self.problem is None:
                self._find_problem()
            if self.problem is None:
                raise
            raise self.problem from error

    def _find_problem(self) -> None:
        """Looks for the first photo that cannot be read, in their own order."""
        try:
            for path in self._paths:
                square_of_file(path, self.size)
        except PhotoError as error:
            self.problem = error

    def _begun(self, pool: ThreadPoolExecutor, places: Places) -> _Batch:
        pixels = _aligned((len(places), self.size, self.size, 3))
        shares = [range(first, len(places), self._readers) for first in range(self._readers)]
        futures = [pool.submit(self._read, pixels, places, share) for share in shares if share]
        return _Batch(places, pixels, futures)

    def _scout(self, places: Places) -> None:
        for place in places:
            if self._squares.needs_file(int(place)):
                _announce(self._paths[place])

    def _read(self, pixels: Pixels, places: Places, share: range) -> None:
        for row in share:
            place = int(places[row])
            self._squares.put(place, pixels[row], lambda path: square_of_file(path, self.size))

    def _whole(self, batch: _Batch) -> tuple[Pixels, Targets]:
        try:
            for future in batch.futures:
                future.result()
        except PhotoError as error:
            self.problem = error
            raise
        chosen = [self.photos[place] for place in batch.places]
        return batch.pixels, truth_matrix(chosen, self.labels).astype(np.float32)


def batches(
    photos: Sequence[Photo],
    labels: int,
    size: int,
    batch_size: int,
    *,
    seed: int = 0,
    epoch: int | None = None,
    cache: str | Path = "none",
) -> Any:
    """One epoch as a `tf.data.Dataset` of (pixels, targets), one element a batch.

    Pixels are `(batch, size, size, 3)` uint8, 0–255, RGB: each photo's centre square as
    `trainer.data.decode` makes it; targets `(batch, labels)` float32, 1 where the photo has the
    label. `epoch` numbers the order that `seed` gives; None keeps the photos' own. For several
    epochs, or a cache in memory, make one `Feed` and ask it for each.
    """
    return Feed(photos, labels, size, batch_size, seed, cache).epoch(epoch)


def _announce(path: Path) -> None:
    """Has the system fetch a file's bytes before a thread needs them; Linux only."""
    if not hasattr(os, "posix_fadvise") or type(path) is not type(Path()):
        return
    try:
        file = os.open(path, os.O_RDONLY)
    except OSError:
        return  # who reads the photo says what is wrong with it
    with suppress(OSError):
        os.posix_fadvise(file, 0, 0, os.POSIX_FADV_WILLNEED)
    os.close(file)


def _aligned(shape: tuple[int, ...]) -> Pixels:
    """An array that TensorFlow takes over without a copy."""
    count = math.prod(shape)
    memory = np.empty(count + TENSOR_ALIGNMENT_BYTES, np.uint8)
    start = -memory.ctypes.data % TENSOR_ALIGNMENT_BYTES
    return memory[start : start + count].reshape(shape)


class _Batch:
    """A batch whose pixels are being read."""

    def __init__(self, places: Places, pixels: Pixels, futures: list[Future[None]]) -> None:
        self.places, self.pixels, self.futures = places, pixels, futures
