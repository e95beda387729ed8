"""Faults that tests ask for: a status, a reset, a delay or a full disk, for the next requests."""

from __future__ import annotations

import errno
import threading
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Any

from emulator.errors import ApiError

_disk_full: ContextVar[bool] = ContextVar("disk_full", default=False)


@dataclass(frozen=True)
class Fault:
    """One scripted fault: which requests it meets, what happens to them, how many times."""

    path_prefix: str
    method: str = ""
    status: int = 0
    reset: bool = False
    delay_seconds: float = 0.0
    disk_full: bool = False
    times: int = 1

    def meets(self, method: str, path: str) -> bool:
        """Whether a request is one of those it was written for."""
        return path.startswith(self.path_prefix) and self.method in ("", method)


class Faults:
    """The faults still to happen, first asked for first met."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, scripts: list[dict[str, Any]]) -> None:
        """Adds faults as they come in JSON. INVALID_ARGUMENT for a field that is not one."""
        try:
            faults = [Fault(**script) for script in scripts]
        except TypeError as error:
            known = ", ".join(Fault.__dataclass_fields__)
            raise ApiError(
                "INVALID_ARGUMENT", f"A fault is an object of {known}. Received: {error}"
            ) from None
        with self._lock:
            self._waiting.extend(faults)

    def take(self, method: str, path: str) -> Fault | None:
        """The fault that this request meets, counted down, or None."""
        if not self._waiting:
            return None
        with self._lock:
            for place, fault in enumerate(self._waiting):
                if fault.meets(method, path):
                    left = fault.times - 1
                    self._waiting[place : place + 1] = [replace(fault, times=left)] * (left > 0)
                    return fault
        return None

    def waiting(self) -> list[dict[str, Any]]:
        """What has not yet happened, as it would be asked for."""
        with self._lock:
            return [dict(vars(fault)) for fault in self._waiting]

    def clear(self) -> None:
        """Forgets every fault."""
        with self._lock:
            self._waiting.clear()


def fill_disk() -> None:
    """Makes every write of bytes by this request fail as on a full disk."""
    _disk_full.set(True)


def check_disk() -> None:
    """Raises OSError (ENOSPC) where `fill_disk` was called; the blobs call it before writing."""
    if _disk_full.get():
        raise OSError(errno.ENOSPC, "No space left on device")
