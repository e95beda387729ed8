"""The squares of photos as an array that is read when it is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from trainer.data.decode import square_of_file
from trainer.data.manifest import Photo
from trainer.data.resize import Pixels
from trainer.data.squares import MEMORY, NONE, squares_for

READERS = 2
# Beyond this, photos are decoded anew in each epoch: 0.7–1.2 ms each (2026-11-22); a step through a
# whole network takes many times that for a photo.
MOST_BYTES_KEPT = 2**30


class SquareArray:
    """Squares `(photos, size, size, 3)` uint8, each decoded at most once while all fit 1 GiB."""

    def __init__(self, photos: Sequence[Photo], size: int) -> None:
        fits = len(photos) * size * size * 3 <= MOST_BYTES_KEPT
        self._count, self._size = len(photos), size
        paths = [one.path for one in photos]
        self._squares = squares_for(MEMORY if fits else NONE, paths, size)
        self._pool = ThreadPoolExecutor(READERS)

    def __len__(self) -> int:
        """How many photos there are."""
        return self._count

    def __getitem__(self, places: Any) -> Pixels:
        """The squares at an array or a slice of places. Raises PhotoError for one not readable."""
        chosen = np.arange(self._count)[places]
        pixels = np.empty((len(chosen), self._size, self._size, 3), np.uint8)

        def put(row: int) -> None:
            self._squares.put(
                int(chosen[row]), pixels[row], lambda path: square_of_file(path, self._size)
            )

        list(self._pool.map(put, range(len(chosen))))
        return pixels
