"""A folder per class in a bucket: object names taken as paths."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePosixPath

from ops.data.folder import is_hidden
from ops.data.formats import PHOTO_SUFFIXES
from ops.data.listing import Candidate, Listing, own_label, shown
from ops.data.places import CloudObject
from ops.data.split import SPLIT_WORDS


def list_cloud_folder(listing: Listing, top: str, objects: Iterable[CloudObject]) -> None:
    """Fills the listing from the objects under `top`, a gs:// address that ends with a slash.

    The first part of a name is the class; or the split, if all first parts are called so, and the
    second the class.
    """
    found = [(one, one.uri.removeprefix(top).split("/")) for one in objects]
    seen = [(one, parts) for one, parts in found if not any(map(is_hidden, parts))]
    listing.hidden_files = len(found) - len(seen)
    photos = [(one, parts) for one, parts in seen if parts[-1]]  # consoles store folders as "a/"
    deep = [parts for _, parts in photos if len(parts) > 1]
    splits = {parts[0]: SPLIT_WORDS.get(parts[0].lower()) for parts in deep}
    with_splits = bool(splits) and all(splits.values()) and any(len(p) > 2 for p in deep)
    listing.understood = "a folder per class" + (" under each split" if with_splits else "")
    for one, parts in photos:
        if len(parts) < (3 if with_splits else 2):
            _note_loose(listing, one)
            continue
        label = own_label(parts[1] if with_splits else parts[0])
        split = splits[parts[0]] if with_splits else None
        listing.candidates.append(_candidate(one, label, split))
    if not listing.candidates and not listing.problems:
        listing.problem(
            listing.source,
            "there are no folders with photos.",
            "Type the address above a folder per class, or of a CSV.",
            skippable=False,
        )


def _candidate(one: CloudObject, label: str, split: str | None) -> Candidate:
    suffix = PurePosixPath(one.name).suffix.lower()
    return Candidate(
        place=one,
        where=shown(one.uri),
        labels=(label,),
        split=split,
        must_be_photo=not suffix or suffix in PHOTO_SUFFIXES,
        source=shown(one.uri),
    )


def _note_loose(listing: Listing, one: CloudObject) -> None:
    if PurePosixPath(one.name).suffix.lower() in PHOTO_SUFFIXES:
        listing.problem(
            shown(one.uri),
            "the photo lies beside the class folders, so it has no label.",
            "Move it into the folder of its class.",
        )
