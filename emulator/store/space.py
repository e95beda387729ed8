"""How much of a disk is left for SQLite, and how long its log may grow before it is folded in."""

from __future__ import annotations

import os
from pathlib import Path

SMALL_DISK_BYTES = 1 << 30


def log_pages(folder: Path) -> int:
    """Pages of 4 KiB after which a commit folds the log into the database.

    16 MiB; on a small disk SQLite's own 4 MiB.
    """
    return 1000 if _is_small(os.statvfs(folder)) else 4000


def room_bytes(folder: Path) -> int:
    """Bytes that may still be written without taking what the database needs to go on.

    Left free is room for the log, so that on a full disk objects can still be deleted and the
    server restarted: SQLite writes before it frees.
    """
    disk = os.statvfs(folder)
    reserve = (8 << 20) if _is_small(disk) else (32 << 20)
    return disk.f_bavail * disk.f_frsize - reserve


def _is_small(disk: os.statvfs_result) -> bool:
    return disk.f_blocks * disk.f_frsize < SMALL_DISK_BYTES
