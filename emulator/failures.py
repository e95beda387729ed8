"""Failures of the machine, not of the request: a full disk is an answer, not half a write."""

from __future__ import annotations

import errno
import re
import sqlite3
from pathlib import Path
from typing import Any

from emulator.json_bodies import TOO_DEEP

SHA256 = re.compile(r"[0-9a-f]{64}")
DISK_FULL = (
    "The disk of the local cloud is full; nothing of this request was stored. "
    "Free some space and send it again."
)


def is_disk_full(error: BaseException) -> bool:
    """Whether an error of the file system or of SQLite says that there is no space."""
    if isinstance(error, OSError):
        return error.errno in (errno.ENOSPC, errno.EDQUOT)
    if not isinstance(error, sqlite3.OperationalError):
        return False
    code = getattr(error, "sqlite_errorcode", 0)
    # Where the index of its log cannot grow, SQLite speaks of an I/O error.
    return code & 0xFF == sqlite3.SQLITE_FULL or code == sqlite3.SQLITE_IOERR_SHMSIZE


def _sentence(error: BaseException) -> str:
    """What to tell of a failure that is the server's."""
    name = Path(str(getattr(error, "filename", ""))).name
    if isinstance(error, FileNotFoundError) and SHA256.fullmatch(name):
        return (
            "The bytes of this object are missing from the data folder: somebody removed the file "
            f"blobs/{name[:2]}/{name}. Put it back, or delete the object."
        )
    return f"Internal error: {type(error).__name__}. See the server's log."


def failure_answer(error: BaseException) -> tuple[int, dict[str, Any]]:
    """HTTP code and JSON body: 507 for a full disk (clients do not retry it), else 500.

    What is nested too deep to be followed is the client's doing: 400.
    """
    if isinstance(error, RecursionError):
        return 400, _too_deep()
    full = is_disk_full(error)
    code = 507 if full else 500
    message = DISK_FULL if full else _sentence(error)
    body = {
        "code": code,
        "message": message,
        "status": "RESOURCE_EXHAUSTED" if full else "INTERNAL",
        "errors": [
            {
                "message": message,
                "domain": "global",
                "reason": "insufficientStorage" if full else "internalError",
            }
        ],
    }
    return code, {"error": body}


def _too_deep() -> dict[str, Any]:
    message = f"Invalid value: {TOO_DEEP}"
    errors = [{"message": message, "domain": "global", "reason": "invalid"}]
    error = {"code": 400, "message": message, "status": "INVALID_ARGUMENT", "errors": errors}
    return {"error": error}
