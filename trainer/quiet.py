"""Standard error without the remarks of TensorFlow's and LiteRT's C++: a job's log calls it ERROR.

Nothing else silences them (tensorflow 2.21, ai_edge_litert 2.1, tried 2026-11-21): absl writes what
comes before its `InitializeLog()` whatever TF_CPP_MIN_LOG_LEVEL says, LiteRT's logger has no
setting in Python.
"""

from __future__ import annotations

import atexit
import os
import re
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO

STANDARD_ERROR = 2
REMARK = re.compile(
    rb"INFO: |WARNING: All log messages before absl::|[IW]\d{4} \d\d:\d\d:"
    rb"|\d{4}-\d\d-\d\d .*: [IW] |To enable the following instructions"
    rb"|.*(cuda|cuInit|cuDNN|cuBLAS|cuFFT|TensorRT)"
)


@contextmanager
def without_remarks() -> Iterator[None]:
    """Holds back what is written to file descriptor 2, then passes on all but the remarks.

    Several threads may be inside at once; what they wrote comes out when the last one leaves, or
    when the process ends with one still inside.
    """
    _held_back.enter()
    try:
        yield
    finally:
        _held_back.leave()


@dataclass
class _HeldBack:
    lock: threading.Lock = field(default_factory=threading.Lock)
    inside: int = 0
    kept: IO[bytes] | None = None
    real: int = -1

    def enter(self) -> None:
        with self.lock:
            self.inside += 1
            if self.kept is None:
                self.kept = tempfile.TemporaryFile()  # noqa: SIM115 (closed in _pass_on)
                self.real = os.dup(STANDARD_ERROR)
                os.dup2(self.kept.fileno(), STANDARD_ERROR)
                atexit.register(self.release)

    def leave(self) -> None:
        with self.lock:
            self.inside -= 1
            if self.inside == 0:
                self._pass_on()

    def release(self) -> None:
        """Passes on what is held back, whoever is inside."""
        with self.lock:
            self._pass_on()

    def _pass_on(self) -> None:
        if self.kept is None:
            return
        os.dup2(self.real, STANDARD_ERROR)
        os.close(self.real)
        atexit.unregister(self.release)
        self.kept.seek(0)
        lines = [line for line in self.kept if not REMARK.match(line)]
        self.kept.close()
        self.kept = None
        if lines:
            os.write(STANDARD_ERROR, b"".join(lines))


_held_back = _HeldBack()
