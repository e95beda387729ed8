"""`trainer.data.pipeline`: the same epoch is the same bytes, in any process and from any source."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from trainer.data.decode import square_of_file
from trainer.data.manifest import Photo
from trainer.data.pipeline import Feed, batches
from trainer.data.squares import squares_for
from trainer.errors import ConfigError, PhotoError

SIZE = 24


@pytest.fixture
def photos(tmp_path: Path, photo_bytes: Callable[..., bytes]) -> list[Photo]:
    """Twenty-three photos of three labels, one of them with two."""
    found = []
    for number in range(23):
        path = tmp_path / f"{number}.jpg"
        path.write_bytes(photo_bytes(size=(40 + number, 60)))
        found.append(Photo(path.name, path, number % 3, (2,) if number == 0 else ()))
    return found


def bytes_of(feed: Feed, epoch: int | None) -> str:
    """A digest of an epoch's pixels and targets, in order."""
    found = hashlib.sha256()
    for pixels, targets in feed.arrays(epoch):
        found.update(pixels.tobytes() + targets.tobytes())
    return found.hexdigest()


def test_batches_hold_each_photo_and_its_labels(photos: list[Photo]) -> None:
    """Given order, uint8 squares as the decoder makes them, targets of one or several labels."""
    found = [(pixels.numpy(), targets.numpy()) for pixels, targets in batches(photos, 3, SIZE, 10)]

    assert [len(pixels) for pixels, _ in found] == [10, 10, 3]
    pixels, targets = (np.concatenate(parts) for parts in zip(*found, strict=True))
    assert (str(pixels.dtype), str(targets.dtype)) == ("uint8", "float32")
    assert targets[:3].tolist() == [[1, 0, 1], [0, 1, 0], [0, 0, 1]]
    assert np.array_equal(pixels[7], square_of_file(photos[7].path, SIZE))
    assert int(batches(photos, 3, SIZE, 10).cardinality()) == 3


def test_seed_and_number_of_an_epoch_decide_its_bytes(photos: list[Photo]) -> None:
    """However many threads read: the same epoch again, another epoch or seed otherwise."""
    one, other = Feed(photos, 3, SIZE, 5, seed=1, readers=1), Feed(photos, 3, SIZE, 5, seed=1)

    assert bytes_of(one, 1) == bytes_of(other, 1) == bytes_of(other, 1)
    assert len({bytes_of(one, 1), bytes_of(one, 2), bytes_of(Feed(photos, 3, SIZE, 5, 2), 1)}) == 3
    assert sorted(other.order(9)) == list(range(23))


def test_an_epoch_goes_on_where_it_was_left(photos: list[Photo]) -> None:
    """`start` skips whole batches, and reads none of them."""
    feed = Feed(photos, 3, SIZE, 5)

    whole = list(feed.arrays(4))
    for place in feed.order(4)[:15]:
        photos[place].path.unlink()
    rest, graph = list(feed.arrays(4, start=3)), list(feed.epoch(4, start=3))

    assert [len(pixels) for pixels, _ in rest] == [5, 3]
    for before, after, in_graph in zip(whole[3:], rest, graph, strict=True):
        np.testing.assert_array_equal(before[0], after[0])
        np.testing.assert_array_equal(before[0], in_graph[0])


@pytest.mark.parametrize("kind", ["memory", "folder"])
def test_a_cache_changes_nothing_but_the_reading(
    photos: list[Photo], tmp_path: Path, kind: str
) -> None:
    """The photos are gone after the first epoch, and later epochs are as without a cache."""
    cache = "memory" if kind == "memory" else tmp_path / "cache"
    plain = [bytes_of(Feed(photos, 3, SIZE, 5), epoch) for epoch in (1, 2)]
    feed = Feed(photos, 3, SIZE, 5, cache=cache)
    first = bytes_of(feed, 1)
    again = bytes_of(Feed(photos, 3, SIZE, 5, cache=cache), 2)
    for photo in photos:
        photo.path.unlink()

    assert [first, bytes_of(feed, 2)] == plain
    assert again == plain[1]


def test_a_changed_photo_is_not_taken_from_an_old_cache(
    photos: list[Photo], tmp_path: Path, photo_bytes: Callable[..., bytes]
) -> None:
    """The cache belongs to the files as they were."""
    before = bytes_of(Feed(photos, 3, SIZE, 5, cache=tmp_path / "cache"), None)
    photos[0].path.write_bytes(photo_bytes(size=(90, 61)))

    after = bytes_of(Feed(photos, 3, SIZE, 5, cache=tmp_path / "cache"), None)

    assert before != after == bytes_of(Feed(photos, 3, SIZE, 5), None)


def test_a_cache_whose_squares_were_deleted_is_filled_anew(
    photos: list[Photo], tmp_path: Path
) -> None:
    """What the other file says is kept is not there: no photo comes back black."""
    before = bytes_of(Feed(photos, 3, SIZE, 5, cache=tmp_path / "cache"), None)
    for pixels in (tmp_path / "cache").glob("*.pixels"):
        pixels.unlink()

    assert bytes_of(Feed(photos, 3, SIZE, 5, cache=tmp_path / "cache"), None) == before


def test_files_are_asked_for_until_their_squares_are_kept(photos: list[Photo]) -> None:
    """A kept square's file need not be fetched ahead; without a cache each is, every epoch."""
    paths, target = [photo.path for photo in photos], np.empty((SIZE, SIZE, 3), np.uint8)
    kept, not_kept = squares_for("memory", paths, SIZE), squares_for("none", paths, SIZE)

    for squares in (kept, not_kept):
        assert squares.needs_file(3)
        squares.put(3, target, lambda path: square_of_file(path, SIZE))

    assert [kept.needs_file(3), kept.needs_file(4), not_kept.needs_file(3)] == [False, True, True]


def test_another_failure_is_not_taken_for_an_earlier_photo(photos: list[Photo]) -> None:
    """A photo that could not be read is no reason for what goes wrong later."""
    photos[11].path.write_bytes(b"")
    feed = Feed(photos, 3, SIZE, 5)
    with pytest.raises(PhotoError):
        list(feed.arrays())

    with pytest.raises(KeyError, match="another"), feed.naming_photos():
        raise KeyError("another")


def test_a_photo_that_cannot_be_read_is_named(photos: list[Photo]) -> None:
    """As arrays and through TensorFlow, whose own error would only tell a traceback."""
    photos[11].path.write_bytes(b"")
    feed = Feed(photos, 3, SIZE, 5, seed=3)

    with pytest.raises(PhotoError, match=r"^11\.jpg: the file is empty"):
        list(feed.arrays(1))
    with pytest.raises(PhotoError, match=r"^11\.jpg: the file is empty"), feed.naming_photos():
        list(feed.epoch(1))


def test_a_cache_that_cannot_be_written_is_told(photos: list[Photo]) -> None:
    """The folder is named before any photo is read."""
    with pytest.raises(ConfigError, match=r"The cache .*0\.jpg cannot be written"):
        Feed(photos, 3, SIZE, 5, cache=photos[0].path)


def test_no_photos_are_no_batches() -> None:
    """An empty split is an empty epoch."""
    assert list(batches([], 3, SIZE, 5)) == []
