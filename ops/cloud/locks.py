"""Locks that two machines agree on: an object that only one of them can create."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from ops import names
from ops.cloud import storage
from ops.cloud.session import Session
from ops.errors import Code, OpsError

LOCK_SECONDS = 60.0
LOOK_SECONDS = 0.2


@contextmanager
def held(
    session: Session,
    name: str,
    wait_seconds: float,
    now: Callable[[], datetime],
    sleep: Callable[[float], None],
) -> Iterator[None]:
    """Hold `locks/NAME.json` of the stack for the block; it expires after a minute.

    BUSY when another owner keeps it for longer than `wait_seconds`. A lock that has expired, or
    whose process on this machine is gone, is taken over.
    """
    deadline = time.monotonic() + wait_seconds
    generation = _take(session, name, now())
    while generation is None:
        if time.monotonic() > deadline:
            raise _busy(session, name)
        sleep(LOOK_SECONDS)
        generation = _take(session, name, now())
    try:
        yield
    finally:
        storage.delete_object(
            session, session.settings.bucket, names.lock_object(name), generation=generation
        )


@dataclass(frozen=True)
class Holder:
    """Who holds a lock, as the lock object says."""

    owner: str
    host: str
    pid: int
    process_started: float
    expires: str

    def is_gone(self, now: datetime) -> bool:
        """Whether the lock has expired, or its process on this machine has ended."""
        if now > datetime.fromisoformat(self.expires):
            return True
        return self.host == socket.gethostname() and _started(self.pid) != self.process_started


def this_process(owner: str, now: datetime) -> Holder:
    """This process as a holder from now on."""
    pid = os.getpid()
    expires = (now + timedelta(seconds=LOCK_SECONDS)).isoformat()
    return Holder(owner, socket.gethostname(), pid, _started(pid), expires)


def _take(session: Session, name: str, now: datetime) -> int | None:
    from google.api_core.exceptions import PreconditionFailed

    bucket, target = session.settings.bucket, names.lock_object(name)
    body = json.dumps(asdict(this_process(session.settings.owner, now)))
    try:
        return storage.write_text(session, bucket, target, body, if_generation=storage.NEW)
    except PreconditionFailed:
        pass
    found = storage.read_text(session, bucket, target)
    if found is not None and Holder(**json.loads(found.text)).is_gone(now):
        storage.delete_object(session, bucket, target, generation=found.generation)
    return None


def _busy(session: Session, name: str) -> OpsError:
    found = storage.read_text(session, session.settings.bucket, names.lock_object(name))
    holder = Holder(**json.loads(found.text)) if found else None
    who = f" ({holder.owner} on {holder.host}, until {holder.expires})" if holder else ""
    return OpsError(
        Code.BUSY,
        f"{name} is being worked on by another ops{who}.",
        "Wait for it to end, then type the same command again.",
    )


def _started(pid: int) -> float:
    """When the process began, in seconds since 1970; 0 when there is none."""
    import psutil

    try:
        return float(psutil.Process(pid).create_time())
    except psutil.Error:
        return 0.0
