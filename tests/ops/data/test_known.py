"""Photos that did not change are not read again, and a photo that did change always is."""

import os
import sqlite3
import time
from dataclasses import replace
from pathlib import Path

import pytest

from ops.data.check import check
from ops.data.known import KnownPhotos
from ops.data.photos import Photo, check_photo
from ops.data.places import signature
from ops.data.sources import read_source
from tests.ops.photo_files import photo, write_photos


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Photos that were written an hour ago; what was checked is remembered beside them."""
    write_photos(tmp_path / "pets", {"cat": 10, "dog": 10})
    for path in (tmp_path / "pets").glob("*/*.jpg"):
        _age(path)
    return tmp_path / "pets"


def _age(path: Path) -> None:
    hour_ago = time.time() - 3600
    os.utime(path, (hour_ago, hour_ago))


def remembered(folder: Path, *, settled: bool = True) -> KnownPhotos:
    """What a second run knows of this folder's photos."""
    listing = read_source(folder)
    store = folder.parent / "photos.sqlite"
    first = KnownPhotos()
    for candidate in listing.candidates:
        seen = signature(candidate.place)
        assert seen is not None
        # The times of the inode cannot be set back: a settled file is one that was long there.
        hour_ago = int((time.time() - 3600) * 1e9)
        first.add((*seen[:4], hour_ago) if settled else seen, check_photo(candidate.place))
    first.save(store)
    return KnownPhotos.load(store, [candidate.place for candidate in listing.candidates])


def known(photos: KnownPhotos, path: Path) -> Photo | None:
    """What is known of a file whose inode's time is as `remembered` wrote it."""
    seen = signature(path)
    found = photos._known.get(str(path.absolute()))
    assert seen is not None
    return photos.get(path, (*seen[:4], found[0][4]) if found else seen)


def test_an_unchanged_photo_is_known(folder: Path) -> None:
    """All that was found out about a photo is there in the next run."""
    path = folder / "cat/03.jpg"

    assert known(remembered(folder), path) == check_photo(path)


def test_a_changed_photo_is_not_known(folder: Path) -> None:
    """Other bytes of the same length under the same time of writing are still told apart."""
    photos, path = remembered(folder), folder / "cat/03.jpg"
    before = path.stat()
    path.write_bytes(bytes(before.st_size))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))

    assert photos.get(path, signature(path)) is None


def test_a_photo_just_written_is_not_remembered(folder: Path) -> None:
    """A file that may still be written to is read again in the next run."""
    assert known(remembered(folder, settled=False), folder / "cat/03.jpg") is None


def test_what_another_version_found_is_not_used(folder: Path) -> None:
    """Other rules, or another Pillow, and every photo is looked at anew."""
    store = folder.parent / "photos.sqlite"
    remembered(folder)
    with sqlite3.connect(store) as database:
        database.execute("UPDATE photos SET signature = replace(signature, '[2,', '[0,')")

    assert known(KnownPhotos.load(store, [folder / "cat/03.jpg"]), folder / "cat/03.jpg") is None


def test_a_broken_store_is_no_store(folder: Path) -> None:
    """A store that is not a database costs time and nothing else."""
    store = folder.parent / "photos.sqlite"
    store.write_bytes(b"not a database, but long enough to be looked at" * 100)

    photos = KnownPhotos.load(store, [folder / "cat/03.jpg"])
    photos.add((0, 0, 0, 0, 0), check_photo(folder / "cat/03.jpg"))
    photos.save(store)

    assert known(photos, folder / "cat/03.jpg") is None


def test_a_check_takes_what_is_known(folder: Path) -> None:
    """A known photo's file is not read: the check reports what was remembered of it."""
    path = folder / "cat/03.jpg"
    seen = signature(path)
    assert seen is not None
    told = replace(check_photo(path), width=4321)

    checked = check(read_source(folder), known=KnownPhotos({str(path): (seen, told)}))

    assert [n.photo.width for n in checked.photos if n.photo.place == path] == [4321]
    assert {n.photo.width for n in checked.photos if n.photo.place != path} == {24}


def test_a_check_finds_a_replaced_photo(folder: Path) -> None:
    """A photo that was replaced since is read, and known by its new bytes."""
    path = folder / "cat/03.jpg"
    seen = signature(path)
    assert seen is not None
    photos = KnownPhotos({str(path): (seen, check_photo(path))})
    path.write_bytes(photo("another"))

    checked = check(read_source(folder), known=photos)

    found = [n.photo for n in checked.photos if n.photo.place == path]
    assert found == [check_photo(path)]
