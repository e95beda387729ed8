"""Folders of photos, laid out as people lay them out."""

from pathlib import Path

import pytest

from ops.data.check import check
from ops.data.photos import Named
from ops.data.sources import read_source
from tests.ops.photo_files import encoded, photo, picture, write_photos


@pytest.mark.parametrize(
    ("names", "understood"),
    [
        (
            ("train", "validation", "test"),
            "a folder per class under test/, train/ (training), validation/",
        ),
        (("Training", "val"), "a folder per class under Training/ (training), val/ (validation); "),
        (("train", "valid", "TEST"), "a folder per class under TEST/ (test), train/ (training), "),
    ],
)
def test_splits_by_whatever_name(tmp_path: Path, names: tuple[str, ...], understood: str) -> None:
    """Folders for the splits are known by the words people use, and it is said how."""
    for name in names:
        write_photos(tmp_path / name, {"cat": 1})

    listing = read_source(tmp_path)

    assert listing.understood.startswith(understood)
    assert [c.source.split("/")[0].lower()[:2] for c in listing.candidates] == [
        (c.split or "")[:2] for c in listing.candidates
    ]


def test_a_class_may_be_called_train(tmp_path: Path) -> None:
    """A folder named like a split that holds photos is a class beside the others."""
    write_photos(tmp_path, {"train": 2, "bus": 2})

    listing = read_source(tmp_path)

    assert listing.understood == "a folder per class"
    assert {c.labels[0] for c in listing.candidates} == {"train", "bus"}


def test_photos_may_lie_deeper(tmp_path: Path) -> None:
    """Folders inside a class folder belong to that class."""
    write_photos(tmp_path / "cat", {"black": 1, "white": 1})
    write_photos(tmp_path, {"dog": 1})

    assert [c.labels[0] for c in read_source(tmp_path).candidates] == ["cat", "cat", "dog"]


def test_hidden_and_other_files_are_ignored_and_counted(tmp_path: Path) -> None:
    """What systems leave behind is a number; a text beside the photos is named, not refused."""
    write_photos(tmp_path, {"cat": 10, "dog": 10})
    (tmp_path / ".DS_Store").write_bytes(b"x")
    (tmp_path / "cat/._00.jpg").write_bytes(b"x")
    (tmp_path / "cat/Thumbs.db").write_bytes(b"x")
    (tmp_path / "LICENSE").write_text("free")
    (tmp_path / "cat/notes.txt").write_text("nice cats")

    listing = read_source(tmp_path)
    checked = check(listing)

    assert (listing.hidden_files, checked.problems, len(checked.photos)) == (3, [], 20)
    assert checked.other_files == [str(tmp_path / "cat/notes.txt")]


def test_the_type_comes_from_the_bytes(tmp_path: Path) -> None:
    """A PNG named .jpg is stored as PNG, and a JPEG without a suffix is a photo."""
    write_photos(tmp_path, {"cat": 10, "dog": 10})
    (tmp_path / "cat/a.jpg").write_bytes(encoded(picture("a"), "PNG"))
    (tmp_path / "dog/scan").write_bytes(photo("scan"))
    (tmp_path / "dog/photo.dat").write_bytes(photo("dat"))

    kinds = {
        named.source.rpartition("/")[2]: named.photo.extension for named in check_all(tmp_path)
    }

    assert (kinds["a.jpg"], kinds["scan"], kinds["photo.dat"]) == ("png", "jpg", "jpg")


def test_the_same_photo_twice_is_kept_once_and_said(tmp_path: Path) -> None:
    """A repeated photo is a warning; one that is in test too stays in test alone."""
    write_photos(tmp_path / "train", {"cat": 10, "dog": 10})
    write_photos(tmp_path / "test", {"bird": 1})
    (tmp_path / "train/bird").mkdir()
    for index in range(9):
        (tmp_path / f"train/bird/{index}.jpg").write_bytes(photo(index))
    (tmp_path / "train/bird/same.jpg").write_bytes((tmp_path / "test/bird/00.jpg").read_bytes())
    (tmp_path / "train/dog/again.jpg").write_bytes((tmp_path / "train/dog/00.jpg").read_bytes())

    checked = check(read_source(tmp_path))

    assert checked.problems == []
    assert [warning.replace(f"{tmp_path}/", "") for warning in checked.warnings] == [
        "test/bird/00.jpg: kept in test once; the same photo is also train/bird/same.jpg.",
        "train/dog/00.jpg: kept once; the same photo is also train/dog/again.jpg.",
    ]


def test_a_hundred_times_as_many_is_a_warning(tmp_path: Path) -> None:
    """Vertex's advice on imbalance is passed on with both labels and their numbers."""
    write_photos(tmp_path, {"cat": 1_001, "emu": 10})

    assert check(read_source(tmp_path)).warnings == [
        "label “cat” has 1,001 photos and “emu” has 10: over 100 times as many. "
        "The model will hardly learn “emu”; add photos of it."
    ]


def test_labels_that_differ_in_case_or_spaces_only_are_a_warning(tmp_path: Path) -> None:
    """Two spellings are two classes, which is hardly ever meant."""
    write_photos(tmp_path, {"Dress": 10, "dress": 10, "shoe": 10})

    assert check(read_source(tmp_path)).warnings == [
        "labels “Dress” and “dress” differ in case or spaces only: they are 2 classes. "
        "Give them one name if they are one."
    ]


def check_all(folder: Path) -> list[Named]:
    """The good photos of a folder that has no problems."""
    checked = check(read_source(folder))
    assert checked.problems == []
    return checked.photos
