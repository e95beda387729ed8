"""Scores of many files by what serves: the server's own scorers, one a core, on photos' bytes."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from trainer.batching import Scorer
from trainer.errors import PhotoError
from trainer.models.network import Floats
from trainer.serving import Model, scorers


def scores_of_files(
    model: Model, paths: Sequence[Path], listen: Callable[[int, int], None] = lambda *_: None
) -> Floats:
    """Scores `(files, labels)` as a server that loaded the model gives them.

    `listen` hears `(done, total)`. Raises PhotoError, with the file's name, for one that cannot be
    read.
    """
    workers = scorers(model)
    scores = np.zeros((len(paths), len(model.labels)), np.float32)
    starts = itertools.count(0, workers[0].most)
    done, lock, failed = itertools.count(1), threading.Lock(), threading.Event()

    def work(scorer: Scorer) -> None:
        while (start := next(starts)) < len(paths) and not failed.is_set():
            chosen = paths[start : start + scorer.most]
            outcomes = scorer.score([path.read_bytes for path in chosen], alone=False)
            for place, outcome in enumerate(outcomes, start):
                if isinstance(outcome, Exception):
                    failed.set()
                    raise PhotoError(f"{paths[place].name}: {outcome}") from outcome
                scores[place] = outcome
                with lock:
                    listen(next(done), len(paths))

    with ThreadPoolExecutor(len(workers)) as pool:
        list(pool.map(work, workers))
    return scores
