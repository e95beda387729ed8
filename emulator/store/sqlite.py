"""One SQLite database: WAL, numbered schema scripts, re-entrant transactions."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Hashable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from emulator.errors import StartError
from emulator.failures import is_disk_full
from emulator.store.space import log_pages

SCHEMA_FOLDER = Path(__file__).parent / "schema"
BUSY_TIMEOUT_SECONDS = 30.0
# Pages of indexes in memory, taken as they are met; of a million rows SQLite's 2 MiB holds little.
CACHE_KIB = 8192
# Rows that are read again without a change between; of an object, 3 KiB or so each.
MAX_KNOWN = 8192


class Store:
    """A database used by many threads, one transaction at a time.

    Never hold a transaction across an `await`: another task of the same thread would join it.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        # Raises where a write is to fail, before it begins.
        self.before_write: Callable[[], None] = lambda: None
        self._lock = threading.RLock()
        self._reading = _Reading(self._lock, connection)
        self._depth = 0
        self._after_commit: list[Callable[[], object]] = []
        self._known: dict[Hashable, Any] = {}
        self._known_at = -1

    @classmethod
    def open(cls, path: Path | None, fsync: bool = False) -> Store:
        """The store at `path` (None: in memory), its schema brought up to date.

        A commit survives the death of the process; with `fsync` also loss of power.
        Raises StartError when a newer version of the server wrote the file, or where it is damaged.
        """
        try:
            return cls._opened(path, fsync)
        except sqlite3.DatabaseError as error:
            if path is None or is_disk_full(error):
                raise
            raise StartError(_unusable(path, error)) from None

    @classmethod
    def _opened(cls, path: Path | None, fsync: bool) -> Store:
        connection = sqlite3.connect(
            str(path) if path else ":memory:",
            timeout=BUSY_TIMEOUT_SECONDS,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=256,
        )
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute(f"PRAGMA synchronous={'FULL' if fsync else 'NORMAL'}")
        if path:
            connection.execute(f"PRAGMA wal_autocheckpoint={log_pages(path.parent)}")
        connection.execute(f"PRAGMA cache_size=-{CACHE_KIB}")
        connection.execute("PRAGMA foreign_keys=ON")
        store = cls(connection)
        store._migrate()
        return store

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """The connection inside BEGIN IMMEDIATE: commits at the end, rolls back on an error.

        A transaction inside another is a savepoint of it; nothing is visible before the outer end.
        """
        with self._lock:
            if self._depth == 0:
                self.before_write()
            begin, commit, undo = self._statements()
            self._connection.execute(begin)
            self._depth += 1
            try:
                yield self._connection
                self._connection.execute(commit)
            except BaseException:
                self._roll_back(undo)
                raise
            finally:
                self._depth -= 1
            if self._depth == 0:
                self._run_after_commit()

    def read(self) -> AbstractContextManager[sqlite3.Connection]:
        """The connection for reading; sees only what is committed, or the thread's transaction."""
        return self._reading

    def known(self) -> dict[Hashable, Any]:
        """What readers worked out from rows: empty after every change. Use it inside `read`.

        Nobody reads uncommitted rows into it: never inside `transaction`.
        """
        changes = self._connection.total_changes
        if changes != self._known_at or len(self._known) >= MAX_KNOWN:
            self._known, self._known_at = {}, changes
        return self._known

    def after_commit(self, action: Callable[[], object]) -> None:
        """Runs `action` once the outermost transaction has committed, before others may write."""
        self._after_commit.append(action)

    def copy_to(self, path: Path) -> None:
        """Writes everything committed to a new database file, as of one moment."""
        target = sqlite3.connect(path)
        try:
            with self._lock:
                self._connection.backup(target)
        finally:
            target.close()

    def replace_from(self, path: Path) -> None:
        """Becomes what `copy_to` wrote: all of it or, after a crash, nothing of it.

        Raises StartError when a newer version of the server wrote the file.
        """
        source = sqlite3.connect(f"{path.as_uri()}?immutable=1", uri=True)
        try:
            with self._lock:
                _check_version(source)
                source.backup(self._connection)
                self._known_at = -1  # a copy of pages counts as no change
                self._migrate()
        finally:
            source.close()

    def close(self) -> None:
        """Waits for a transaction of another thread, then lets go of the file."""
        with self._lock:
            self._connection.close()

    def _statements(self) -> tuple[str, str, list[str]]:
        if self._depth == 0:
            return "BEGIN IMMEDIATE", "COMMIT", ["ROLLBACK"]
        name = f"nested_{self._depth}"
        undo = [f"ROLLBACK TO {name}", f"RELEASE {name}"]
        return f"SAVEPOINT {name}", f"RELEASE {name}", undo

    def _roll_back(self, undo: list[str]) -> None:
        if self._depth == 1:
            self._after_commit.clear()
        if self._connection.in_transaction:  # SQLite itself rolls back when the disk is full.
            for statement in undo:
                self._connection.execute(statement)

    def _run_after_commit(self) -> None:
        actions, self._after_commit = self._after_commit, []
        for action in actions:
            action()

    def _migrate(self) -> None:
        version = _check_version(self._connection)
        scripts = _scripts()
        for number in sorted(number for number in scripts if number > version):
            script = scripts[number].read_text(encoding="utf-8")
            self._connection.executescript(
                f"BEGIN IMMEDIATE;\n{script}\n;PRAGMA user_version={number};\nCOMMIT;"
            )


class _Reading:
    """Holds the lock while it is entered, by one thread as often as it likes."""

    def __init__(self, lock: threading.RLock, connection: sqlite3.Connection) -> None:
        self._lock = lock
        self._connection = connection

    def __enter__(self) -> sqlite3.Connection:
        self._lock.acquire()
        return self._connection

    def __exit__(self, *_: object) -> None:
        self._lock.release()


def _unusable(path: Path, error: sqlite3.DatabaseError) -> str:
    """Why a database cannot be opened, and what to do."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return (
            f"{path} is damaged ({error}). Put back a copy of it, move it away to start empty, or "
            "give another folder with --data."
        )
    return (
        f"{path} cannot be opened ({error}). See that this user may write it and its folder, or "
        "give another folder with --data."
    )


def _scripts() -> dict[int, Path]:
    """The schema's scripts by their number."""
    return {int(path.name[:4]): path for path in sorted(SCHEMA_FOLDER.glob("*.sql"))}


def _check_version(connection: sqlite3.Connection) -> int:
    """The number of the last script that a database has had. StartError for one from the future."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    newest = max(_scripts())
    if version > newest:
        raise StartError(
            f"The data folder was written by a newer version (schema {version}, "
            f"this one knows {newest}). Update, or give another folder with --data."
        )
    return int(version)
