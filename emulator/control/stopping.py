"""`python -m emulator stop`: ends a folder's server and, when asked, what it left running."""

from __future__ import annotations

import argparse
import signal
import time
from pathlib import Path
from shlex import quote

from emulator.errors import StartError
from emulator.folder import DATABASE, DataFolder, read_json
from emulator.jobs import Jobs, processes

SERVER_PREFIX = "serve-"
STOP_SECONDS = 30.0
LOOK_SECONDS = 0.05


def run(options: argparse.Namespace, path: Path) -> int:
    """The exit code 0, once the server is gone; with `--jobs` its jobs and model servers too.

    StartError where the folder is none of a server's, or its server does not end in 30 s.
    """
    if not (path / DATABASE).exists():
        raise StartError(f"There is no server's data in {path}. Name its folder with --data DIR.")
    pid, folder = _held(path)
    try:
        print(f"Stopped the server (pid {pid})." if pid else "No server ran.")
        jobs = Jobs(path / "jobs")
        if options.jobs:
            print(_ended(jobs.end_all()))
        elif running := jobs.running():
            print(going_on(running, path))
    finally:
        folder.release()
    return 0


def going_on(running: list[str], path: Path) -> str:
    """What a user is told of the jobs of these ids, which no server follows now."""
    verb = "goes" if len(running) == 1 else "go"
    return (
        f"{_counted(running)} {verb} on; the next server of this folder takes them up. "
        f"To end them: python -m emulator stop --jobs --data {quote(str(path))}"
    )


def _ended(names: list[str]) -> str:
    return f"Ended {_counted(names)}." if names else "No job and no model server ran."


def _counted(names: list[str]) -> str:
    servers = sum(name.startswith(SERVER_PREFIX) for name in names)
    counts = ((len(names) - servers, "job"), (servers, "model server"))
    return " and ".join(f"{n} {word}{'s' if n > 1 else ''}" for n, word in counts if n)


def _held(path: Path) -> tuple[int, DataFolder]:
    """The pid of the server that was stopped, or 0, and the folder, which no other can have now."""
    deadline, pid = time.monotonic() + STOP_SECONDS, 0
    while True:
        try:
            return pid, DataFolder(path)
        except StartError:
            server = read_json(path / "server.json") or {}
            if "pid" in server and not pid:
                started = server["process_started"]
                if processes.signal_process(server["pid"], started, signal.SIGTERM):
                    pid = server["pid"]
            if time.monotonic() > deadline:
                raise
        time.sleep(LOOK_SECONDS)
