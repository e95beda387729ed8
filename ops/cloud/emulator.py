"""The local Google Cloud as a process: found, started, stopped, emptied."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from ops.errors import Code, OpsError

SERVER_FILE = "server.json"
START_LOCK = "ops-start.lock"
LOG_FILE = "server.log"
READY = b"ready http"
START_SECONDS = 60.0
STOP_SECONDS = 15.0
LOOK_SECONDS = 0.02
LOG_LINES_SHOWN = 8
RESET_SECONDS = 60.0


@dataclass(frozen=True)
class Server:
    """A running server of one data folder."""

    pid: int
    process_started: float
    port: int
    url: str
    version: str
    data: Path


def find(data: Path) -> Server | None:
    """The server that runs on this data folder, known by pid and start time, or None."""
    server = _on_record(data)
    return server if server is not None and _alive(server) else None


def ensure(data: Path, port: int = 0) -> Server:
    """The running server of this data folder, started if there is none; two callers get one."""
    server = find(data)
    if server is None:
        data.mkdir(parents=True, exist_ok=True)
        with _only_starter(data):
            server = find(data) or start(data, port)
    return _same_version(server)


def start(data: Path, port: int = 0, command: Sequence[str] | None = None) -> Server:
    """A new server, ready. `port` 0 takes the last one of this folder if free, else any.

    PORT_IN_USE when `port` is taken; EMULATOR_DIED with its last log lines when it ends before
    it is ready; TIMED_OUT when it is not ready after a minute.
    """
    data.mkdir(parents=True, exist_ok=True)
    if port and not port_free(port):
        raise _port_in_use(port)
    argv = command or _serve_command(data, port or _last_port(data))
    log = data / LOG_FILE
    written = log.stat().st_size if log.exists() else 0
    with log.open("ab") as out:
        process = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True
        )
    return _when_ready(process, data, log, written)


def stop(data: Path) -> Server | None:
    """The server that was stopped; None when none ran. Jobs go on until the next start."""
    server = find(data)
    if server is None:
        return None
    os.kill(server.pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    while _alive(server):
        if time.monotonic() > deadline:
            os.kill(server.pid, signal.SIGKILL)
            deadline = time.monotonic() + STOP_SECONDS
        time.sleep(LOOK_SECONDS)
    return server


def going_on(data: Path) -> int:
    """How many trainings and prediction servers of this folder run, with or without a server."""
    return sum(_supervised(folder) for folder in (data / "jobs").glob("*"))


def reset(data: Path, port: int = 0) -> Server | None:
    """The running server, emptied: its jobs stopped, its resources and bytes gone.

    None when none ran: one is started for it, and stopped again.
    """
    running = find(data)
    try:
        server = _emptied(ensure(data, port))
    finally:
        if running is None:
            stop(data)
    return server if running else None


def _emptied(server: Server) -> Server:
    request = urllib.request.Request(f"{server.url}/_emulator/reset", data=b"", method="POST")
    with urllib.request.urlopen(request, timeout=RESET_SECONDS):
        return server


def port_free(port: int) -> bool:
    """Whether a server could listen on this loopback port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def last_log_lines(data: Path, lines: int = LOG_LINES_SHOWN) -> str:
    """The end of the server's log, a line each; empty when there is none."""
    log = data / LOG_FILE
    if not log.exists():
        return ""
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])


def _serve_command(data: Path, port: int) -> list[str]:
    python = [sys.executable, "-P", "-m", "emulator", "serve"]
    return [*python, "--port", str(port), "--data", str(data)]


def _on_record(data: Path) -> Server | None:
    try:
        found = json.loads((data / SERVER_FILE).read_text(encoding="utf-8"))
        return Server(
            pid=int(found["pid"]),
            process_started=float(found["process_started"]),
            port=int(found["port"]),
            url=str(found["url"]),
            version=str(found["version"]),
            data=data,
        )
    except (FileNotFoundError, NotADirectoryError, ValueError, KeyError):
        return None


def _alive(server: Server) -> bool:
    return _runs(server.pid, server.process_started)


def _supervised(folder: Path) -> bool:
    try:
        known = json.loads((folder / "supervisor.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return not (folder / "exit.json").exists() and _runs(known["pid"], known["processStarted"])


def _runs(pid: int, process_started: float) -> bool:
    import psutil

    try:
        process = psutil.Process(pid)
        running = process.status() != psutil.STATUS_ZOMBIE
        return bool(running and abs(process.create_time() - process_started) < 1.0)
    except psutil.Error:
        return False


def _last_port(data: Path) -> int:
    # A killed server leaves its file: on the same port, its clients find it again.
    server = _on_record(data)
    return server.port if server is not None and port_free(server.port) else 0


@contextmanager
def _only_starter(data: Path) -> Iterator[None]:
    with (data / START_LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _when_ready(process: subprocess.Popen[bytes], data: Path, log: Path, written: int) -> Server:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        ended = process.poll() is not None
        if _said_ready(log, written) and (server := find(data)) is not None:
            return server
        if ended:
            raise _died(data, process.returncode, written)
        time.sleep(LOOK_SECONDS)
    process.terminate()
    raise OpsError(
        Code.TIMED_OUT,
        f"The local Google Cloud was not ready after {START_SECONDS:.0f} s. "
        f"The end of {log}:\n{last_log_lines(data)}",
        "Type: ops doctor",
    )


def _said_ready(log: Path, written: int) -> bool:
    with log.open("rb") as file:
        file.seek(written)
        return any(line.startswith(READY) for line in file)


def _died(data: Path, exit_code: int, written: int) -> OpsError:
    log = data / LOG_FILE
    free_bytes = shutil.disk_usage(data).free
    said = f"The end of {log}:\n{last_log_lines(data)}"
    if log.stat().st_size == written:
        said = f"It wrote nothing to {log}; that disk has {free_bytes:,} bytes free."
    return OpsError(
        Code.EMULATOR_DIED,
        f"The local Google Cloud ended with exit code {exit_code} before it was ready. {said}",
        "Type: ops doctor",
    )


def _port_in_use(port: int) -> OpsError:
    return OpsError(
        Code.PORT_IN_USE,
        f"Port {port} is in use by another program, so the local Google Cloud cannot start on it.",
        "Set OPS_EMULATOR_PORT to another port, or to 0 for any free one.",
    )


def _same_version(server: Server) -> Server:
    ours = version("ops")
    if server.version == ours:
        return server
    raise OpsError(
        Code.EMULATOR_VERSION,
        f"The local Google Cloud that runs on {server.data} is version {server.version}; "
        f"this is ops {ours}.",
        "Type: ops emulator stop (the next command starts it again; nothing stored is lost).",
    )
