"""The rows of a list of photos as its bytes hold them, and what is wrong with those bytes."""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterator, Sequence

from ops.data.listing import Listing

LOOKED_AT_BYTES = 4096
# From so many lines on it is one problem of the file, not one of each line.
MOST_BAD_LINES = 20


def no_list(content: bytes) -> str:
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


def refuse_as_a_whole(listing: Listing, content: bytes) -> bool:
    """Whether the file is no list at all; that is one problem then."""
    other = no_list(content)
    if other:
        listing.problem(
            listing.source,
            f"the file is {other}; a list of photos is read as UTF-8.",
            "Save it as “CSV UTF-8”.",
            skippable=False,
        )
    return bool(other)


def refuse_empty(listing: Listing, form: str) -> None:
    """A list that names no photo, and has no other problem, is a problem; `form` is a row's."""
    if not listing.candidates and not listing.problems:
        listing.problem(
            listing.source,
            "the file names no photos.",
            f"Write a row per photo: {form}.",
            skippable=False,
        )


def csv_rows(listing: Listing, content: bytes) -> Iterator[tuple[int, list[str]]]:
    """(line number, cells) of each line that is not blank; a wrong encoding is a problem."""
    lines = [text + "\n" for text in text_lines(listing, content)]
    reader = csv.reader(lines, delimiter=_delimiter(lines), skipinitialspace=True)
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as cause:
            listing.problem(
                f"{listing.source}:{reader.line_num}",
                f"not a row of a CSV ({cause}).",
                "Correct the quotes.",
            )
            continue
        cells = [cell.strip() for cell in cells]
        if any(cells):
            yield reader.line_num, cells


def text_lines(listing: Listing, content: bytes) -> Iterator[str]:
    """Every line without its end; one that is not UTF-8 is a problem, and empty."""
    content = content.removeprefix(codecs.BOM_UTF8)
    content = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    for number, line in enumerate(content.split(b"\n"), start=1):
        try:
            yield line.decode("utf-8")
        except UnicodeDecodeError as cause:
            listing.problem(
                f"{listing.source}:{number}",
                f"byte {cause.start + 1} of the line (0x{line[cause.start]:02x}) is not UTF-8.",
                "Save the file as “CSV UTF-8”.",
            )
            yield ""


def _delimiter(lines: Sequence[str]) -> str:
    """Comma, or what Excel writes in countries with a decimal comma, or a tab."""
    first = next((line for line in lines if line.strip()), "")
    return max(",;\t", key=first.count)
