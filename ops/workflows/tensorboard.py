"""TensorBoard on this machine for one run, with its files kept fresh."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.error import URLError
from urllib.request import urlopen

from ops.cloud import training
from ops.errors import Code, OpsError
from ops.ledger import Ledger
from ops.workflows import curves
from ops.workflows import logs as log_workflow
from ops.workflows.curves import Place

LOOPBACK = "127.0.0.1"
START_SECONDS = 60.0
LOOK_SECONDS = 0.1
STOP_SECONDS = 5.0


@contextmanager
def served(place: Place, port: int) -> Iterator[str]:
    """The address of a TensorBoard of the run's folder, for a `with` block; port 0 is a free one.

    PORT_IN_USE when somebody else has the port; NOT_PREPARED where it is not installed.
    """
    curves.check_installed()
    chosen = _free_port(port)
    command = [sys.executable, "-m", "tensorboard.main", "--logdir", str(place.folder)]
    command += ["--host", LOOPBACK, "--port", str(chosen), "--reload_interval", "5"]
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    try:
        _wait(process, chosen)
        yield f"http://{LOOPBACK}:{chosen}/"
    finally:
        _stop(process)


def _free_port(port: int) -> int:
    """That port, or for 0 any; PORT_IN_USE when somebody listens on it."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            raise OpsError(
                Code.PORT_IN_USE, f"Port {port} is in use.", "Leave --port out, or give another."
            ) from None
        return int(probe.getsockname()[1])


def _wait(process: subprocess.Popen[bytes], port: int) -> None:
    """Returns once TensorBoard answers."""
    deadline = time.monotonic() + START_SECONDS
    while not _answers(port):
        if process.poll() is not None:
            raise _dead(process, port)
        if time.monotonic() > deadline:
            raise OpsError(
                Code.TIMED_OUT,
                f"TensorBoard did not answer on port {port} within {START_SECONDS:.0f} s.",
                "Type the same command again, or see the curves with --text.",
            )
        time.sleep(LOOK_SECONDS)


def _dead(process: subprocess.Popen[bytes], port: int) -> OpsError:
    assert process.stderr is not None
    lines = process.stderr.read().decode(errors="replace").strip().splitlines()
    said = lines[-1] if lines else f"exit code {process.returncode}"
    message = f"TensorBoard did not start on port {port}: {said}"
    return OpsError(Code.INTERNAL, message, "See the curves with --text.")


def _answers(port: int) -> bool:
    try:
        with urlopen(f"http://{LOOPBACK}:{port}/", timeout=1):
            return True
    except (URLError, OSError):
        return False


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stderr:
        process.stderr.close()


def keep_fresh(ledger: Ledger, place: Place, told: Callable[[int], None]) -> None:
    """Fetches what is new, again and again, until the user interrupts; `told` how many files."""
    is_ended = False
    while True:
        if not is_ended:
            is_ended = _is_ended(ledger, place)
            if count := curves.fetch(ledger, place):
                told(count)
        ledger.session.pause_between_logs()


def _is_ended(ledger: Ledger, place: Place) -> bool:
    """Whether the files cannot change any more; asked before they are fetched."""
    if not place.prefix:
        return True
    record = ledger.get(place.run)
    if record.result:
        return True
    submitted = [e for e in ledger.events(place.run) if e.event == log_workflow.SUBMITTED]
    if not submitted:
        return False
    pipeline = training.get(ledger.session, str(submitted[-1].facts["pipeline"]))
    return pipeline.is_ended
