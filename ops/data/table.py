"""A CSV in Vertex's form, `[ML_USE,]PATH[,LABEL…]`, with paths on this machine or in a bucket."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ops.data.formats import PHOTO_SUFFIXES
from ops.data.listing import Listing
from ops.data.row import NO_SPLIT, Base, Row, add_rows
from ops.data.split import SPLIT_WORDS
from ops.data.text_rows import csv_rows, refuse_as_a_whole, refuse_empty

_HEADER_WORDS = {
    "ml_use": "ml_use use usage split set subset",
    "path": "path file filename file_name filepath file_path image image_path photo gcs_file_path",
    "label": "label labels class category target",
}
_ROLE = {word: role for role, words in _HEADER_WORDS.items() for word in words.split()}


def list_table(listing: Listing, content: bytes, base: Base, several: bool | None = None) -> None:
    """Fills the listing from a CSV's bytes; a row that cannot be used is a problem.

    `several`: see `ops.data.row.add_rows`.
    """
    if refuse_as_a_whole(listing, content):
        return
    rows = csv_rows(listing, content)
    first = next(rows, None)
    header = _header(first[1]) if first else []
    listing.understood = "a list of photos" + (
        f" with columns {', '.join(header)}" if header else " ([ML_USE,] path, label)"
    )
    rest = [] if first is None or header else [first]
    add_rows(listing, _understood(listing, [*rest, *rows], header, base), base, several)
    refuse_empty(listing, "path,label")


def _header(cells: Sequence[str]) -> list[str]:
    """The role of each column, when every cell is a known heading; else an empty list."""
    roles = [_ROLE.get(_word(cell), "") for cell in cells]
    return roles if all(roles) and "path" in roles else []


def _word(heading: str) -> str:
    """`Label 2` and `label_2` are labels too."""
    return heading.lower().rstrip("0123456789 _").replace(" ", "_")


def _understood(
    listing: Listing, rows: Sequence[tuple[int, list[str]]], header: list[str], base: Base
) -> Iterator[Row]:
    for number, cells in rows:
        where = f"{listing.source}:{number}"
        if header:
            named = [*zip(header, cells, strict=False)]
            labels = tuple(cell for role, cell in named if role == "label" and cell)
            found = dict(named)
            yield Row(where, found.get("ml_use", ""), found.get("path", ""), labels)
        elif len(cells) > 1 and _has_ml_use(cells, base):
            yield Row(where, cells[0], cells[1], tuple(cell for cell in cells[2:] if cell))
        else:
            yield Row(where, "", cells[0], tuple(cell for cell in cells[1:] if cell))


def _has_ml_use(cells: Sequence[str], base: Base) -> bool:
    """Whether the first cell stands for the split, rightly or wrongly written."""
    first, second = cells[0], cells[1]
    if first.lower() in SPLIT_WORDS or first.lower() in NO_SPLIT:
        return True
    return not _is_path(first, base) and _is_path(second, base)


def _is_path(cell: str, base: Base) -> bool:
    return f".{cell.rpartition('.')[2]}".lower() in PHOTO_SUFFIXES or base.holds(cell)
