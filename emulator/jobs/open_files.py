"""Which files the processes of a job hold open for writing, by Linux's /proc."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

PROC = Path("/proc")
Identity = tuple[int, int]


def written_by(session: int) -> set[Identity]:
    """Device and inode of every file that a process of this session could still write to.

    A job is the leader of a session of its own. Empty where there is no /proc to read.
    """
    found: set[Identity] = set()
    for pid in _members(session):
        with suppress(OSError):
            for descriptor in (PROC / str(pid) / "fd").iterdir():
                with suppress(OSError, ValueError):
                    if _is_for_writing(descriptor):
                        stat = descriptor.stat()
                        found.add((stat.st_dev, stat.st_ino))
    return found


def _members(session: int) -> Iterator[int]:
    with suppress(FileNotFoundError):
        for name in (entry.name for entry in PROC.iterdir()):
            if name.isdigit():
                with suppress(ProcessLookupError, PermissionError):
                    if os.getsid(int(name)) == session:
                        yield int(name)


def _is_for_writing(descriptor: Path) -> bool:
    about = descriptor.parent.with_name("fdinfo") / descriptor.name
    for line in about.read_text().splitlines():
        key, _, value = line.partition(":")
        if key == "flags":
            return int(value, 8) & os.O_ACCMODE != os.O_RDONLY
    return False
