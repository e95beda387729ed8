"""Photos that were checked before and have not changed since: a cache, safe to delete."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import asdict
from itertools import islice
from pathlib import Path

from ops.data.photos import Photo

Signature = tuple[int, int, int, int, int]

_SCHEMA = "CREATE TABLE IF NOT EXISTS photos (path TEXT PRIMARY KEY, signature TEXT, photo TEXT)"
_CHUNK = 500
_RULES = 1
"""Raised when a photo would be judged or converted in another way than before."""

SETTLED_SECONDS = 2.0
"""A file written this recently may be written again without its times telling: not remembered."""


def signature(path: Path) -> Signature | None:
    """What changes when a file does: device, inode, size, and the times of content and inode."""
    try:
        info = path.stat()
    except OSError:
        return None
    return (info.st_dev, info.st_ino, info.st_size, info.st_mtime_ns, info.st_ctime_ns)


class KnownPhotos:
    """Photos by absolute path, with the signature that their file had when it was checked."""

    def __init__(self, known: Mapping[str, tuple[Signature, Photo]] | None = None) -> None:
        self._known = known or {}
        self._new: dict[str, tuple[Signature, Photo]] = {}

    @classmethod
    def load(cls, store: Path, paths: Iterable[Path]) -> KnownPhotos:
        """What `store` knows of these files; nothing when there is no store or it is broken."""
        if not store.is_file():
            return cls()
        try:
            with closing(sqlite3.connect(store)) as database:
                return cls(dict(_rows(database, paths)))
        except (sqlite3.Error, ValueError, TypeError):
            return cls()

    def get(self, path: Path, seen: Signature | None) -> Photo | None:
        """The photo, when its file is as it was; safe to call from many threads."""
        found = self._known.get(str(path.absolute()))
        return found[1] if found and found[0] == seen else None

    def add(self, seen: Signature | None, photo: Photo) -> None:
        """Remember a photo whose file had this signature before it was read."""
        if seen is None or time.time_ns() - max(seen[3:]) < SETTLED_SECONDS * 1e9:
            return
        self._new[str(photo.path.absolute())] = (seen, photo)

    def save(self, store: Path) -> None:
        """Write what was added; a store that cannot be written is left as it is."""
        if not self._new:
            return
        rows = [
            (path, _versioned(seen), json.dumps({**asdict(photo), "path": str(photo.path)}))
            for path, (seen, photo) in self._new.items()
        ]
        try:
            store.parent.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(store)) as database, database:
                database.execute(_SCHEMA)
                database.executemany("INSERT OR REPLACE INTO photos VALUES (?, ?, ?)", rows)
        except (sqlite3.Error, OSError, UnicodeEncodeError):
            return


def _rows(
    database: sqlite3.Connection, paths: Iterable[Path]
) -> Iterator[tuple[str, tuple[Signature, Photo]]]:
    wanted = {str(path.absolute()): path for path in paths}
    names = iter(wanted)
    while chunk := list(islice(names, _CHUNK)):
        marks = ", ".join("?" * len(chunk))
        query = f"SELECT path, signature, photo FROM photos WHERE path IN ({marks})"
        for name, versioned, photo in database.execute(query, chunk):
            rules, pillow, *seen = json.loads(versioned)
            if [rules, pillow] == _version():
                found = Photo(**{**json.loads(photo), "path": wanted[name]})
                yield name, (tuple(seen), found)


def _versioned(seen: Signature) -> str:
    return json.dumps([*_version(), *seen])


def _version() -> list[int | str]:
    """Another Pillow may encode another way, so it counts as another rule."""
    from PIL import __version__

    return [_RULES, __version__]
