"""What a job writes into its view becomes objects: when a file is closed, at the latest at the end.

A file is taken whole or not at all: not while a process of the job can still write to it, and not
when it changed while it was read. Links lead into the store and are never followed. The one
exception are TensorBoard's event files, which stay open for a whole training: of these the whole
records are taken. A file that the job removes is removed from the bucket too.
"""

from __future__ import annotations

import logging
import mimetypes
import os
import stat
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emulator.cloud import Cloud
from emulator.iam import targets
from emulator.jobs.gcs_view import GcsView
from emulator.jobs.open_files import Identity
from emulator.jobs.spec import read_json, write_json
from emulator.storage import buckets, objects, rights
from emulator.storage.errors import StorageError
from emulator.storage.names import HIDDEN_PREFIX, check_object
from emulator.storage.preconditions import Preconditions
from emulator.tokens import Caller

LOG = logging.getLogger("emulator.jobs")
# Linux stamps files by a clock that ticks every 1 to 10 ms: a younger file may yet change unseen.
SETTLED_SECONDS = 0.1
EVENTS = "tfevents"
CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class State:
    """A file as it was when it was taken, and the generation of the object it became."""

    inode: int
    size_bytes: int
    modified_ns: int
    generation: int

    def is_of(self, found: os.stat_result) -> bool:
        """Whether the file is still what was taken."""
        now = (found.st_ino, found.st_size, found.st_mtime_ns)
        return now == (self.inode, self.size_bytes, self.modified_ns)


class Outputs:
    """The files of one job's view, and what has been taken of them (kept in `record`)."""

    def __init__(
        self, cloud: Cloud, view: GcsView, record: Path, caller: Caller | None = None
    ) -> None:
        """`caller` is the account that the job runs as, whose rights its files need (None: all)."""
        self._cloud = cloud
        self._caller = caller
        self._view = view
        self._record = record
        kept = read_json(record) or {}
        self._taken = {name: State(*values) for name, values in kept.items()}
        self._refused: set[str] = set()

    def know(self, uri: str, path: Path, generation: int) -> None:
        """A file that was put there from an object is not new; `save` keeps it."""
        found = path.stat()
        state = State(found.st_ino, found.st_size, found.st_mtime_ns, generation)
        self._taken[uri.removeprefix("gs://")] = state

    def save(self) -> None:
        """What has been taken is known to the next server too."""
        kept = {
            name: [one.inode, one.size_bytes, one.modified_ns, one.generation]
            for name, one in self._taken.items()
        }
        write_json(self._record, kept)

    def take(self, still_written: set[Identity], *, is_over: bool = False) -> int:
        """The number of objects made or removed. `is_over`: nobody writes any more."""
        if not self._view.folder.is_dir():
            return 0
        changes = 0
        present: set[str] = set()
        for path, found in _files(self._view.folder):
            name = path.relative_to(self._view.folder).as_posix()
            present.add(name)
            known = self._taken.get(name)
            if known is not None and known.is_of(found):
                continue
            if is_over or _is_settled(path, found, still_written):
                changes += self._take(path, name, found)
        changes += self._remove(set(self._taken) - present)
        if changes:
            self.save()
        return changes

    def _take(self, path: Path, name: str, before: os.stat_result) -> bool:
        """Whether the file became an object: not when it changed while it was read."""
        bucket, _, key = name.partition("/")
        if not key or not self._has_bucket(bucket):
            return False
        try:
            check_object(key)
            with self._cloud.blobs.writer() as writer:
                for chunk in _chunks(path):
                    writer.write(chunk)
                after = path.stat()
                if (after.st_mtime_ns, after.st_size) != (before.st_mtime_ns, before.st_size):
                    return False
                kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
                reference = writer.finish()
                fields = {"contentType": kind}
                row = objects.store_object(
                    self._cloud, bucket, key, reference, fields, caller=self._caller
                )
        except FileNotFoundError:
            return False
        except (StorageError, UnicodeEncodeError) as problem:
            if name not in self._refused:
                LOG.warning("a job's file %r cannot be an object: %s", name, problem)
            self._refused.add(name)
            return False
        state = State(before.st_ino, before.st_size, before.st_mtime_ns, row.generation)
        self._taken[name] = state
        return True

    def _has_bucket(self, name: str) -> bool:
        if name.startswith(HIDDEN_PREFIX):
            return False
        with self._cloud.store.read() as db:
            return buckets.find(db, name) is not None

    def _remove(self, names: set[str]) -> int:
        """What the job removed; not where somebody else has written the object since."""
        for name in names:
            generation = self._taken.pop(name).generation
            bucket, _, key = name.partition("/")
            same = Preconditions(generation=generation)
            try:
                if self._caller is not None:
                    target = targets.bucket(self._cloud, bucket, key)
                    rights.require(self._cloud, self._caller, rights.DELETE, target)
                objects.delete_object(self._cloud, bucket, key, same)
            except StorageError as problem:
                LOG.info("a job's removed file %s stays an object: %s", name, problem.message)
        return len(names)


def _files(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """Every regular file below a folder; links and what lies behind them are left out."""
    waiting = [folder]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(Path(entry.path))
                    elif entry.is_file(follow_symlinks=False):
                        yield Path(entry.path), entry.stat(follow_symlinks=False)
        except FileNotFoundError:
            continue


def _is_settled(path: Path, found: os.stat_result, still_written: set[Identity]) -> bool:
    if time.time_ns() - found.st_mtime_ns < SETTLED_SECONDS * 1e9:
        return False
    return EVENTS in path.name or (found.st_dev, found.st_ino) not in still_written


def _chunks(path: Path) -> Iterator[bytes]:
    """The bytes of a file; of an event file, as far as its records are whole."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise FileNotFoundError(path)
        left = _whole_records(file) if EVENTS in path.name else os.fstat(file.fileno()).st_size
        while left > 0 and (chunk := file.read(min(left, CHUNK_BYTES))):
            left -= len(chunk)
            yield chunk


def _whole_records(file: Any) -> int:
    """The length of a TFRecord file up to its last whole record: length, CRC, data, CRC."""
    size = os.fstat(file.fileno()).st_size
    end = 0
    while end + 12 <= size:
        file.seek(end)
        (length,) = struct.unpack("<Q", file.read(8))
        if end + length + 16 > size:
            break
        end += length + 16
    file.seek(0)
    return end
