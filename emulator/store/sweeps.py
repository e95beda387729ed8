"""Bytes that nothing refers to, removed after a start: a little at once, the rest beside requests.

A crash leaves bytes whose row was not committed. A folder of a million files takes seconds to look
through, and nobody has to wait for it.
"""

from __future__ import annotations

import asyncio
import time

from emulator.jobs import Jobs
from emulator.store.blobs import FOLDERS, Blobs

AT_ONCE_SECONDS = 0.2


def sweep_at_start(blobs: Blobs, jobs: Jobs, at_once_seconds: float = AT_ONCE_SECONDS) -> None:
    """Sweeps for so long, and what is left when `jobs` start."""
    left = list(FOLDERS)
    deadline = time.monotonic() + at_once_seconds
    while left and time.monotonic() < deadline:
        blobs.sweep_folder(left.pop())

    async def go_on() -> None:
        while left:
            await asyncio.to_thread(blobs.sweep_folder, left.pop())

    jobs.on_start(lambda: jobs.spawn(go_on(), "sweep") if left else None)
