"""The folder that is `/gcs` to a job: read-only links to stored bytes, and its own outputs."""

from __future__ import annotations

import shutil
from pathlib import Path


class GcsView:
    """`gs://BUCKET/OBJECT` is `folder/BUCKET/OBJECT`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._made: set[Path] = set()

    def path(self, uri: str) -> Path:
        """Where an address is in the view. ValueError for one that would lead out of it."""
        parts = uri.removeprefix("gs://").split("/")
        if ".." in parts or "" in parts[:1]:
            raise ValueError(f"Not an address inside the view: {uri}")
        return self.folder.joinpath(*parts)

    def link(self, uri: str, blob: Path) -> bool:
        """Whether the address now leads to these bytes; not where it leads to others already.

        An object whose name is another's folder cannot be in one view with it, as in /gcs.
        """
        try:
            path = self.path(uri)
            self._make_parent(path)
            path.symlink_to(blob)
        except FileExistsError:
            return path.is_symlink() and path.readlink() == blob
        except (NotADirectoryError, ValueError):
            return False
        return True

    def copy(self, uri: str, blob: Path) -> Path | None:
        """A copy of these bytes that the job may write, or None where there is no place for it."""
        try:
            path = self.path(uri)
            self._make_parent(path)
            shutil.copyfile(blob, path)
        except (FileExistsError, IsADirectoryError, NotADirectoryError, ValueError):
            return None
        return path

    def _make_parent(self, path: Path) -> None:
        if path.parent not in self._made:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._made.add(path.parent)
