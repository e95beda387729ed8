"""A folder per class, with or without folders for training, validation and test above them."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ops.data.formats import PHOTO_SUFFIXES
from ops.data.listing import Candidate, Listing, own_label, shown
from ops.data.split import SPLIT_WORDS, SPLITS

SYSTEM_FILES = frozenset(("thumbs.db", "desktop.ini", "__macosx", "@eadir"))
"""What Windows, macOS and network drives leave in folders; names in lower case."""


@dataclass
class _Folder:
    """One folder's visible entries, sorted by name."""

    path: Path
    folders: list[Path] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)


def list_folder(listing: Listing, source: Path) -> None:
    """Fills the listing from `source`, a folder; photos may lie deeper under a class."""
    top = _look(listing, source)
    splits = {folder: _split_of(folder) for folder in top.folders}
    if any(splits.values()) and not all(splits.values()):
        _refuse_mixture(listing, splits)
        return
    if not top.folders:
        _refuse_flat(listing, top)
        return
    _note_loose_files(listing, top)
    if all(splits.values()):
        listing.understood = _words_for_splits(splits)
        for folder, split in splits.items():
            inner = _look(listing, folder)
            _note_spellings(listing, inner.folders)
            for label_folder in inner.folders:
                _list_label(listing, source, label_folder, split)
        return
    listing.understood = "a folder per class"
    _note_spellings(listing, top.folders)
    for folder in top.folders:
        _list_label(listing, source, folder, None)


def _split_of(folder: Path) -> str | None:
    """The split a top folder stands for; a class named `train` holds photos, not folders."""
    split: str | None = SPLIT_WORDS.get(folder.name.lower())
    if split is None:
        return None
    try:
        names = [entry for entry in os.scandir(folder) if not is_hidden(entry.name)]
        return split if any(entry.is_dir() for entry in names) or not names else None
    except OSError:
        return split


def _note_spellings(listing: Listing, folders: list[Path]) -> None:
    """Two folders whose names look alike, composed and decomposed, are one label: that is said."""
    labels = Counter(own_label(folder.name) for folder in folders)
    for label, number in labels.items():
        if number > 1:
            words = f"{number} folders are called “{label}”, spelt in different bytes (Unicode)"
            listing.warnings.append(f"{words}: they are one label.")


def _list_label(listing: Listing, source: Path, folder: Path, split: str | None) -> None:
    before, label = len(listing.candidates), own_label(folder.name)
    for path in _walk(listing, folder):
        listing.candidates.append(
            Candidate(
                place=path,
                where=shown(str(path)),
                labels=(label,),
                split=split,
                source=shown(path.relative_to(source).as_posix()),
                must_be_photo=not path.suffix or path.suffix.lower() in PHOTO_SUFFIXES,
            )
        )
    if len(listing.candidates) == before:
        listing.empty_labels.append(label)


def _walk(listing: Listing, top: Path) -> Iterator[Path]:
    """The files under a folder by name; links to folders are followed, but never in a circle."""
    waiting = [(top, frozenset(_identity(folder) for folder in (top, *top.parents)))]
    while waiting:
        path, above = waiting.pop()
        seen = _look(listing, path)
        yield from seen.files
        for folder in reversed(seen.folders):
            identity = _identity(folder)
            if identity in above:
                listing.problem(
                    shown(str(folder)), "the link leads back to a folder above it.", "Remove it."
                )
            else:
                waiting.append((folder, above | {identity}))


def _identity(folder: Path) -> tuple[int, int]:
    try:
        info = folder.stat()
    except OSError:
        return (0, 0)
    return (info.st_dev, info.st_ino)


def _look(listing: Listing, path: Path) -> _Folder:
    """The folder's entries; what cannot be looked at becomes a problem, hidden files a count."""
    seen = _Folder(path)
    try:
        entries = sorted(os.scandir(path), key=lambda entry: entry.name)
    except PermissionError:
        listing.problem(
            shown(str(path)),
            "this user may not look into the folder.",
            f"Type chmod u+rx {shown(str(path))}.",
        )
        return seen
    for entry in entries:
        if is_hidden(entry.name):
            listing.hidden_files += 1
        else:
            _sort_in(listing, seen, path / entry.name)
    return seen


def _sort_in(listing: Listing, seen: _Folder, path: Path) -> None:
    try:
        path.stat()
    except OSError as cause:
        words = "leads nowhere" if path.is_symlink() else "cannot be looked at"
        listing.problem(
            shown(str(path)), f"the file {words} ({cause.strerror}).", "Remove it or replace it."
        )
        return
    (seen.folders if path.is_dir() else seen.files).append(path)


def is_hidden(name: str) -> bool:
    return name.startswith(".") or name.lower() in SYSTEM_FILES


def _note_loose_files(listing: Listing, top: _Folder) -> None:
    """Photos beside the class folders have no label: a problem. Other files there are no matter."""
    for path in top.files:
        if path.suffix.lower() in PHOTO_SUFFIXES:
            listing.problem(
                shown(str(path)),
                "the photo lies beside the class folders, so it has no label.",
                "Move it into the folder of its class.",
            )


def _words_for_splits(splits: dict[Path, str | None]) -> str:
    found = [
        f"{shown(folder.name)}/" + ("" if folder.name == split else f" ({split})")
        for folder, split in splits.items()
    ]
    missing = [split for split in SPLITS if split not in splits.values()]
    words = f"a folder per class under {', '.join(found)}"
    return words + (f"; no {' and no '.join(missing)} folder" if missing else "")


def _refuse_mixture(listing: Listing, splits: dict[Path, str | None]) -> None:
    known = ", ".join(f"{shown(path.name)}/" for path, split in splits.items() if split)
    other = ", ".join(f"{shown(path.name)}/" for path, split in splits.items() if not split)
    listing.problem(
        listing.source,
        f"{known} look like splits, but {other} beside them do not.",
        "Leave either only train/, validation/ and test/ there, or only one folder per class.",
        skippable=False,
    )


def _refuse_flat(listing: Listing, top: _Folder) -> None:
    photos = sum(path.suffix.lower() in PHOTO_SUFFIXES for path in top.files)
    what = "the folder holds no folders and no photos."
    if photos:
        what = f"it holds photos ({photos:,}) but no folders, so they have no label."
    listing.problem(
        listing.source,
        what,
        "Make one folder per class in it, named like the class, and put the photos there.",
        skippable=False,
    )
