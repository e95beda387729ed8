"""`trainer.data.manifest`: rows as photos, and orders that depend on data and seed alone."""

import json
from collections import Counter
from pathlib import Path

import pytest

from trainer.data.manifest import Photo, hold_out, read_photos, spread
from trainer.errors import DataError


def rows_file(folder: Path, name: str, rows: list[tuple[str, str | None]]) -> Path:
    """A data file with these photos and labels."""
    lines = []
    for uri, label in rows:
        row: dict[str, object] = {"imageGcsUri": uri}
        if label:
            row["classificationAnnotation"] = {"displayName": label}
        lines.append(json.dumps(row))
    path = folder / name
    path.write_text("\n".join(lines) + "\n")
    return path


def photos_of(counts: dict[int, int]) -> list[Photo]:
    """So many photos of each label."""
    return [
        Photo(f"gs://b/{label}-{n}", Path(f"/m/b/{label}-{n}"), label)
        for label, count in counts.items()
        for n in range(count)
    ]


def test_rows_become_photos_and_unlabelled_ones_are_counted(tmp_path: Path) -> None:
    """Labels are numbered in the task's order; rows without one and labels without any are told."""
    training = rows_file(tmp_path, "a", [("gs://b/1", "y"), ("gs://b/2", "x"), ("gs://b/3", None)])

    photos = read_photos({"training": [training]}, Path("/m"), ["x", "unused", "y"])

    assert photos.labels == ("x", "y")
    assert [photo.label for photo in photos.training] == [1, 0]
    assert photos.training[0].path == Path("/m/b/1")
    assert (photos.unlabelled, photos.unused_labels) == (1, ("unused",))


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("{", "rows, line 1: not JSON"),
        ('{"uri": 1}', "rows, line 1: imageGcsUri is missing"),
        ('{"imageGcsUri": "gs://b/1", "classificationAnnotations": [{}]}', "one label a photo"),
    ],
)
def test_a_bad_row_is_told_by_file_and_line(tmp_path: Path, line: str, sentence: str) -> None:
    """Nobody has to search for the row that is wrong."""
    (tmp_path / "rows").write_text(line)

    with pytest.raises(DataError, match=sentence):
        read_photos({"training": [tmp_path / "rows"]}, Path("/m"))


def test_labels_that_cannot_be_learned_are_refused(tmp_path: Path) -> None:
    """One label, a label the task does not list, and one without training photos are each told."""
    one = rows_file(tmp_path, "one", [("gs://b/1", "x")])
    two = rows_file(tmp_path, "two", [("gs://b/1", "x"), ("gs://b/2", "y")])

    with pytest.raises(DataError, match="at least two labels"):
        read_photos({"training": [one]}, Path("/m"))
    with pytest.raises(DataError, match="does not list: y"):
        read_photos({"training": [two]}, Path("/m"), ["x"])
    with pytest.raises(DataError, match="no training photo: y"):
        read_photos({"training": [one], "test": [two]}, Path("/m"))


def test_every_beginning_of_the_spread_has_all_labels() -> None:
    """A tenth of an unbalanced set keeps five of the rare label and the shares of the others."""
    photos = photos_of({0: 1000, 1: 500, 2: 12})

    beginning = Counter(photo.label for photo in spread(photos, 0)[:151])

    assert beginning[2] >= 5
    assert 1.8 < beginning[0] / beginning[1] < 2.2


def test_the_spread_depends_on_names_and_seed_not_on_row_order() -> None:
    """The same photos in another order, or from another bucket, are taken in the same order."""
    photos = photos_of({0: 30, 1: 20})
    moved = [Photo(p.uri.replace("gs://b", "gs://c"), p.path, p.label) for p in photos]

    expected = [photo.path for photo in spread(photos, 0)]

    assert [photo.path for photo in spread(reversed(moved), 0)] == expected
    assert [photo.path for photo in spread(photos, 1)] != expected


def test_training_photos_judge_when_no_others_can() -> None:
    """Without validation photos one in ten of a label is held out, never its only one."""
    taught, judges = hold_out(photos_of({0: 40, 1: 9, 2: 1}), [], 0)

    assert Counter(photo.label for photo in judges) == {0: 4, 1: 1}
    assert Counter(photo.label for photo in taught) == {0: 36, 1: 8, 2: 1}
