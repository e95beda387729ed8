"""A load of raw HTTP from one process: `python -m bench.load put|get URL …` prints JSON.

Requests are made before the clock starts, answers are only counted, so that the servers under it
are what is measured: the process's own CPU time is part of what it prints.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import cast
from urllib.parse import urlsplit

import httptools
import uvloop

BUCKET = "bench"


@dataclass
class Load:
    """What is still to be sent, and what came back."""

    requests: Iterator[tuple[bytes, bytes]]
    seconds: list[float] = field(default_factory=list)
    refused: list[int] = field(default_factory=list)
    bytes_read: int = 0


class Connection(asyncio.Protocol):
    """One kept connection: sends, waits for the whole answer, sends the next."""

    def __init__(self, load: Load, done: asyncio.Future[None]) -> None:
        self._load = load
        self._done = done
        self._sent = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._next()

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def connection_lost(self, error: Exception | None) -> None:
        if not self._done.done():
            self._done.set_exception(error or ConnectionError("the server closed a connection"))

    def on_body(self, data: bytes) -> None:
        """Counts bytes of an answer (httptools)."""
        self._load.bytes_read += len(data)

    def on_message_complete(self) -> None:
        """Ends one request (httptools)."""
        self._load.seconds.append(time.perf_counter() - self._sent)
        if self._parser.get_status_code() >= 300:
            self._load.refused.append(self._parser.get_status_code())
        self._next()

    def _next(self) -> None:
        request = next(self._load.requests, None)
        if request is None:
            self._done.set_result(None)
            self._transport.close()
            return
        self._parser = httptools.HttpResponseParser(self)
        self._sent = time.perf_counter()
        self._transport.writelines(request)


async def run(load: Load, host: str, port: int, connections: int) -> None:
    """Sends everything over so many connections."""
    loop = asyncio.get_running_loop()
    waiting = [loop.create_future() for _ in range(connections)]
    for done in waiting:
        await loop.create_connection(partial(Connection, load, done), host, port)
    await asyncio.gather(*waiting)


def puts(host: str, names: list[str], size_bytes: int, bucket: str) -> list[tuple[bytes, bytes]]:
    """Media uploads of random bytes, no two the same."""
    block = os.urandom(size_bytes)
    return [
        (
            f"POST /upload/storage/v1/b/{bucket}/o?uploadType=media&name={name} HTTP/1.1\r\n"
            f"Host: {host}\r\nContent-Type: application/octet-stream\r\n"
            f"Content-Length: {size_bytes}\r\n\r\n".encode(),
            os.urandom(min(16, size_bytes)) + block[16:],
        )
        for name in names
    ]


def gets(host: str, names: list[str], bucket: str) -> list[tuple[bytes, bytes]]:
    """Downloads of objects."""
    return [
        (
            f"GET /storage/v1/b/{bucket}/o/{name}?alt=media HTTP/1.1\r\n"
            f"Host: {host}\r\n\r\n".encode(),
            b"",
        )
        for name in names
    ]


def main() -> int:
    """Prints requests a second, times in milliseconds, and the CPU time of this process."""
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["put", "get"])
    parser.add_argument("url")
    parser.add_argument("--objects", type=int, default=2000)
    parser.add_argument("--size-bytes", type=int, default=50_000)
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--prefix", default="o")
    parser.add_argument("--bucket", default=BUCKET)
    options = parser.parse_args()
    address = urlsplit(options.url)
    names = [f"{options.prefix}-{number}" for number in range(options.objects)]
    if options.what == "put":
        requests = puts(address.netloc, names, options.size_bytes, options.bucket)
    else:
        requests = gets(address.netloc, names, options.bucket)
    load = Load(iter(requests))
    began, cpu = time.perf_counter(), time.process_time()
    uvloop.run(run(load, address.hostname or "", address.port or 0, options.connections))
    seconds = time.perf_counter() - began
    times = sorted(load.seconds)
    answer = {
        "requests_per_second": len(times) / seconds,
        "seconds": seconds,
        "median_ms": times[len(times) // 2] * 1000,
        "p99_ms": times[len(times) * 99 // 100] * 1000,
        "cpu_seconds": time.process_time() - cpu,
        "refused": len(load.refused),
        "bytes_read": load.bytes_read,
    }
    print(json.dumps(answer))
    return 1 if load.refused else 0


if __name__ == "__main__":
    sys.exit(main())
