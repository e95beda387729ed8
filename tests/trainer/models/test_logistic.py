"""`trainer.models.logistic`: the head of few photos."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]

from trainer.models.linear import discriminant
from trainer.models.logistic import PENALTY, logistic

Data = tuple[np.ndarray, np.ndarray]


def clouds(photos: int, width: int, labels: int = 10, seed: int = 1) -> Data:
    """Points `(photos, width)` around each label's middle, the same middles for every seed."""
    middles = np.random.default_rng(0).normal(0, 0.15, (labels, width))
    random, own = np.random.default_rng(seed), np.arange(photos) % labels
    return (middles[own] + random.normal(0, 1, (photos, width))).astype(np.float32), own


def test_the_optimum_is_scikit_learns() -> None:
    """The same weights as its solver finds, on features of another scale and middle."""
    features, labels = clouds(120, 300)
    features = features * 7 + 3
    values = features.astype(np.float64)
    scale = np.sqrt(values.var(axis=0).sum())
    peer = LogisticRegression(C=1 / PENALTY, tol=1e-10, max_iter=5000)
    peer.fit((values - values.mean(axis=0)) / scale, labels)

    weights, bias = logistic(features, labels, 10)

    assert weights * scale == pytest.approx(peer.coef_.T, abs=1e-3)
    logits = values @ weights + bias
    expected = peer.decision_function((values - values.mean(axis=0)) / scale)
    assert logits - logits.mean(axis=1, keepdims=True) == pytest.approx(
        expected - expected.mean(axis=1, keepdims=True), abs=1e-2
    )


def test_of_few_photos_it_is_right_more_often_than_a_discriminant() -> None:
    """Eight photos a label and 400 features."""
    features, labels = clouds(80, 400)
    asked, true = clouds(1000, 400, seed=2)
    right = {}
    for solve in (logistic, discriminant):
        weights, bias = solve(features, labels, 10)
        right[solve] = ((asked @ weights + bias).argmax(axis=1) == true).mean()

    assert right[logistic] > right[discriminant] + 0.01


def test_a_label_without_photos_is_answered_last() -> None:
    """Three labels, none of the third: it is never the first answer, and everything is finite."""
    features, labels = clouds(40, 50, labels=2)
    weights, bias = logistic(features, labels, 3)

    logits = features @ weights + bias
    assert np.isfinite(logits).all()
    assert set(logits.argmax(axis=1)) == {0, 1}


@pytest.mark.parametrize("photos", [1, 2, 5])
def test_photos_that_are_all_alike_give_the_shares_of_their_labels(photos: int) -> None:
    """Nothing tells them apart, so the weights are 0 and the bias says how often each is seen."""
    labels = np.arange(photos) % 2
    weights, bias = logistic(np.ones((photos, 8), np.float32), labels, 2)

    assert not weights.any()
    assert np.isfinite(bias).all()
    shares = np.exp(bias) / np.exp(bias).sum()
    if photos > 1:
        assert shares == pytest.approx(np.bincount(labels, minlength=2) / photos, abs=1e-3)
