"""The trainer as a process of this machine: one for each folder, followed by what it writes.

It goes on when `ops` is killed, and holds the folder's lock until it ends; whoever comes then
follows it, for its log and its files say everything.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

LOCK, LOG = "lock", "log.jsonl"
LOOK_SECONDS = 0.2
STOP_SECONDS = 20.0
LINES_KEPT = 8
OWN_VARIABLES = ("AIP_", "CLOUD_ML_", "TF_CONFIG", "CLUSTER_SPEC")


@dataclass(frozen=True)
class Ended:
    """How a trainer ended: `exit_code` is None when another `ops` had started it."""

    exit_code: int | None
    last_lines: tuple[str, ...]


def variables(folder: Path, mount: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """The environment that Vertex AI would set, with folders in place of gs:// URIs."""
    kept = {key: value for key, value in environ.items() if not key.startswith(OWN_VARIABLES)}
    return {
        **kept,
        "GCS_MOUNT": str(mount),
        "AIP_MODEL_DIR": str(folder / "model"),
        "AIP_CHECKPOINT_DIR": str(folder / "checkpoints"),
        "AIP_TENSORBOARD_LOG_DIR": str(folder / "logs"),
    }


def run(
    folder: Path,
    arguments: Sequence[str],
    environ: Mapping[str, str],
    said: Callable[[Mapping[str, Any]], None],
) -> Ended:
    """How the folder's trainer ended; one that is at work there already is followed.

    `said` is given each line of its log as a mapping. Interrupted, it stops its own trainer and
    raises KeyboardInterrupt again; one of another `ops` goes on.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK).open("a") as lock:
        if not _taken(lock):
            return Ended(None, _follow(folder, lambda: _taken(lock), said))
        with (folder / LOG).open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", "trainer.task", *arguments],
                env=dict(environ),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                pass_fds=(lock.fileno(),),
            )
        with _stopped_with_us(process):
            lines = _follow(folder, lambda: process.poll() is not None, said)
        return Ended(process.returncode, lines)


def _taken(lock: TextIO) -> bool:
    """Whether the lock is ours now; the trainer inherits it."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


@contextmanager
def _stopped_with_us(process: subprocess.Popen[bytes]) -> Iterator[None]:
    try:
        yield
    except BaseException:
        _stop(process)
        raise


def _stop(process: subprocess.Popen[bytes]) -> None:
    os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _follow(
    folder: Path, is_over: Callable[[], bool], said: Callable[[Mapping[str, Any]], None]
) -> tuple[str, ...]:
    """The last lines of the log, once `is_over`; each line is handed on when it is whole."""
    last: list[str] = []
    begun = b""
    with (folder / LOG).open("rb") as log:
        while True:
            over = is_over()
            *whole, begun = (begun + log.read()).split(b"\n")
            for line in [*whole, *([begun] if over and begun else [])]:
                text = line.decode(errors="replace")
                last = [*last, text][-LINES_KEPT:]
                said(entry(text))
            if over:
                return tuple(last)
            time.sleep(LOOK_SECONDS)


def entry(line: str) -> dict[str, Any]:
    """A line of the log as the trainer wrote it, or {"message": line} if it is no JSON object."""
    try:
        found = json.loads(line)
    except ValueError:
        return {"message": line}
    return found if isinstance(found, dict) else {"message": line}
