"""Photos as the maps in the middle of a network, read once, for its frozen and its trained tail."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainer.embed import Embedder, View
from trainer.models.network import Floats, Network
from trainer.models.tail import split

EMBEDDED_AT_ONCE = 128
# Seconds, not minutes, between two lines of progress on a busy machine.
READ_AT_ONCE = 64

Map = NDArray[np.float16]


class MapsEmbedder:
    """Gives a network's features, as `Embedder` does, and keeps the maps that they came from."""

    def __init__(self, network: Network, layer: int) -> None:
        """`layer` is the first of the tail."""
        self.network, self.layer = network, layer
        front, self.tail = split(network, layer)
        self._reader = Embedder(front, maps=True)
        self._held: dict[Path, dict[bool, Map]] = {}

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

    def _some(
        self,
        paths: Sequence[Path],
        views: Sequence[View],
        listen: Callable[[int, int], None],
        keep_going: Callable[[], bool],
    ) -> Floats:
        read = self._reader.embed(paths, views, listen, keep_going)
        for path, taken, rows in zip(paths, views, read, strict=False):
            self._held.setdefault(path, {}).update(zip(taken, list(rows), strict=True))
        flat: Any = read.reshape(-1, *read.shape[2:])
        return self._embedded(flat).reshape(*read.shape[:2], self.network.width)

    def views(self, path: Path) -> list[Map]:
        """The maps of a photo that were read: its own first, then its mirror image's."""
        held = self._held.get(path, {})
        return [held[mirrored] for mirrored in (False, True) if mirrored in held]

    def _embedded(self, maps: Any) -> Floats:
        from trainer.export import embedded, tensorflow

        tf = tensorflow()
        parts = [
            embedded(self.tail, tf.cast(maps[start : start + EMBEDDED_AT_ONCE], tf.float32)).numpy()
            for start in range(0, len(maps), EMBEDDED_AT_ONCE)
        ]
        return np.concatenate(parts) if parts else np.zeros((0, self.network.width), np.float32)


def _onward(
    listen: Callable[[int, int], None], start: int, total: int
) -> Callable[[int, int], None]:
    """A listener to a part of the photos that tells how many there are of all."""
    return lambda done, _: listen(start + done, total)
