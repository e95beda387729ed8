"""The small process beside each job: starts it, logs it, ends it in time, says how it ended.

Run by path, `python -P supervisor.py FOLDER`, in a session of its own, so that it outlives the
server. FOLDER holds `spec.json` (see `JobSpec`); here come `stdout.log`, `stderr.log`,
`supervisor.json` (who supervises) and at the end `exit.json`, by rename. Whoever holds the lock
on `lock` is the only supervisor of the job; a second one, started by a server that could not know
of the first, waits for its end and leaves.
"""

import contextlib
import ctypes
import fcntl
import json
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil

# <linux/prctl.h> and <linux/capability.h>
PR_CAPBSET_DROP, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL = 24, 47, 4
CAP_DAC_OVERRIDE = 1
LINUX_CAPABILITY_VERSION_3 = 0x20080522
IS_LINUX_ROOT = sys.platform == "linux" and os.geteuid() == 0
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


def main(folder: Path) -> None:
    """Returns when the job has ended and `exit.json` says how."""
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "supervisor.json").exists():
            _supervise(folder, json.loads((folder / "spec.json").read_text()))


def _supervise(folder: Path, spec: dict[str, Any]) -> None:
    wake, stopping = _listen()
    started = time.time()
    try:
        child = _start(folder, spec)
    except OSError as problem:
        _finish(folder, started, code=None, reason="not_started", message=str(problem))
        return
    deadline = started + spec["timeoutSeconds"] if spec["timeoutSeconds"] else None
    fault = spec.get("dies") or {}
    dies_at = started + fault["afterSeconds"] if fault else None
    reason = _wait(child, wake, stopping, deadline, dies_at)
    if reason not in ("exited", "died"):
        _end_group(child, wake, spec["graceSeconds"])
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)  # what the job itself left behind
    code = child.wait()
    if reason == "died":  # as was asked for: a signal, or an exit code that the job never had
        reason, code = "exited", fault["exitCode"] if fault["exitCode"] >= 0 else code
    _finish(folder, started, code=code, reason=reason, message="")


def _listen() -> tuple[socket.socket, list[int]]:
    """A socket that becomes readable on any signal, and the stop signals received so far."""
    wake, written = socket.socketpair()
    wake.setblocking(False)
    written.setblocking(False)
    stopping: list[int] = []
    for number in STOP_SIGNALS:
        signal.signal(number, lambda received, _frame: stopping.append(received))
    signal.signal(signal.SIGCHLD, lambda _received, _frame: None)
    signal.set_wakeup_fd(written.detach())
    return wake, stopping


def _start(folder: Path, spec: dict[str, Any]) -> subprocess.Popen[bytes]:
    identity = {"pid": os.getpid(), "processStarted": psutil.Process().create_time()}
    _write(folder / "supervisor.json", identity)
    with (folder / "stdout.log").open("ab") as out, (folder / "stderr.log").open("ab") as err:
        child = subprocess.Popen(
            spec["command"],
            env=spec["environment"],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            start_new_session=True,
            preexec_fn=_heed_permissions if IS_LINUX_ROOT else None,
        )
    with contextlib.suppress(psutil.NoSuchProcess):
        identity |= {"childPid": child.pid, "childStarted": psutil.Process(child.pid).create_time()}
    _write(folder / "supervisor.json", identity)
    return child


def _heed_permissions() -> None:
    """From here on permission bits hold for root too (Linux: no CAP_DAC_OVERRIDE).

    The links in a job's view lead to files that are 0400: opened for writing by mistake, they must
    refuse. In the child, before its command; capabilities(7) has the rules of exec for root.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, 0, 0, 0)
    libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
    header = struct.pack("=Ii", LINUX_CAPABILITY_VERSION_3, 0)
    sets = ctypes.create_string_buffer(24)
    if libc.capget(header, sets) == 0:
        words = list(struct.unpack("=6I", sets.raw))
        words[2] &= ~(1 << CAP_DAC_OVERRIDE)  # inheritable, of the first 32 capabilities
        libc.capset(header, struct.pack("=6I", *words))


def _wait(
    child: subprocess.Popen[bytes],
    wake: socket.socket,
    stopping: list[int],
    deadline: float | None,
    dies_at: float | None,
) -> str:
    """Why the wait ended: `exited`, `timeout`, `cancelled`, or `died` by a fault asked for."""
    ends = sorted(
        (at, reason) for at, reason in ((deadline, "timeout"), (dies_at, "died")) if at is not None
    )
    while child.poll() is None:
        if stopping:
            return "cancelled"
        left = ends[0][0] - time.time() if ends else None
        if left is not None and left <= 0:
            return ends[0][1]
        _sleep(wake, left)
    return "exited"


def _sleep(wake: socket.socket, seconds: float | None) -> None:
    select.select([wake], [], [], seconds)
    with contextlib.suppress(BlockingIOError):
        wake.recv(4096)


def _end_group(child: subprocess.Popen[bytes], wake: socket.socket, grace_seconds: float) -> None:
    """Asks the job's whole process group to end, then ends it."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGTERM)
    deadline = time.time() + grace_seconds
    while child.poll() is None and (left := deadline - time.time()) > 0:
        _sleep(wake, left)
    if child.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)


def _finish(folder: Path, started: float, *, code: int | None, reason: str, message: str) -> None:
    ended = {"started": started, "ended": time.time()}
    _write(folder / "exit.json", {"code": code, "reason": reason, "message": message, **ended})


def _write(path: Path, value: dict[str, Any]) -> None:
    partial = path.with_suffix(".partial")
    with partial.open("w") as file:
        json.dump(value, file)
        file.flush()
        os.fsync(file.fileno())
    partial.rename(path)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
