"""The most memory that a process and its children ever had."""

import os
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.jobs import Process

EVERY_SECONDS = 0.1


@dataclass
class Gauge:
    """Watches a job to its end: a `Watch` of `bench.jobs`.

    `resident_bytes` is the most that all its processes had in memory at one look, or that the first
    had at any time as the kernel counted (ru_maxrss), whichever is more. Pages of memory-mapped
    files are in it; `own_bytes` is the most without them (RssAnon), which no disk could take back.
    """

    resident_bytes: int = 0
    own_bytes: int = 0

    def __call__(self, process: Process, most_seconds: float) -> None:
        """Return when the process has ended. Raises subprocess.TimeoutExpired if it does not."""
        deadline = time.monotonic() + most_seconds
        while time.monotonic() < deadline:
            ended, status, usage = os.wait4(process.pid, os.WNOHANG)
            if ended:
                process.returncode = os.waitstatus_to_exitcode(status)
                self.resident_bytes = max(self.resident_bytes, usage.ru_maxrss * 1024)
                return
            self.look(process.pid)
            time.sleep(EVERY_SECONDS)
        raise subprocess.TimeoutExpired(process.args, most_seconds)

    def look(self, pid: int) -> None:
        """One look at the process and its descendants."""
        resident, own = 0, 0
        for one in tree(pid):
            sizes = sizes_of(one)
            resident += sizes.get("VmRSS", 0)
            own += sizes.get("RssAnon", 0)
        self.resident_bytes = max(self.resident_bytes, resident)
        self.own_bytes = max(self.own_bytes, own)


def tree(pid: int) -> list[int]:
    """The process and all that it started."""
    import psutil

    try:
        found: Any = psutil.Process(pid).children(recursive=True)
    except psutil.Error:
        return [pid]
    return [pid, *(child.pid for child in found)]


def sizes_of(pid: int) -> dict[str, int]:
    """The sizes in a process's status, in bytes; none of one that is gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return {}
    words = [line.split() for line in lines]
    return {one[0].rstrip(":"): int(one[1]) * 1024 for one in words if one[-1] == "kB"}
