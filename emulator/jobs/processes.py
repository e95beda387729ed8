"""Processes known by pid and start time: a pid alone may be somebody else's by now."""

import os
import signal
from contextlib import suppress

import psutil

# psutil derives start times from the time of boot, which moves when the clock is set right.
SAME_START_SECONDS = 2.0


def is_alive(pid: int, started: float) -> bool:
    """Whether the process that had this pid since `started` (epoch seconds) still runs."""
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        return bool(abs(process.create_time() - started) <= SAME_START_SECONDS)
    except psutil.NoSuchProcess:
        return False


def signal_process(pid: int, started: float, number: signal.Signals) -> bool:
    """Whether the signal was sent: only to the process that was started then."""
    if not is_alive(pid, started):
        return False
    with suppress(ProcessLookupError):
        os.kill(pid, number)
        return True
    return False


def kill_group(pid: int, started: float) -> None:
    """Ends a process group by its leader, if that is still the one started then."""
    if is_alive(pid, started):
        with suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
