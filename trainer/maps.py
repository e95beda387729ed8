"""Photos as the maps in the middle of a network, read once, for its frozen and its trained tail."""

from __future__ import annotations

import mmap
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainer.embed import Embedder, View
from trainer.models.network import Floats, Network
from trainer.models.tail import split

# Seconds, not minutes, between two lines of progress on a busy machine.
READ_AT_ONCE = 64
# Above it maps go to a file: the whole job is to stay below 2.5 GB, of which TensorFlow takes 1.
MOST_BYTES_IN_MEMORY = 512 * 2**20
STEPS_BETWEEN = 64

Map = NDArray[np.float16]


class MapsEmbedder:
    """Gives a network's features, as `Embedder` does, and keeps the maps that a layer reads."""

    def __init__(
        self, network: Network, layer: int, most_bytes: int = MOST_BYTES_IN_MEMORY
    ) -> None:
        """`layer` is the first of the tail; maps above `most_bytes` are kept in a file."""
        self.network, self.layer = network, layer
        self.tail = split(network, layer)[1]
        self._reader = Embedder(network, layer=layer)
        self._shelf = Shelf(most_bytes)
        self._held: dict[Path, dict[bool, Map]] = {}
        self._features: dict[Path, dict[bool, Floats]] = {}

    def embed(
        self,
        paths: Sequence[Path],
        views: Sequence[View],
        listen: Callable[[int, int], None] = lambda *_: None,
        keep_going: Callable[[], bool] = lambda: True,
    ) -> Floats:
        """Features `(photos, views, width)` of the files; see `Embedder.embed`."""
        parts: list[Floats] = []
        for start in range(0, max(len(paths), 1), READ_AT_ONCE):
            some = paths[start : start + READ_AT_ONCE]
            taken = views[start : start + READ_AT_ONCE]
            onward = _onward(listen, start, len(paths))
            parts.append(self._some(some, taken, onward, keep_going))
            if len(parts[-1]) < len(some):
                break
        return np.concatenate(parts)

    def look_up(self) -> None:
        """To be called now and then while maps are read, so that memory stays small."""
        self._shelf.give_back()

    def views(self, path: Path) -> list[Map]:
        """The maps of a photo that were read: its own first, then its mirror image's."""
        held = self._held.get(path, {})
        return [held[mirrored] for mirrored in (False, True) if mirrored in held]

    def features(self, path: Path) -> list[Floats]:
        """The features `(width,)` of the same views, by the frozen network."""
        held = self._features.get(path, {})
        return [held[mirrored] for mirrored in (False, True) if mirrored in held]

    def _some(
        self,
        paths: Sequence[Path],
        views: Sequence[View],
        listen: Callable[[int, int], None],
        keep_going: Callable[[], bool],
    ) -> Floats:
        features, maps = self._reader.read(paths, views, listen, keep_going)
        kept = self._shelf.keep(maps)
        for path, taken, row, known in zip(paths, views, kept, features, strict=False):
            self._held.setdefault(path, {}).update(zip(taken, list(row), strict=True))
            self._features.setdefault(path, {}).update(zip(taken, list(known), strict=True))
        return features


class Shelf:
    """Arrays in memory up to a size, then in a file that nobody else sees and that leaves no trace.

    What is in the file is read through memory maps, whose pages are given back now and then, so
    that the process stays small however large the file is.
    """

    def __init__(self, most_bytes: int) -> None:
        self._left, self._size, self._looked_up = most_bytes, 0, 0
        self._file: Any = None
        self._mapped: list[mmap.mmap] = []

    def keep(self, values: Map) -> Map:
        """The same values, wherever they are kept. Raises OSError where the disk is full."""
        self._left -= values.nbytes
        if self._left >= 0 or not values.size:
            return values
        self._file = self._file or tempfile.TemporaryFile(prefix="trainer-maps-")  # noqa: SIM115
        start = self._size
        self._size += -(-values.nbytes // mmap.ALLOCATIONGRANULARITY) * mmap.ALLOCATIONGRANULARITY
        # Written, not only reserved: a disk that is full is an error now, not a signal later.
        self._file.seek(start)
        self._file.write(np.ascontiguousarray(values).data)
        self._file.truncate(self._size)
        self._file.flush()
        mapped = mmap.mmap(self._file.fileno(), values.nbytes, offset=start, prot=mmap.PROT_READ)
        self._mapped.append(mapped)
        return np.frombuffer(mapped, values.dtype).reshape(values.shape)

    def give_back(self) -> None:
        """Gives the file's pages back to the machine, at some of the calls."""
        self._looked_up += 1
        if self._mapped and self._looked_up % STEPS_BETWEEN == 0:
            for mapped in self._mapped:
                mapped.madvise(mmap.MADV_DONTNEED)


def _onward(
    listen: Callable[[int, int], None], start: int, total: int
) -> Callable[[int, int], None]:
    """A listener to a part of the photos that tells how many there are of all."""
    return lambda done, _: listen(start + done, total)
