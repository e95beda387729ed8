"""A local CSV in Vertex's form, `[ML_USE,]PATH[,LABEL]`, with paths on this machine."""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ops.data.formats import PHOTO_SUFFIXES
from ops.data.listing import Candidate, Listing, shown
from ops.data.split import SPLIT_WORDS

_HEADER_WORDS = {
    "ml_use": "ml_use use usage split set subset",
    "path": "path file filename file_name filepath file_path image image_path photo gcs_file_path",
    "label": "label labels class category target",
}
_ROLE = {word: role for role, words in _HEADER_WORDS.items() for word in words.split()}
_NO_SPLIT = ("", "unassigned")
LOOKED_AT_BYTES = 4096
# From so many lines on it is one problem of the file, not one of each line.
MOST_BAD_LINES = 20
_ML_USE_FIX = "Write training, validation or test (or nothing)."


@dataclass(frozen=True, slots=True)
class _Row:
    """One line's cells by what they are; `ml_use` as it was written."""

    where: str
    ml_use: str
    path: str
    labels: tuple[str, ...]


def list_table(listing: Listing) -> None:
    """Fills the listing from `listing.source`, a CSV; a row that cannot be used is a problem."""
    try:
        content = listing.source.read_bytes()
    except OSError as cause:
        listing.problem(
            shown(str(listing.source)),
            f"the file cannot be read ({cause.strerror}).",
            f"Type chmod u+r {shown(str(listing.source))}.",
            skippable=False,
        )
        return
    other = _no_list(content)
    if other:
        listing.problem(
            shown(str(listing.source)),
            f"the file is {other}; a list of photos is read as UTF-8.",
            "Save it as “CSV UTF-8”.",
            skippable=False,
        )
        return
    header: list[str] | None = None
    for number, cells in _rows(listing, content):
        if header is None:
            header = _header(cells)
            if header:
                continue
        row = _understood(f"{shown(str(listing.source))}:{number}", cells, header, listing.source)
        _add(listing, row)
    listing.understood = "a list of photos" + (
        f" with columns {', '.join(header)}" if header else " ([ML_USE,] path, label)"
    )
    if not listing.candidates and not listing.problems:
        listing.problem(
            shown(str(listing.source)),
            "the file names no photos.",
            "Write a row per photo: path,label.",
            skippable=False,
        )


def _no_list(content: bytes) -> str:
    """What the file is as a whole, when that is no text in UTF-8; empty for a list of photos."""
    if content[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        return "UTF-16"
    if b"\0" in content[:LOOKED_AT_BYTES]:
        return "binary, not text (it holds zero bytes)"
    bad = sum(not _is_utf8(line) for line in content.splitlines())
    return f"not UTF-8 in {bad:,} lines" if bad > MOST_BAD_LINES else ""


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _rows(listing: Listing, content: bytes) -> Iterator[tuple[int, list[str]]]:
    """(line number, cells) of each line that is not blank; a wrong encoding is a problem."""
    lines = list(_lines(listing, content))
    reader = csv.reader(lines, delimiter=_delimiter(lines), skipinitialspace=True)
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as cause:
            listing.problem(
                f"{shown(str(listing.source))}:{reader.line_num}",
                f"not a row of a CSV ({cause}).",
                "Correct the quotes.",
            )
            continue
        cells = [cell.strip() for cell in cells]
        if any(cells):
            yield reader.line_num, cells


def _lines(listing: Listing, content: bytes) -> Iterator[str]:
    content = content.removeprefix(codecs.BOM_UTF8)
    content = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    for number, line in enumerate(content.split(b"\n"), start=1):
        try:
            yield line.decode("utf-8") + "\n"
        except UnicodeDecodeError as cause:
            listing.problem(
                f"{shown(str(listing.source))}:{number}",
                f"byte {cause.start + 1} of the line (0x{line[cause.start]:02x}) is not UTF-8.",
                "Save the file as “CSV UTF-8”.",
            )
            yield "\n"


def _delimiter(lines: Sequence[str]) -> str:
    """Comma, or what Excel writes in countries with a decimal comma, or a tab."""
    first = next((line for line in lines if line.strip()), "")
    return max(",;\t", key=first.count)


def _header(cells: Sequence[str]) -> list[str]:
    """The role of each column, when every cell is a known heading; else an empty list."""
    roles = [_ROLE.get(cell.lower().replace(" ", "_"), "") for cell in cells]
    return roles if all(roles) and "path" in roles else []


def _understood(where: str, cells: list[str], header: list[str] | None, source: Path) -> _Row:
    if header:
        named = [*zip(header, cells, strict=False)]
        labels = tuple(cell for role, cell in named if role == "label" and cell)
        found = dict(named)
        return _Row(where, found.get("ml_use", ""), found.get("path", ""), labels)
    if len(cells) > 1 and _has_ml_use(cells, source):
        return _Row(where, cells[0], cells[1], tuple(cell for cell in cells[2:] if cell))
    return _Row(where, "", cells[0], tuple(cell for cell in cells[1:] if cell))


def _has_ml_use(cells: Sequence[str], source: Path) -> bool:
    """Whether the first cell stands for the split, rightly or wrongly written."""
    first, second = cells[0], cells[1]
    if first.lower() in SPLIT_WORDS or first.lower() in _NO_SPLIT:
        return True
    return _is_path(second, source) and not _is_path(first, source)


def _is_path(cell: str, source: Path) -> bool:
    return Path(cell).suffix.lower() in PHOTO_SUFFIXES or (
        bool(cell) and "\0" not in cell and (source.parent / cell).is_file()
    )


def _add(listing: Listing, row: _Row) -> None:
    problem = _problem_of(row)
    if problem is not None:
        listing.problem(row.where, *problem)
        return
    listing.candidates.append(
        Candidate(
            path=listing.source.parent / row.path,
            where=f"{row.where} ({shown(row.path)})",
            label=shown(row.labels[0]),
            split=SPLIT_WORDS.get(row.ml_use.lower()),
        )
    )


def _problem_of(row: _Row) -> tuple[str, str] | None:
    """(what, fix) of the first thing that is wrong with a row; None for a good one."""
    if row.ml_use.lower() not in SPLIT_WORDS and row.ml_use.lower() not in _NO_SPLIT:
        return f"ML_USE is “{shown(row.ml_use)}”.", _ML_USE_FIX
    if not row.path:
        return "the row names no photo.", "Write the path of the photo, or remove the row."
    if "://" in row.path:
        return (
            f"{shown(row.path)} does not lie on this machine.",
            "Copy the photos to a folder here, and write their paths.",
        )
    if "\0" in row.path:
        return "the path holds a zero byte.", "Write the path of the photo."
    if not row.labels:
        return f"the photo {shown(row.path)} has no label.", "Write its label in the last column."
    if len(row.labels) > 1:
        return (
            f"the photo has {len(row.labels)} labels ({', '.join(map(shown, row.labels))}).",
            "Keep one label for each photo.",
        )
    return None
