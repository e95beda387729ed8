"""One row of a list: a photo with its labels and split, wherever the photo lies."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ops import names
from ops.data.listing import Candidate, Listing, own_label, shown
from ops.data.places import CloudObject, Place
from ops.data.split import SPLIT_WORDS

CLOUD = "gs://"
NO_SPLIT = ("", "unassigned")
_ML_USE_FIX = "Write training, validation or test (or nothing)."


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a list by what it says; `ml_use` and `labels` as they were written."""

    where: str
    ml_use: str
    path: str
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LocalBase:
    """Paths of a list are from `folder`, the list's own."""

    folder: Path

    def place(self, path: str) -> Place:
        """The file that a row names."""
        return self.folder / path

    def source(self, path: str) -> str:
        """The same, without naming this machine: from the list's folder."""
        if not path.startswith((".", "/")) and os.sep == "/" and "/." not in path:
            return path
        return Path(os.path.relpath(self.folder / path, self.folder)).as_posix()

    def holds(self, path: str) -> bool:
        """Whether there is such a file."""
        return bool(path) and "\0" not in path and (self.folder / path).is_file()


@dataclass(frozen=True, slots=True)
class CloudBase:
    """Paths of a list are from `folder`, a gs:// address without a slash at its end."""

    folder: str

    def place(self, path: str) -> Place:
        """The object that a row names."""
        bucket, inside = names.parse_gs_uri(self.folder)
        return CloudObject(names.gs_uri(bucket, posixpath.normpath(posixpath.join(inside, path))))

    def source(self, path: str) -> str:
        """The same as an address."""
        return str(self.place(path))

    def holds(self, path: str) -> bool:  # noqa: ARG002
        """Nothing is asked of the cloud to understand a row."""
        return False


Base = LocalBase | CloudBase


def add_rows(listing: Listing, rows: Iterable[Row], base: Base, several: bool | None) -> None:
    """A candidate for each good row, a problem for each other one.

    `several` says whether a photo may have several labels: None lets the rows decide, False makes
    each row with more than one a problem.
    """
    with_several = 0
    for row in rows:
        labels = tuple(dict.fromkeys(map(own_label, row.labels)))
        problem = _problem_of(row, labels, several)
        if problem is not None:
            listing.problem(row.where, *problem)
            continue
        if len(labels) < len(row.labels):
            listing.warnings.append(f"{row.where}: a label is there twice; it counts once.")
        with_several += len(labels) > 1
        listing.candidates.append(_candidate(row, labels, base))
    listing.multi_label = bool(several or with_several)
    if with_several:
        rows_have = f"{with_several:,} row{' has' if with_several == 1 else 's have'}"
        listing.understood += f"; {rows_have} several labels, so it is a multi-label data set"
    elif several:
        listing.understood += "; a multi-label data set (--multi-label)"


def _candidate(row: Row, labels: tuple[str, ...], base: Base) -> Candidate:
    in_cloud = row.path.startswith(CLOUD)
    return Candidate(
        place=CloudObject(row.path) if in_cloud else base.place(row.path),
        where=f"{row.where} ({shown(row.path)})",
        labels=labels,
        split=SPLIT_WORDS.get(row.ml_use.lower()),
        source=shown(row.path if in_cloud else base.source(row.path)),
    )


def _problem_of(row: Row, labels: tuple[str, ...], several: bool | None) -> tuple[str, str] | None:
    """(what, fix) of the first thing that is wrong with a row; None for a good one."""
    if row.ml_use.lower() not in SPLIT_WORDS and row.ml_use.lower() not in NO_SPLIT:
        return f"ML_USE is “{shown(row.ml_use)}”.", _ML_USE_FIX
    if not row.path:
        return "the row names no photo.", "Write the path of the photo, or remove the row."
    if "\0" in row.path:
        return "the path holds a zero byte.", "Write the path of the photo."
    if "://" in row.path and not _is_object(row.path):
        return (
            f"{shown(row.path)} is neither a path nor gs://BUCKET/OBJECT.",
            "Copy the photos to a folder here or to a bucket, and write their paths.",
        )
    if len(labels) > 1 and several is False:
        return (
            f"the photo has {len(labels)} labels ({', '.join(labels)}).",
            "Keep one label for each photo, or leave out --single-label.",
        )
    return None


def _is_object(path: str) -> bool:
    try:
        return path.startswith(CLOUD) and bool(names.parse_gs_uri(path)[1])
    except ValueError:
        return False
