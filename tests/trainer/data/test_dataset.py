"""`trainer.data.dataset`: a manifest as `ops` writes it, or the line that is wrong."""

import json
from pathlib import Path
from typing import Any

import pytest

from trainer.data.dataset import read_dataset, write_labels
from trainer.errors import DataError


def row(name: str, label: str | list[str], split: str = "training") -> dict[str, Any]:
    """A manifest's row of a photo beside it."""
    labels = [label] if isinstance(label, str) else label
    return {"uri": name, "sha256": name * 2, "labels": labels, "split": split}


def manifest_of(folder: Path, rows: list[dict[str, Any]]) -> Path:
    """The file with these rows."""
    path = folder / "manifest.jsonl"
    path.write_text("\n".join(json.dumps(each, ensure_ascii=False) for each in rows), "utf-8")
    return path


def test_rows_become_photos_by_split(tmp_path: Path) -> None:
    """Bucket photos are below the mount, relative ones beside the manifest, unlabelled counted."""
    rows = [
        row("gs://b/images/1.jpg", "boot"),
        row("2.jpg", "hat"),
        row("3.jpg", "hat", "test"),
        row("4.jpg", [], ""),
    ]
    manifest = manifest_of(tmp_path, rows)
    (tmp_path / "labels.txt").write_text("hat\tМаска\nboot\tBoot\nscarf\tScarf\n", "utf-8")

    found = read_dataset(manifest, Path("/mnt"))

    assert found.photos.labels == ("hat", "boot")
    assert [photo.path for photo in found.photos.training] == [
        Path("/mnt/b/images/1.jpg"),
        tmp_path / "2.jpg",
    ]
    assert [photo.label for photo in found.photos.training] == [1, 0]
    assert (len(found.photos.test), found.photos.unlabelled, found.multi_label) == (1, 1, False)
    assert found.photos.unused_labels == ("scarf",)
    assert found.own_names["hat"] == "Маска"


def test_the_digest_is_that_of_the_format(tmp_path: Path) -> None:
    """Order and place of the rows do not matter; a label or a split does."""
    rows = [row("1.jpg", "a"), row("2.jpg", "b")]
    moved = [rows[1], {**rows[0], "uri": "gs://elsewhere/1.jpg"}]
    other = [rows[0], {**rows[1], "split": "test"}, row("3.jpg", "b")]

    digests = [
        read_dataset(manifest_of(tmp_path, each), tmp_path).digest for each in (rows, moved, other)
    ]

    assert digests[0] == digests[1] != digests[2]


def test_several_labels_are_noticed(tmp_path: Path) -> None:
    """One row with two labels makes the data set multi-label, unless the user says no."""
    rows = [row("1.jpg", ["a", "b"]), row("2.jpg", "b"), row("3.jpg", "a"), row("4.jpg", "a")]
    manifest = manifest_of(tmp_path, rows)

    found = read_dataset(manifest, tmp_path)

    assert found.multi_label
    assert found.photos.training[0].labels == (0, 1)
    with pytest.raises(DataError, match=r"1\.jpg has several labels, and --multi-label is no"):
        read_dataset(manifest, tmp_path, "no")


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("{", "manifest.jsonl, line 2: not JSON"),
        ("[]", "line 2: uri is missing. Received: []"),
        ('{"uri": "x", "labels": "a", "split": "test"}', "labels must be a list of names"),
        ('{"uri": "x", "labels": ["a"], "split": "train"}', "split must be one of training, val"),
    ],
)
def test_a_line_that_is_no_row_is_named(tmp_path: Path, line: str, sentence: str) -> None:
    """File and line, what a row needs, and what was received."""
    manifest = manifest_of(tmp_path, [row("1.jpg", "a")])
    manifest.write_text(manifest.read_text() + "\n" + line)

    with pytest.raises(DataError) as error:
        read_dataset(manifest, tmp_path)

    assert sentence in str(error.value)


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ([], "manifest.jsonl has no rows. Import photos first."),
        ([row("1.jpg", "a")], "Training needs photos of at least two labels. Received: ['a']"),
        (
            [row("1.jpg", "a"), row("2.jpg", "b", "test")],
            "These labels have no training photo: b. Give each some, or take its rows out: a model "
            "cannot answer what it never saw.",
        ),
    ],
)
def test_what_nothing_can_be_learned_from_is_refused(
    tmp_path: Path, rows: list[dict[str, Any]], sentence: str
) -> None:
    """No rows, one label, a label without a training photo."""
    with pytest.raises(DataError) as error:
        read_dataset(manifest_of(tmp_path, rows), tmp_path)

    assert str(error.value) == sentence


def test_bytes_that_are_no_text_are_named(tmp_path: Path) -> None:
    """A picture given as a manifest ends with file and line, not with a decoder's error."""
    manifest = tmp_path / "manifest.jsonl"
    manifest.write_bytes(b"\x89PNG\r\n\x1a\n\xff")

    with pytest.raises(DataError, match=r"manifest\.jsonl, line 1: not JSON"):
        read_dataset(manifest, tmp_path)


def test_a_label_that_the_list_lacks_is_refused(tmp_path: Path) -> None:
    """`labels.txt` and the rows must agree."""
    manifest = manifest_of(tmp_path, [row("1.jpg", "a"), row("2.jpg", "b")])
    (tmp_path / "labels.txt").write_text("a\tA\n")

    with pytest.raises(DataError, match=r"Rows have labels that labels\.txt does not list: b\."):
        read_dataset(manifest, tmp_path)


def test_a_missing_manifest_says_what_to_give(tmp_path: Path) -> None:
    """The path is named."""
    with pytest.raises(DataError, match=r"gone\.jsonl cannot be read .* Give --manifest"):
        read_dataset(tmp_path / "gone.jsonl", tmp_path)


def test_a_model_s_labels_keep_the_user_s_own_names(tmp_path: Path) -> None:
    """Safe name, tab, own name; a label without one is its own."""
    write_labels(tmp_path, ["hat", "boot"], {"hat": "Маска"})

    assert (tmp_path / "labels.txt").read_text("utf-8") == "hat\tМаска\nboot\tboot\n"
