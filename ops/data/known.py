"""Photos that were checked before and have not changed since: a cache, safe to delete."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import fields
from itertools import islice
from pathlib import Path

from ops.data.photos import Photo
from ops.data.places import CloudObject, Place, Signature, key

_SCHEMA = "CREATE TABLE IF NOT EXISTS photos (path TEXT PRIMARY KEY, signature TEXT, photo TEXT)"
_CHUNK = 500
_RULES = 2
"""Raised when a photo would be judged or converted in another way than before."""

SETTLED_SECONDS = 2.0
"""A file written this recently may be written again without its times telling: not remembered."""


class KnownPhotos:
    """Photos by absolute path or address, with the signature that they had when checked."""

    def __init__(self, known: Mapping[str, tuple[Signature, Photo]] | None = None) -> None:
        self._known = known or {}
        self._new: dict[str, tuple[Signature, Photo]] = {}

    @classmethod
    def load(cls, store: Path, places: Iterable[Place]) -> KnownPhotos:
        """What `store` knows of these places; nothing when there is no store or it is broken."""
        if not store.is_file():
            return cls()
        try:
            with closing(sqlite3.connect(store)) as database:
                return cls(dict(_rows(database, places)))
        except (sqlite3.Error, ValueError, TypeError):
            return cls()

    def get(self, place: Place, seen: Signature | None) -> Photo | None:
        """The photo, when its bytes are as they were; safe to call from many threads."""
        found = self._known.get(key(place))
        return found[1] if found and found[0] == seen else None

    def add(self, seen: Signature | None, photo: Photo) -> None:
        """Remember a photo whose bytes had this signature before they were read."""
        if seen is None:
            return
        may_change = not isinstance(photo.place, CloudObject)
        if may_change and time.time_ns() - max(seen[3:]) < SETTLED_SECONDS * 1e9:
            return
        self._new[key(photo.place)] = (seen, photo)

    def save(self, store: Path) -> None:
        """Write what was added; a store that cannot be written is left as it is."""
        if not self._new:
            return
        rows = [
            (name, _versioned(seen), json.dumps(_plain(photo)))
            for name, (seen, photo) in self._new.items()
        ]
        try:
            store.parent.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(store)) as database, database:
                database.execute(_SCHEMA)
                database.executemany("INSERT OR REPLACE INTO photos VALUES (?, ?, ?)", rows)
        except (sqlite3.Error, OSError, UnicodeEncodeError):
            return


def _rows(
    database: sqlite3.Connection, places: Iterable[Place]
) -> Iterator[tuple[str, tuple[Signature, Photo]]]:
    wanted = {key(place): place for place in places}
    names = iter(wanted)
    while chunk := list(islice(names, _CHUNK)):
        marks = ", ".join("?" * len(chunk))
        query = f"SELECT path, signature, photo FROM photos WHERE path IN ({marks})"
        for name, versioned, photo in database.execute(query, chunk):
            rules, pillow, *seen = json.loads(versioned)
            if [rules, pillow] == _version():
                found = Photo(place=wanted[name], **json.loads(photo))
                yield name, (tuple(seen), found)


def _plain(photo: Photo) -> dict[str, str | int | None]:
    """All that is known of a photo but where it lies."""
    known = [one.name for one in fields(photo) if one.name != "place"]
    return {name: getattr(photo, name) for name in known}


def _versioned(seen: Signature) -> str:
    return json.dumps([*_version(), *seen])


def _version() -> list[int | str]:
    """Another Pillow may encode another way, so it counts as another rule."""
    from PIL import __version__

    return [_RULES, __version__]
