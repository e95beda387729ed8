"""1 GiB up and down, ours beside fake-gcs-server; and how much memory the server took for it.

One raw connection; the client makes no digest and keeps nothing. Runs alternate.
"""

from __future__ import annotations

import argparse
import os
import socket
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from urllib.parse import urlsplit

from bench.servers import MEBIBYTE, Server, fake_gcs, ours
from bench.table import Figure, show

SIZE_MIB, ROUNDS = 1024, 3
BUCKET = "bench"
PIECE = os.urandom(MEBIBYTE)
TIMEOUT_SECONDS = 300


class Peak:
    """The most resident memory that was seen, looked at 50 times a second."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._stop = threading.Event()
        self.before_mib = server.memory_mib()
        self.mib = self.before_mib
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def _watch(self) -> None:
        while not self._stop.wait(0.02):
            self.mib = max(self.mib, self._server.memory_mib())

    def stop(self) -> float:
        """How many MiB it grew by."""
        self._stop.set()
        self._thread.join()
        return self.mib - self.before_mib


@contextmanager
def watched(server: Server, grown: list[float]) -> Iterator[None]:
    """Adds to `grown` how much memory the server took in the meantime."""
    peak = Peak(server)
    try:
        yield
    finally:
        grown.append(peak.stop())


def _connected(url: str) -> socket.socket:
    address = urlsplit(url)
    return socket.create_connection(
        (address.hostname or "", address.port or 0), timeout=TIMEOUT_SECONDS
    )


def upload(url: str, size_mib: int) -> float:
    """MiB a second of one media upload, until it is acknowledged."""
    with _connected(url) as connection:
        began = time.perf_counter()
        connection.sendall(
            f"POST /upload/storage/v1/b/{BUCKET}/o?uploadType=media&name=large HTTP/1.1\r\n"
            f"Host: {urlsplit(url).netloc}\r\nContent-Type: application/octet-stream\r\n"
            f"Content-Length: {size_mib * MEBIBYTE}\r\nConnection: close\r\n\r\n".encode()
        )
        for number in range(size_mib):
            connection.sendall(number.to_bytes(8, "big") + PIECE[8:])
        answer = b""
        while data := connection.recv(65536):
            answer += data
        seconds = time.perf_counter() - began
    assert answer.startswith(b"HTTP/1.1 200"), answer[:300]
    return size_mib / seconds


def download(url: str, size_mib: int) -> float:
    """MiB a second of one download, to the last byte."""
    buffer = bytearray(MEBIBYTE)
    with _connected(url) as connection:
        began = time.perf_counter()
        connection.sendall(
            f"GET /storage/v1/b/{BUCKET}/o/large?alt=media HTTP/1.1\r\n"
            f"Host: {urlsplit(url).netloc}\r\nConnection: close\r\n\r\n".encode()
        )
        received = 0
        while count := connection.recv_into(buffer):
            received += count
        seconds = time.perf_counter() - began
    assert received >= size_mib * MEBIBYTE, received
    return size_mib / seconds


def once(
    start: Callable[[], AbstractContextManager[Server]], size_mib: int
) -> tuple[float, float, float]:
    """Rates of upload and download, and the memory that both took, on a new server."""
    grown: list[float] = []
    with start() as server:
        server.make_bucket(BUCKET)
        upload(server.url, 1)
        with watched(server, grown):
            up = upload(server.url, size_mib)
            down = download(server.url, size_mib)
        print(
            f"{server.name}: up {up:,.0f} MiB/s, down {down:,.0f} MiB/s,"
            f" memory + {grown[0]:,.0f} MiB, CPU {server.cpu_seconds():.1f} s",
            flush=True,
        )
    return up, down, grown[0]


def main() -> int:
    """Print medians, ratios of neighbouring runs, and the most memory."""
    parser = argparse.ArgumentParser(prog="python -m bench.large_objects")
    parser.add_argument("--mib", type=int, default=SIZE_MIB)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options = parser.parse_args()
    fake, own = [], []
    for _ in range(options.rounds):
        fake.append(once(fake_gcs, options.mib))
        own.append(once(ours, options.mib))
    figures = []
    for place, what in enumerate(("upload", "download")):
        theirs = statistics.median(run[place] for run in fake)
        mine = statistics.median(run[place] for run in own)
        ratio = statistics.median(a[place] / b[place] for a, b in zip(own, fake, strict=True))
        figures += [
            Figure(f"{what}: fake-gcs-server, files", f"{theirs:,.0f} MiB/s", "", True),
            Figure(f"{what}: emulator", f"{mine:,.0f} MiB/s", "", True),
            Figure(f"{what}: emulator / fake-gcs-server", f"{ratio:.2f}", ">= 0.5", ratio >= 0.5),
        ]
    grown = max(run[2] for run in own)
    figures.append(
        Figure("memory of the server grows by", f"{grown:,.0f} MiB", "<= 64 MB", grown <= 61)
    )
    show(f"One object of {options.mib:,} MiB, one connection, median of {options.rounds}", figures)
    return 0


if __name__ == "__main__":
    sys.exit(main())
