"""Terraform as a process of its own: it goes on when `ops` is killed, and its files say the rest.

It writes to files and not to a pipe: a pipe that loses its reader ends Terraform (SIGPIPE) in the
middle of an apply, with nothing of it in the state. In a session of its own it also hears Ctrl-C
once, from here, and not a second time from the terminal, which would stop it at once.
"""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ops.errors import Code, OpsError

if TYPE_CHECKING:
    from psutil import Process

RUNNING, LOG, ERRORS, ALONE = "running.json", "log.jsonl", "errors.txt", "lock"
FILES = (RUNNING, LOG, ERRORS, ALONE)
PROGRAM = "terraform"
LOOK_SECONDS = 0.05
STOP_SECONDS = 20.0
STOPPING = "stopping"

Event = Mapping[str, Any]
Said = Callable[[Event], None]


@dataclass(frozen=True)
class Ended:
    """How it ended: `exit_code` is None when it ran out of time; the events of its log, in order.

    `errors` is what it wrote to standard error: nothing, unless it crashed.
    """

    exit_code: int | None
    events: tuple[Event, ...]
    errors: str


@dataclass(frozen=True)
class Began:
    """The last process that was started in a folder, and has not been seen to end."""

    command: str
    began: datetime


def run(
    arguments: Sequence[str],
    folder: Path,
    environment: Mapping[str, str],
    said: Said,
    max_seconds: float | None = None,
) -> Ended:
    """How Terraform ended; `said` is given each event of its JSON output as it comes.

    Interrupted, it is sent SIGINT and waited for: it finishes what it began and saves its state
    (6 s measured, with a service account being made). Then KeyboardInterrupt is raised again.
    """
    _mark(folder, arguments, None)
    with (folder / LOG).open("wb") as log, (folder / ERRORS).open("wb") as errors:
        process = subprocess.Popen(
            arguments,
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=errors,
            start_new_session=True,
        )
    _mark(folder, arguments, process.pid)
    try:
        events, in_time = _until_over(process, folder, said, max_seconds)
    finally:
        # One that was killed has left its lock: what was begun is known by this file.
        ended = process.poll()
        if ended is not None and ended >= 0:
            (folder / RUNNING).unlink(missing_ok=True)
    text = (folder / ERRORS).read_text(encoding="utf-8", errors="replace")
    return Ended(process.returncode if in_time else None, tuple(events), text.strip())


def take_up(folder: Path, said: Said) -> bool:
    """Whether a Terraform of an `ops` that is gone was at work here; returns when it has ended."""
    earlier = at_work(folder)
    if earlier is None:
        return False
    log = _Log(folder)
    while _lives(earlier):
        log.tell(said)
        time.sleep(LOOK_SECONDS)
    log.tell(said)
    return True


def began(folder: Path) -> Began | None:
    """What was begun in the folder and not seen to end; None when all ended."""
    try:
        found = json.loads((folder / RUNNING).read_text(encoding="utf-8"))
        return Began(str(found["command"]), datetime.fromisoformat(found["began"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def at_work(folder: Path) -> Process | None:
    """The Terraform that works in this folder now."""
    where = folder.absolute()
    return next((one for one, cwd in _programs() if cwd == str(where)), None)


def elsewhere_since(folder: Path, bucket: str, server: str, moment: datetime) -> bool:
    """Whether a Terraform in another folder, with its state in this bucket, ran at that moment.

    `server` is the local cloud's address, or empty: there may be a bucket of that name in several.
    """
    where = str(folder.absolute())
    return any(
        cwd != where
        and one.info["create_time"] <= moment.timestamp()
        and _joined_to(Path(cwd), bucket)
        and _endpoint(one).startswith(server)
        for one, cwd in _programs()
    )


def this_user() -> tuple[str, ...]:
    """How Terraform would name this user on this machine in a lock: `user@host`."""
    import getpass
    import os
    import pwd
    import socket

    host = socket.gethostname()
    return f"{pwd.getpwuid(os.getuid()).pw_name}@{host}", f"{getpass.getuser()}@{host}"


class Alone:
    """Holds the folder for one `ops`; a lock of the system's, which ends with its process."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / ALONE

    def __enter__(self) -> None:
        import fcntl

        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self._path.open("a")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._file.close()
            raise OpsError(
                Code.BUSY,
                f"Another ops is at work with Terraform in {self._path.parent}.",
                "Wait for it to end, then type the same command again.",
            ) from None

    def __exit__(self, *_: object) -> None:
        self._file.close()


def _mark(folder: Path, arguments: Sequence[str], pid: int | None) -> None:
    """Written before the process begins too: whoever dies between has begun one."""
    now = datetime.now(UTC).isoformat()
    body = {"command": arguments[1], "pid": pid, "began": now}
    if pid is not None:
        known = began(folder)
        body["began"] = known.began.isoformat() if known else now
    new = folder / f"{RUNNING}.new"
    new.write_text(json.dumps(body) + "\n", encoding="utf-8")
    new.replace(folder / RUNNING)


def _until_over(
    process: subprocess.Popen[bytes], folder: Path, said: Said, max_seconds: float | None
) -> tuple[list[Event], bool]:
    """The events, and whether it ended in time; an interrupt is passed on and waited out."""
    deadline = None if max_seconds is None else time.monotonic() + max_seconds
    log, interrupted = _Log(folder), False
    while True:
        try:
            over = process.poll() is not None
            log.tell(said)
            if over:
                break
            if deadline is not None and time.monotonic() > deadline:
                _stop(process)
                return log.events, False
            time.sleep(LOOK_SECONDS)
        except KeyboardInterrupt:
            interrupted = True
            process.send_signal(signal.SIGINT)
            said({"type": STOPPING})
    if interrupted:
        raise KeyboardInterrupt
    return log.events, True


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGINT)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


class _Log:
    """The log of the folder, read as it grows."""

    def __init__(self, folder: Path) -> None:
        self.events: list[Event] = []
        self._file = (folder / LOG).open("rb")
        self._begun = b""
        self._told = 0

    def tell(self, said: Said) -> None:
        """Read what is new, and hand on each event that is whole and was not told before."""
        *whole, self._begun = (self._begun + self._file.read()).split(b"\n")
        self.events += [event for event in map(_event, whole) if event]
        while self._told < len(self.events):
            self._told += 1
            said(self.events[self._told - 1])


def _event(line: bytes) -> Event:
    """A line of Terraform's JSON output; {} for what is none."""
    with suppress(ValueError):
        found = json.loads(line)
        if isinstance(found, dict):
            return found
    return {}


def _joined_to(folder: Path, bucket: str) -> bool:
    """Whether `init` joined the folder to a state in this bucket: there it writes down which."""
    try:
        found = json.loads((folder / ".terraform" / "terraform.tfstate").read_text("utf-8"))
        return bool(found["backend"]["config"]["bucket"] == bucket)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _endpoint(process: Process) -> str:
    """Where its environment leads calls for buckets; empty for Google itself."""
    import psutil

    try:
        return str(process.environ().get("GOOGLE_STORAGE_CUSTOM_ENDPOINT", ""))
    except psutil.Error:
        return ""


def _lives(process: Process) -> bool:
    """Whether it still runs: one that has ended and that nobody asked about does not."""
    import psutil

    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


def _programs() -> Iterator[tuple[Process, str]]:
    """Every Terraform of this user, and the folder it works in; providers are none."""
    import psutil

    for one in psutil.process_iter(["name", "cwd", "create_time"]):
        if one.info["name"] == PROGRAM and one.info["cwd"] and _lives(one):
            yield one, one.info["cwd"]
