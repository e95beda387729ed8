"""`trainer.transfer`: which head frozen features get."""

import numpy as np
import pytest

from trainer.errors import TrainingError
from trainer.models.network import rooted
from trainer.transfer import Features, fit, logits


def features(photos: int) -> Features:
    """Of three labels and one view each, none below 0."""
    random, labels = np.random.default_rng(0), np.arange(photos) % 3
    middles = random.uniform(0, 1, (3, 40))
    values = np.maximum(middles[labels] + random.normal(0, 0.3, (photos, 40)), 0)
    return Features(values[:, None].astype(np.float32), labels)


@pytest.mark.parametrize(("photos", "roots"), [(999, 1), (1000, 2)])
def test_heads_of_few_photos_see_single_roots(photos: int, roots: int) -> None:
    """Below a thousand photos; either is right about what taught it, by its own roots."""
    taught = features(photos)

    head = fit([taught], mirrored=False, classes=3)

    assert (head.roots, head.photos) == (roots, photos)
    answers = rooted(taught.values[:, 0], head.roots) @ head.weights + head.bias
    assert (answers.argmax(axis=1) == taught.labels).mean() > 0.95
    np.testing.assert_allclose(logits(head, taught, mirrored=False), answers, atol=1e-3)


def test_features_that_may_be_below_0_have_no_roots() -> None:
    """Asked for none, a head of few photos takes none either."""
    assert fit([features(30)], mirrored=False, classes=3, roots=0).roots == 0


@pytest.mark.parametrize("photos", [30, 1000])
def test_features_that_are_not_numbers_are_refused_by_name(photos: int) -> None:
    """Of weights that are too large for float32; either head would be of no use."""
    taught = features(photos)
    taught.values[7, 0, 3] = np.inf

    with pytest.raises(TrainingError, match="features that are not numbers"):
        fit([taught], mirrored=False, classes=3)
