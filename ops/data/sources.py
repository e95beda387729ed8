"""A source is a folder per class, or a CSV; either becomes a listing."""

from __future__ import annotations

from pathlib import Path

from ops.data.folder import list_folder
from ops.data.listing import Listing
from ops.data.table import list_table


def read_source(source: Path) -> Listing:
    """The photos of a folder, or of a CSV in Vertex's form; problems are collected, not raised."""
    listing = Listing(source)
    if source.is_dir():
        list_folder(listing)
    elif source.is_file() and source.suffix.lower() in (".csv", ".txt", ".tsv"):
        list_table(listing)
    elif source.exists():
        listing.problem(
            str(source),
            "neither a folder nor a .csv file.",
            "Type the folder that holds a folder per class, or a CSV of paths and labels.",
            skippable=False,
        )
    else:
        listing.problem(
            str(source),
            "there is no such folder or file.",
            "Type the path of a folder with a folder per class, or of a CSV.",
            skippable=False,
        )
    return listing
