"""A local cloud as a process of its own, for tests that need one."""

import os
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
GOOGLE_VARIABLES = ("GOOGLE_", "STORAGE_EMULATOR_HOST", "CLOUDSDK_", "OPS_", "GCLOUD_")


@dataclass(frozen=True)
class LocalCloud:
    """A running server: its address, folder, and the variables that lead the SDKs to it."""

    url: str
    data: Path
    process: subprocess.Popen[str]

    @property
    def variables(self) -> dict[str, str]:
        """The lines of the data folder's `env` file."""
        words = shlex.split((self.data / "env").read_text())
        return dict(word.split("=", 1) for word in words)


def clean_environment(**more: str) -> dict[str, str]:
    """This process's environment without anything that points at a cloud, and with `more`."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(GOOGLE_VARIABLES)}
    return kept | more


def start_cloud(data: Path, *arguments: str, port: int = 0) -> LocalCloud:
    """A server on `data` that accepts requests."""
    command = [sys.executable, "-m", "emulator", "serve", "--port", str(port), "--data", str(data)]
    log = (data.parent / f"{data.name}.log").open("a")
    process = subprocess.Popen(
        [*command, *arguments],
        cwd=ROOT,
        env=clean_environment(),
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
    )
    assert process.stdout is not None
    ready = process.stdout.readline()
    assert ready.startswith("ready http://127.0.0.1:"), Path(log.name).read_text()[-2000:]
    return LocalCloud(ready.split()[1], data, process)


@contextmanager
def running_cloud(data: Path, *arguments: str) -> Iterator[LocalCloud]:
    """A server that is stopped, with its jobs, at the end."""
    cloud = start_cloud(data, *arguments)
    try:
        yield cloud
    finally:
        stop_cloud(cloud)


def stop_cloud(cloud: LocalCloud) -> None:
    """End the server and every process that it started for jobs and predictions."""
    import psutil

    cloud.process.terminate()
    cloud.process.wait(timeout=20)
    if cloud.process.stdout:
        cloud.process.stdout.close()
    for process in psutil.process_iter(["cmdline", "environ"]):
        command = " ".join(process.info["cmdline"] or [])
        if str(cloud.data) in command or str(cloud.data) in str(process.info["environ"] or {}):
            process.kill()


def wait_until(condition: Callable[[], bool], max_seconds: float = 60) -> None:
    """Return once `condition` holds; fail the test after `max_seconds`."""
    deadline = time.monotonic() + max_seconds
    while not condition():
        assert time.monotonic() < deadline, f"not so within {max_seconds} s: {condition}"
        time.sleep(0.05)
