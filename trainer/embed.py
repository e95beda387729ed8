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

from trainer.data.decode import square_of_file
from trainer.models.litert import Interpreter, embedding_model, maps_model
from trainer.models.network import Floats, Network

View = tuple[bool, ...]
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
        listen: Callable[[int, int], None] = ...,
        keep_going: Callable[[], bool] = ...,
    ) -> Floats:
        """Features `(photos, views, width)` of the files, in their order."""
        ...


class Embedder:
    """Reads photos from disk into features of one network; keeps its interpreters between calls.

    With `maps` the features are the last layer's maps themselves, as float16.
    """

    def __init__(self, network: Network, workers: int | None = None, maps: bool = False) -> None:
        self.network = network
        self._maps = maps
        count = workers or min(os.cpu_count() or 1, MAX_WORKERS)
        model = maps_model(network) if maps else embedding_model(network)
        self._interpreters = [Interpreter(model) for _ in range(count)]

    def embed(
        self,
        paths: Sequence[Path],
        views: Sequence[View],
        listen: Callable[[int, int], None] = lambda *_: None,
        keep_going: Callable[[], bool] = lambda: True,
    ) -> Floats:
        """Features `(photos, views, width)`, or `(photos, views, …)` of maps, in the files' order.

        `views` says for each photo which of its views to take, as many for each. When `keep_going`
        says no, the features of the first photos, as far as they are done, come back.
        Raises PhotoError for a file that cannot be read.
        """
        shape = (len(paths), len(views[0]) if views else 1, *self._interpreters[0].shape)
        features = np.zeros(shape, np.float16 if self._maps else np.float32)
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
                with lock:
                    listen(next(done), len(paths))
            return place

        with ThreadPoolExecutor(len(self._interpreters)) as pool:
            reached = list(pool.map(work, self._interpreters))
        return features[: min(*reached, len(paths))]
