"""The rule that the decoder used to train and the exported graph see the same photo.

The same label on at least 99.5 % and a mean difference of a score of at most 0.01, on a fixed
sample; otherwise what was chosen on validation would not be what is served. Labels within 0.001 of
the best are one, as in the deployment check (docs/adr/0002): of so close a race the last bit of a
sum decides, and of fewer than 200 photos a single one would stop a sound training.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from trainer.artifacts import LIKELY
from trainer.data.decode import square_of_file
from trainer.errors import ExportError
from trainer.models.litert import Interpreter
from trainer.models.network import Exportable, Floats

SAMPLE = 200
LEAST_SAME_LABEL = 0.995
MOST_MEAN_DIFFERENCE = 0.01
TIED = 0.001
ADVICE = (
    "The same training would end the same way: save the photos anew as JPEG or PNG in RGB, or make "
    "a custom training with another --model-type or --seed."
)


@dataclass(frozen=True)
class Agreement:
    """Photos compared, the share (0–1) with the same label, the mean |difference| of scores.

    Of models of several labels it is the share of (photo, label) pairs with the same yes or no (of
    two labels that are both sure, either may come first), a score within 0.001 of 0.5 being both.
    """

    photos: int
    same_label: float
    mean_difference: float

    def check(self) -> None:
        """Raises ExportError with the figures if the rule is broken."""
        if self.same_label < LEAST_SAME_LABEL or self.mean_difference > MOST_MEAN_DIFFERENCE:
            raise ExportError(
                f"The exported graph gives the same label on {self.same_label:.2%} of "
                f"{self.photos} photos (at least {LEAST_SAME_LABEL:.1%} needed) and its scores "
                f"differ by {self.mean_difference:.4f} on average (at most {MOST_MEAN_DIFFERENCE})."
                f" {ADVICE}"
            )


def compare(trained: Floats, exported: Floats, multi_label: bool = False) -> Agreement:
    """How far two sets of scores `(photos, labels)` agree."""
    if multi_label:
        same = (trained >= LIKELY) == (exported >= LIKELY)
        same |= (np.abs(trained - LIKELY) <= TIED) | (np.abs(exported - LIKELY) <= TIED)
    else:
        same = _behind(trained, exported) <= TIED
        same |= _behind(exported, trained) <= TIED
    return Agreement(len(trained), float(same.mean()), float(np.abs(trained - exported).mean()))


def _behind(scores: Floats, others: Floats) -> Floats:
    """How far `(photos,)` the label that the others put first is behind the best here, 0–1."""
    there = np.take_along_axis(scores, others.argmax(axis=1)[:, None], axis=1)[:, 0]
    gap: Floats = scores.max(axis=1) - there
    return gap


def trained_scores(classifier: Exportable, paths: Sequence[Path]) -> Floats:
    """Scores `(photos, labels)` as training saw the photos: its decoder, LiteRT arithmetic."""
    model = classifier.litert()
    workers = max(1, min(os.cpu_count() or 1, len(paths)))
    scores = np.zeros((len(paths), len(classifier.labels)), np.float32)
    places = itertools.count()

    def work(interpreter: Interpreter) -> None:
        while (place := next(places)) < len(paths):
            scores[place] = interpreter.run(square_of_file(paths[place], classifier.size))

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(work, [Interpreter(model) for _ in range(workers)]))
    return scores
