"""A CSV in Vertex's form, read as people write it."""

from pathlib import Path

import pytest

from ops.data.check import check
from ops.data.listing import Listing
from ops.data.sources import read_source
from tests.ops.photo_files import write_photos


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Photos a CSV can name."""
    return write_photos(tmp_path, {"cat": 10, "dog": 10})


def read(folder: Path, content: str | bytes, several: bool | None = None) -> Listing:
    """The listing of a CSV with this content beside the photos."""
    path = folder / "list.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_source(path, several)


def rows(listing: Listing) -> list[tuple[str, str, str | None]]:
    """Path from the CSV's folder, label and split of every row that can be used."""
    return [(c.source, c.labels[0], c.split) for c in listing.candidates]


def said(listing: Listing, folder: Path) -> list[str]:
    """The problems, with the test's own folder left off."""
    return [str(problem).replace(f"{folder}/", "") for problem in listing.problems]


def test_the_three_forms_of_a_row(folder: Path) -> None:
    """ML_USE, path and label; path and label; an empty ML_USE: all three are understood."""
    listing = read(folder, "TRAINING,cat/00.jpg,cat\ncat/01.jpg,cat\n,dog/00.jpg,dog\n")

    assert said(listing, folder) == []
    assert rows(listing) == [
        ("cat/00.jpg", "cat", "training"),
        ("cat/01.jpg", "cat", None),
        ("dog/00.jpg", "dog", None),
    ]


@pytest.mark.parametrize(
    "content",
    [
        b"test,cat/00.jpg,cat\r\nvalidation,dog/00.jpg,dog\r\n",
        b"\xef\xbb\xbftest,cat/00.jpg,cat\nvalidation,dog/00.jpg,dog",
        b"TEST;cat/00.jpg;cat\nVALIDATION;dog/00.jpg;dog\n",
        b"ML_USE,path,label\n\nTest, cat/00.jpg ,cat\nval,dog/00.jpg,dog\n\n",
        b"label,image_path,split\ncat,cat/00.jpg,testing\ndog,dog/00.jpg,VALID\n",
        b"test,cat/00.jpg,cat\rvalidation,dog/00.jpg,dog\r",
    ],
    ids=["windows-lines", "byte-order-mark", "semicolons", "header", "other-order", "old-mac"],
)
def test_what_spreadsheets_write(folder: Path, content: bytes) -> None:
    """Line ends, a byte order mark, semicolons, headings and blank lines change nothing."""
    listing = read(folder, content)

    assert said(listing, folder) == []
    assert rows(listing) == [("cat/00.jpg", "cat", "test"), ("dog/00.jpg", "dog", "validation")]


def test_absolute_paths_and_quotes(folder: Path) -> None:
    """A path may be absolute, and a quoted cell may hold a comma."""
    listing = read(folder, f'{folder}/cat/00.jpg,"cats, small"\n')

    assert rows(listing) == [("cat/00.jpg", "cats, small", None)]


def test_every_bad_row_is_told_by_its_line(folder: Path) -> None:
    """A bad ML_USE, two labels where one is wanted, a web address, no path: each by line."""
    listing = read(
        folder,
        "TRAINNING,cat/00.jpg,cat\n"
        "http://bucket/cat/01.jpg,cat\n"
        "test,cat/02.jpg,cat,dog\n"
        "gs://bucket,cat\n"
        "test,,cat\n"
        "cat/04.jpg,cat\n",
        several=False,
    )

    assert rows(listing) == [("cat/04.jpg", "cat", None)]
    assert said(listing, folder) == [
        "list.csv:1: ML_USE is “TRAINNING”. Write training, validation or test (or nothing).",
        "list.csv:2: http://bucket/cat/01.jpg is neither a path nor gs://BUCKET/OBJECT. "
        "Copy the photos to a folder here or to a bucket, and write their paths.",
        "list.csv:3: the photo has 2 labels (cat, dog). "
        "Keep one label for each photo, or leave out --single-label.",
        "list.csv:4: gs://bucket is neither a path nor gs://BUCKET/OBJECT. "
        "Copy the photos to a folder here or to a bucket, and write their paths.",
        "list.csv:5: the row names no photo. Write the path of the photo, or remove the row.",
    ]


def test_a_missing_file_is_told_by_line_and_path(folder: Path) -> None:
    """The check names the row of a photo that is not there, and goes on."""
    good = "".join(f"{label}/{i:02}.jpg,{label}\n" for label in ("cat", "dog") for i in range(10))
    checked = check(read(folder, good + "cat/99.jpg,cat\n"))

    assert [str(problem).replace(f"{folder}/", "") for problem in checked.problems] == [
        "list.csv:21 (cat/99.jpg): there is no such file. Correct the path or add the file."
    ]
    assert len(checked.photos) == 20


def test_a_wrong_encoding_is_told_by_line_and_byte(folder: Path) -> None:
    """Latin-1 in one line is one problem; the other lines are read."""
    listing = read(folder, b"cat/00.jpg,cat\ncat/01.jpg,caf\xe9\ndog/00.jpg,dog\n")

    assert said(listing, folder) == [
        "list.csv:2: byte 15 of the line (0xe9) is not UTF-8. Save the file as “CSV UTF-8”."
    ]
    assert [label for _, label, _ in rows(listing)] == ["cat", "dog"]


def test_utf_16_is_told_as_a_whole(folder: Path) -> None:
    """What Excel calls “Unicode text” is one problem, not one for each line."""
    listing = read(folder, "cat/00.jpg,cat\n".encode("utf-16"))

    assert said(listing, folder) == [
        "list.csv: the file is UTF-16; a list of photos is read as UTF-8. Save it as “CSV UTF-8”."
    ]


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"PK\x03\x04\0\xff\n" * 500, "binary, not text (it holds zero bytes)"),
        (b"cat/00.jpg,caf\xe9\n" * 21, "not UTF-8 in 21 lines"),
    ],
)
def test_what_is_no_list_at_all_is_told_once(folder: Path, content: bytes, what: str) -> None:
    """A spreadsheet named .csv, or Latin-1 throughout, is one problem and not hundreds."""
    listing = read(folder, content)

    assert listing.candidates == []
    assert said(listing, folder) == [
        f"list.csv: the file is {what}; a list of photos is read as UTF-8. Save it as “CSV UTF-8”."
    ]


def test_twenty_lines_that_are_not_utf_8_are_told_by_line(folder: Path) -> None:
    """So few can be corrected one by one."""
    assert len(said(read(folder, b"cat/00.jpg,caf\xe9\n" * 20), folder)) == 20


def test_a_list_of_nothing(folder: Path) -> None:
    """An empty CSV, or one of a heading alone, is a problem."""
    expected = ["list.csv: the file names no photos. Write a row per photo: path,label."]

    assert said(read(folder, ""), folder) == expected
    assert said(read(folder, "path,label\n"), folder) == expected
