"""`trainer.maps`: features read in parts, with their maps kept."""

from pathlib import Path

import numpy as np
import pytest

from tests.trainer.conftest import Rows
from trainer.embed import PHOTO, Embedder
from trainer.maps import READ_AT_ONCE, MapsEmbedder
from trainer.models.efficientnet_lite import lite0, tail_layer


@pytest.fixture(scope="module")
def photos(digit_rows: Rows) -> list[Path]:
    """Two more digits than are read at once."""
    return [path for path, _ in digit_rows["training"][: READ_AT_ONCE + 2]]


@pytest.fixture(scope="module")
def embedder() -> MapsEmbedder:
    """Lite0, cut where its tail begins."""
    return MapsEmbedder(lite0(), tail_layer())


@pytest.mark.training
def test_photos_in_parts_are_told_of_all_and_give_the_features_of_the_whole(
    photos: list[Path], embedder: MapsEmbedder
) -> None:
    """Each photo is told once, as so many of all; features are those of the uncut network."""
    told: list[tuple[int, int]] = []

    found = embedder.embed(photos, [PHOTO] * len(photos), lambda *line: told.append(line))

    ends = [0, -1]
    whole = Embedder(lite0()).embed([photos[end] for end in ends], [PHOTO] * 2)
    assert sorted(told) == [(done, len(photos)) for done in range(1, len(photos) + 1)]
    assert found.shape == (len(photos), 1, 1280)
    np.testing.assert_allclose(found[ends], whole, atol=0.02)
    assert all(len(embedder.views(path)) == 1 for path in photos)


@pytest.mark.training
def test_time_that_is_over_leaves_the_first_photos(
    photos: list[Path], embedder: MapsEmbedder
) -> None:
    """Asked to stop after five photos, it does not begin the next part; no photos, no features."""
    told: list[int] = []

    found = embedder.embed(
        photos, [PHOTO] * len(photos), lambda done, _: told.append(done), lambda: len(told) < 5
    )

    assert 5 <= len(found) < READ_AT_ONCE
    assert embedder.embed([], []).shape[0] == 0
