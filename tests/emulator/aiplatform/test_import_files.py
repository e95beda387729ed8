"""Import files of both forms, read along from a file and never held whole."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

from emulator.aiplatform.import_files import PIECE_BYTES, Row, read_rows


def rows(tmp_path: Path, name: str, content: bytes) -> list[Row]:
    """The rows of a file of that name and content."""
    path = tmp_path / "file"
    path.write_bytes(content)
    return list(read_rows(f"gs://bucket/{name}", path, multi_label=False))


def test_csv_with_marks_of_other_systems(tmp_path: Path) -> None:
    """A byte order mark, CRLF, quoted commas and blank lines are no part of a row."""
    content = b'\xef\xbb\xbfgs://b/a.jpg,cat\r\n\r\nTEST,"gs://b/b, c.jpg",dog\r\n'
    found = rows(tmp_path, "file.csv", content)
    assert [(row.uri, row.annotations) for row in found] == [
        ("gs://b/a.jpg", ("cat",)),
        ("gs://b/b, c.jpg", ("dog",)),
    ]
    assert found[1].where == "gs://bucket/file.csv, line 3"


def test_json_lines_end_with_line_feeds_alone(tmp_path: Path) -> None:
    """A line separator inside a JSON string does not end the row; blanks come before the brace."""
    content = '\n  {"imageGcsUri": "gs://b/a\u2028b.jpg"}\n'.encode()
    found = rows(tmp_path, "no-suffix", content)
    assert [(row.uri, row.problem) for row in found] == [("gs://b/a\u2028b.jpg", "")]


def test_a_byte_that_is_no_utf_8_is_told_by_its_place(tmp_path: Path) -> None:
    """Of a file that is not UTF-8 nothing is imported, wherever the byte is; also when cut."""
    line = b"gs://b/a.jpg,cat\n"
    long = line * (PIECE_BYTES // len(line) + 10)
    for content, place in (
        (b"\xff" + line, 0),
        (line + b"\xe9\n" + line, len(line)),
        (long + b"\xe9\n", len(long)),
        (line + "é".encode()[:1], len(line)),
    ):
        (row,) = rows(tmp_path, "file.csv", content)
        assert row.problem == f"The file is not UTF-8: byte {place}."


def test_a_character_across_two_pieces_is_read(tmp_path: Path) -> None:
    """A character whose bytes lie in two pieces of the check is one character."""
    start = b"gs://b/"
    content = start + b"x" * (PIECE_BYTES - len(start) - 1) + "é.jpg,cat\n".encode()
    (row,) = rows(tmp_path, "file.jsonl", content)
    assert row.problem.startswith("Not a row of image classification")


def test_a_large_file_is_read_along(tmp_path: Path) -> None:
    """Reading 4 MB of rows takes a fraction of that in memory."""
    path = tmp_path / "file"
    path.write_bytes(b"gs://bucket/%s.jpg,cat\n" % (b"folder/" * 60) * 9_000)
    tracemalloc.start()
    try:
        count = sum(1 for _ in read_rows("gs://bucket/file.csv", path, multi_label=False))
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert count == 9_000
    assert most < path.stat().st_size / 3
