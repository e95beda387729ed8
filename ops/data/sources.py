"""A source on this machine: a folder per class, a CSV, or Vertex's JSON lines; each a listing."""

from __future__ import annotations

from pathlib import Path

from ops.data.folder import list_folder
from ops.data.listing import Listing, shown
from ops.data.row import Base, LocalBase
from ops.data.table import list_table
from ops.data.vertex_rows import list_vertex_rows

TABLE_SUFFIXES = (".csv", ".txt", ".tsv")
ROWS_SUFFIXES = (".jsonl", ".ndjson")


def read_source(source: Path, several: bool | None = None) -> Listing:
    """The photos of a folder or a list; problems are collected, not raised.

    `several`: see `ops.data.row.add_rows`; in a folder per class each photo has one label.
    """
    listing = Listing(shown(str(source)))
    if source.is_dir():
        list_folder(listing, source)
        listing.multi_label = bool(several)
    elif source.is_file() and source.suffix.lower() in (*TABLE_SUFFIXES, *ROWS_SUFFIXES):
        _list_file(listing, source, several)
    elif source.exists():
        listing.problem(
            listing.source,
            "neither a folder nor a .csv file.",
            "Type the folder that holds a folder per class, or a CSV of paths and labels.",
            skippable=False,
        )
    else:
        listing.problem(
            listing.source,
            "there is no such folder or file.",
            "Type the path of a folder with a folder per class, or of a CSV.",
            skippable=False,
        )
    return listing


def list_content(
    listing: Listing, content: bytes, suffix: str, base: Base, several: bool | None
) -> None:
    """Fills the listing from the bytes of a list, by its suffix."""
    if suffix.lower() in ROWS_SUFFIXES:
        list_vertex_rows(listing, content, base, several)
    else:
        list_table(listing, content, base, several)


def _list_file(listing: Listing, source: Path, several: bool | None) -> None:
    try:
        content = source.read_bytes()
    except OSError as cause:
        listing.problem(
            listing.source,
            f"the file cannot be read ({cause.strerror}).",
            f"Type chmod u+r {listing.source}.",
            skippable=False,
        )
        return
    list_content(listing, content, source.suffix, LocalBase(source.parent), several)
