"""The peer of other data: logistic regression on frozen features of the same training photos."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.jobs import SPLITS, Row

STRENGTHS = (1e-3, 1e-2, 1e-1, 1.0)
MOST_ITERATIONS = 300

Array = NDArray[Any]
Answers = dict[str, tuple[str, ...]]


def features(rows: Sequence[Row]) -> Array:
    """EfficientNet-Lite0's pooled features of the photos' centre squares: `(photos, 1280)`."""
    from trainer.embed import PHOTO, Embedder
    from trainer.models.efficientnet_lite import lite0

    paths = [row.path for row in rows]
    return np.asarray(Embedder(lite0()).embed(paths, [PHOTO] * len(paths)))[:, 0]


def answers(rows: Sequence[Row]) -> Answers:
    """What it says of each test photo, by path; its strength is chosen on validation photos.

    scikit-learn's `LogisticRegression`; of several labels a photo, one for each label, yes at 0.5.
    """
    several = any(len(row.labels) > 1 for row in rows)
    names = sorted({label for row in rows for label in row.labels})
    by_split = {split: [row for row in rows if row.split == split] for split in SPLITS}
    seen = {split: features(own) for split, own in by_split.items()}
    scale = seen["training"].std()
    truth = {split: marks(own, names) for split, own in by_split.items()}
    models = [
        fitted(seen["training"] / scale, truth["training"], strength, several)
        for strength in STRENGTHS
    ]
    shares = [
        float(
            (said(model, seen["validation"] / scale, several, names) == truth["validation"])
            .all(axis=1)
            .mean()
        )
        for model in models
    ]
    best = models[int(np.argmax(shares))]
    told = said(best, seen["test"] / scale, several, names)
    return {
        str(row.path): tuple(names[place] for place in np.flatnonzero(own))
        for row, own in zip(by_split["test"], told, strict=True)
    }


def marks(rows: Sequence[Row], names: Sequence[str]) -> Array:
    """Which photo has which label: `(photos, labels)`."""
    return np.array([[name in row.labels for name in names] for row in rows], bool)


def fitted(inputs: Array, truth: Array, strength: float, several: bool) -> Any:
    """The model of one strength (scikit-learn's C)."""
    from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]
    from sklearn.multiclass import OneVsRestClassifier  # type: ignore[import-untyped]

    one = LogisticRegression(C=strength, max_iter=MOST_ITERATIONS)
    if several:
        return OneVsRestClassifier(one).fit(inputs, truth.astype(int))
    return one.fit(inputs, truth.argmax(axis=1))


def said(model: Any, inputs: Array, several: bool, names: Sequence[str]) -> Array:
    """The model's yes for each photo and label."""
    if several:
        return np.asarray(model.predict(inputs), bool)
    first = np.asarray(model.predict(inputs))
    return np.asarray(first[:, None] == np.arange(len(names)))
