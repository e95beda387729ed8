"""`bench.folds`: which photo is for what in which fold."""

import hashlib
from pathlib import Path

import pytest

from bench.folds import FOLDS, Photo, clothing_photos, fold_rows, split_of, standard_error

PHOTOS = [
    Photo(Path(f"{number}.jpg"), "shirt", hashlib.sha256(str(number).encode()).hexdigest())
    for number in range(2000)
]


def test_each_photo_is_tested_on_in_exactly_one_fold() -> None:
    """Over the folds every photo is a test photo once, and otherwise teaches or judges."""
    splits = [[split_of(photo.sha256, fold) for fold in range(FOLDS)] for photo in PHOTOS]

    assert {own.count("test") for own in splits} == {1}
    assert {split for own in splits for split in own} == {"training", "validation", "test"}


def test_a_fifth_tests_and_a_tenth_of_the_others_judge() -> None:
    """The shares are about those promised, in every fold."""
    for fold in range(FOLDS):
        splits = [row.split for row in fold_rows(PHOTOS, fold)]

        assert splits.count("test") == pytest.approx(400, abs=60)
        assert splits.count("validation") == pytest.approx(160, abs=45)


def test_equal_bytes_are_one_photo_and_names_do_not_matter(tmp_path: Path) -> None:
    """A copy is not counted twice, so it cannot teach what it is tested on."""
    for place in ("train/shirt/a.jpg", "test/shirt/b.jpg", "test/hat/c.jpg"):
        path = tmp_path / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(path.parent.name.encode())

    photos = clothing_photos(folder=tmp_path)

    assert sorted(photo.label for photo in photos) == ["hat", "shirt"]
    assert [photo.sha256 for photo in photos] == sorted(photo.sha256 for photo in photos)


def test_the_standard_error_is_that_of_a_share() -> None:
    """Of 90 right in 100 it is the root of 0.9 × 0.1 / 100."""
    assert standard_error([1.0] * 90 + [0.0] * 10) == pytest.approx(0.03)
