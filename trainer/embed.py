"""Frozen features of many photos, fast: as many single-threaded interpreters as there are cores.

Two interpreters of one thread each read twice as many photos a second as one of two threads, and
each photo's numbers do not depend on how the work was shared out.
"""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from trainer.data.decode import square_of_file
from trainer.models.litert import Interpreter, embedding_model, maps_model
from trainer.models.network import Floats, Network

View = tuple[bool, ...]
Listener = Callable[[int, int], None]
KeepGoing = Callable[[], bool]
Maps = NDArray[np.float16]
PHOTO: View = (False,)
MIRROR: View = (True,)
PHOTO_AND_MIRROR: View = (False, True)
MAX_WORKERS = 16


class Reader(Protocol):
    """Gives features of photos by one network."""

    network: Network

    def embed(
        self,
        paths: Sequence[Path],
        views: Sequence[View],
        listen: Listener = ...,
        keep_going: KeepGoing = ...,
    ) -> Floats:
        """Features `(photos, views, width)` of the files, in their order."""
        ...


class Embedder:
    """Reads photos from disk into features of one network; keeps its interpreters between calls.

    With `layer` the maps that this layer reads are handed over too (`read`).
    """

    def __init__(
        self, network: Network, workers: int | None = None, layer: int | None = None
    ) -> None:
        self.network = network
        count = workers or min(os.cpu_count() or 1, MAX_WORKERS)
        model = embedding_model(network) if layer is None else maps_model(network, layer)
        self._interpreters = [Interpreter(model) for _ in range(count)]

    def embed(
        self,
        paths: Sequence[Path],
        views: Sequence[View],
        listen: Listener = lambda *_: None,
        keep_going: KeepGoing = lambda: True,
    ) -> Floats:
        """Features `(photos, views, width)`, in the files' order.

        `views` says for each photo which of its views to take, as many for each. When `keep_going`
        says no, the features of the first photos, as far as they are done, come back.
        Raises PhotoError for a file that cannot be read.
        """
        return self.read(paths, views, listen, keep_going)[0]

    def read(
        self,
        paths: Sequence[Path],
        views: Sequence[View],
        listen: Listener = lambda *_: None,
        keep_going: KeepGoing = lambda: True,
    ) -> tuple[Floats, Maps]:
        """Features as `embed` gives them, and maps `(photos, views, height, width, channels)`.

        Without a `layer` the maps are empty.
        """
        first = self._interpreters[0]
        shape = (len(paths), len(views[0]) if views else 1)
        features = np.zeros((*shape, *first.shape), np.float32)
        maps = np.zeros((*shape, *(first.second_shape or (0,))), np.float16)
        places, done, lock = itertools.count(), itertools.count(1), threading.Lock()
        failed = threading.Event()

        def work(interpreter: Interpreter) -> int:
            while (place := next(places)) < len(paths) and keep_going() and not failed.is_set():
                try:
                    pixels = square_of_file(paths[place], self.network.size)
                except Exception:
                    failed.set()
                    raise
                for row, mirrored in enumerate(views[place]):
                    view = pixels[:, ::-1] if mirrored else pixels
                    features[place, row] = interpreter.run(view)
                    if interpreter.second_shape:
                        maps[place, row] = interpreter.second()
                with lock:
                    listen(next(done), len(paths))
            return place

        with ThreadPoolExecutor(len(self._interpreters)) as pool:
            reached = list(pool.map(work, self._interpreters))
        count = min(*reached, len(paths))
        return features[:count], maps[:count]
