"""How much of a disk is left for SQLite, and how long its log may grow before it is folded in."""

from __future__ import annotations

import os
from pathlib import Path

PAGE_BYTES = 4 << 10
# (size of the disk, length of the log, what is left free), the largest disk first. Each fold waits
# for the disk: keys in no order touch a page each, which a longer log writes fewer times.
DISKS = (
    (16 << 30, 64 << 20, 96 << 20),
    (1 << 30, 16 << 20, 32 << 20),
    (0, 4 << 20, 8 << 20),  # SQLite's own length
)


def log_pages(folder: Path) -> int:
    """Pages of 4 KiB after which a commit folds the log into the database."""
    return _lengths(os.statvfs(folder))[0] // PAGE_BYTES


def room_bytes(folder: Path) -> int:
    """Bytes that may still be written without taking what the database needs to go on.

    Left free is room for the log, so that on a full disk objects can still be deleted and the
    server restarted: SQLite writes before it frees.
    """
    disk = os.statvfs(folder)
    return disk.f_bavail * disk.f_frsize - _lengths(disk)[1]


def _lengths(disk: os.statvfs_result) -> tuple[int, int]:
    """Bytes of the log and bytes that are left free, on a disk of this size."""
    size_bytes = disk.f_blocks * disk.f_frsize
    return next((log, free) for least, log, free in DISKS if size_bytes >= least)
