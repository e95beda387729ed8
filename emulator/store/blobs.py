"""Bytes in files named by their SHA-256: written aside, then renamed, never changed."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import threading
from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self
from uuid import uuid4

import google_crc32c

from emulator.store.references import referred_to
from emulator.store.space import room_bytes
from emulator.store.sqlite import Store

# Up to this many bytes a body waits in memory; more goes to a temporary file at once.
MEMORY_BYTES = 1 << 20
SHA256 = re.compile(r"[0-9a-f]{64}")
READING = os.O_RDONLY | getattr(os, "O_BINARY", 0)
FOLDERS = tuple(f"{number:02x}" for number in range(256))


@dataclass(frozen=True)
class BlobRef:
    """What the bytes are: SHA-256 in hex, MD5 and CRC32C in base64 (as Google), and length."""

    sha256: str
    md5: str
    crc32c: str
    size_bytes: int


class Digests:
    """The three digests and the length of a stream of bytes."""

    def __init__(self) -> None:
        self._sha256 = hashlib.sha256()
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._crc32c = 0
        self.size_bytes = 0

    def update(self, data: bytes) -> None:
        """Takes in the next bytes of the stream."""
        self._sha256.update(data)
        self._md5.update(data)
        self._crc32c = google_crc32c.extend(self._crc32c, data)
        self.size_bytes += len(data)

    def reference(self) -> BlobRef:
        """What has been taken in so far."""
        return BlobRef(
            self._sha256.hexdigest(),
            b64encode(self._md5.digest()).decode(),
            b64encode(self._crc32c.to_bytes(4, "big")).decode(),
            self.size_bytes,
        )


class Blobs:
    """Files under `folder`; one lives while a row of `blob_references` or a writer refers to it."""

    def __init__(
        self,
        folder: Path,
        store: Store,
        *,
        fsync: bool = False,
        before_write: Callable[[], None] = lambda: None,
    ) -> None:
        self._folder = folder
        self._temporary = folder / "tmp"
        self._store = store
        self._pins: Counter[str] = Counter()
        self._keepers = 0
        self._let_go: set[str] = set()
        self._lock = threading.Lock()
        self.fsync = fsync
        self._before_write = before_write
        # Frees some space that is only lent, if it can: whether it did.
        self.make_room: Callable[[], bool] = lambda: False
        self._temporary.mkdir(parents=True, exist_ok=True)

    def path(self, sha256: str) -> Path:
        """Where the bytes with this digest lie, or would lie."""
        return self._folder / sha256[:2] / sha256

    def descriptor(self, sha256: str) -> int:
        """The bytes with this digest, open for reading until the caller closes them.

        They stay readable when they are removed.
        """
        return os.open(f"{self._folder}/{sha256[:2]}/{sha256}", READING)

    def temporary(self) -> Path:
        """A new path beside the blobs, for bytes that are not yet complete."""
        return self._temporary / uuid4().hex

    def check_space(self) -> None:
        """Raises OSError (ENOSPC) where bytes would take what the database needs to go on."""
        self._before_write()
        while room_bytes(self._folder) < 0:
            if not self.make_room():
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self._folder))

    def writer(self) -> BlobWriter:
        """A writer for one body; use it in a `with` that also covers the row that refers to it."""
        return BlobWriter(self)

    def pin(self, sha256: str) -> None:
        """Keeps the bytes from being removed until `unpin`, whoever else lets go of them."""
        with self._lock:
            self._pins[sha256] += 1

    def unpin(self, sha256: str) -> None:
        """Ends one `pin`; the file goes when no row refers to it."""
        with self._lock:
            self._pins[sha256] -= 1
        self.release(sha256)

    @contextmanager
    def kept(self) -> Iterator[None]:
        """While this lasts no bytes are removed; what was let go of in it goes at its end."""
        with self._lock:
            self._keepers += 1
        try:
            yield
        finally:
            with self._lock:
                self._keepers -= 1
                last = self._keepers == 0
                let_go, self._let_go = (self._let_go, set()) if last else (set(), self._let_go)
            for sha256 in let_go:
                self.release(sha256)

    def release(self, sha256: str) -> None:
        """Removes the file when nothing refers to it; call it after the row has gone."""
        with self._store.read() as db, self._lock:
            if self._pins[sha256] > 0:
                return
            del self._pins[sha256]
            if self._keepers:
                self._let_go.add(sha256)
                return
            used = db.execute("SELECT 1 FROM blob_references WHERE sha256 = ? LIMIT 1", (sha256,))
            if used.fetchone() is None:
                self.path(sha256).unlink(missing_ok=True)

    def place(self, source: Path, reference: BlobRef, *, link: bool = False) -> None:
        """Gives complete bytes their name: by rename, or by hard link when the source stays."""
        target = self.path(reference.sha256)
        if not link and self.holds(reference):
            source.unlink()
            return
        if link:
            aside = self.temporary()
            os.link(source, aside)
            source = aside
        source.chmod(0o400)  # jobs meet these bytes through links, and must not write them
        try:
            source.replace(target)
        except FileNotFoundError:
            target.parent.mkdir(exist_ok=True)
            source.replace(target)
        if self.fsync:
            sync_folder(target.parent)

    def holds(self, reference: BlobRef) -> bool:
        """Whether complete bytes of this digest are there."""
        try:
            return self.path(reference.sha256).stat().st_size == reference.size_bytes
        except FileNotFoundError:
            return False

    def sweep(self) -> int:
        """Removes bytes that nothing refers to, unless they are `kept`; their number."""
        return sum(self.sweep_folder(name) for name in FOLDERS)

    def sweep_folder(self, name: str) -> int:
        """Does so for the digests that start with two hexadecimal digits; others may go on soon."""
        with self._store.read() as db, self._lock:
            try:
                found = [path.name for path in (self._folder / name).iterdir()]
            except FileNotFoundError:
                return 0
            if self._keepers:
                return 0
            there = [one for one in found if SHA256.fullmatch(one) and one.startswith(name)]
            used = referred_to(db, name, there)
            stale = [sha256 for sha256 in there if sha256 not in used and self._pins[sha256] <= 0]
            for sha256 in stale:
                del self._pins[sha256]
                self.path(sha256).unlink()
        return len(stale)

    def clear_temporary(self) -> None:
        """Removes what a crash left half-written; only before the first writer."""
        for path in self._temporary.glob("[0-9a-f]" * 32):
            path.unlink()


class BlobWriter:
    """One body on its way in: small ones wait in memory, large ones in a temporary file."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs
        self._digests = Digests()
        self._waiting: list[bytes] = []
        self._path: Path | None = None
        self._descriptor = -1
        self._pinned: str | None = None

    def write(self, data: bytes) -> None:
        """Takes the next bytes. OSError (ENOSPC) when the disk is full."""
        self._digests.update(data)
        self._waiting.append(data)
        if self._descriptor >= 0 or self._digests.size_bytes > MEMORY_BYTES:
            self._flush()

    def write_file(self, path: Path) -> None:
        """Takes the bytes of a file as they are now; the file itself is left alone."""
        with path.open("rb") as file:
            while data := file.read(MEMORY_BYTES):
                self.write(data)

    def finish(self) -> BlobRef:
        """Puts the bytes in their place, pinned until the writer is closed."""
        reference = self._digests.reference()
        self._blobs.pin(reference.sha256)
        self._pinned = reference.sha256
        if self._descriptor < 0 and self._blobs.holds(reference):
            return reference
        self._flush()
        if self._blobs.fsync:
            os.fsync(self._descriptor)
        assert self._path is not None
        self._blobs.place(self._path, reference)
        self._path = None
        return reference

    def close(self) -> None:
        """Forgets what was not finished and ends the pin of what was."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
        if self._path is not None:
            self._path.unlink(missing_ok=True)
            self._path = None
        if self._pinned is not None:
            self._blobs.unpin(self._pinned)
            self._pinned = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _flush(self) -> None:
        self._blobs.check_space()
        if self._descriptor < 0:
            self._path = self._blobs.temporary()
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
            self._descriptor = os.open(self._path, flags, 0o600)
        for data in self._waiting:
            write_all(self._descriptor, data)
        self._waiting.clear()


def write_all(descriptor: int, data: bytes) -> None:
    """Writes every byte, however many calls it takes."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def sync_folder(folder: Path) -> None:
    """Makes renames in a folder survive loss of power."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
