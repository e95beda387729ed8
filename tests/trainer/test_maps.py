"""`trainer.maps`: features read in parts, with their maps kept."""

from pathlib import Path

import numpy as np
import pytest

from tests.trainer.conftest import Rows
from trainer.embed import PHOTO, Embedder
from trainer.maps import READ_AT_ONCE, STEPS_BETWEEN, MapsEmbedder, Shelf
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
    np.testing.assert_array_equal(found[ends], whole)
    np.testing.assert_array_equal(embedder.features(photos[-1])[0], whole[-1, 0])
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


def test_what_memory_has_no_room_for_is_kept_in_a_file() -> None:
    """The same values come back, from memory and from the file, pages given back or not."""
    shelf = Shelf(most_bytes=5000)
    random = np.random.default_rng(0)
    made = [random.normal(size=(7, 11, 13)).astype(np.float16) for _ in range(5)]

    kept = [shelf.keep(values) for values in made]

    for _ in range(STEPS_BETWEEN):
        shelf.give_back()
    assert [again is values for again, values in zip(kept, made, strict=True)] == [
        True,
        True,
        False,
        False,
        False,
    ]
    for again, values in zip(kept, made, strict=True):
        np.testing.assert_array_equal(again, values)
