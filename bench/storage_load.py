"""Put and get of 50 KB objects over 16 connections: ours beside fake-gcs-server's file backend.

Runs alternate, each on a server of its own; client and server share this machine's cores.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from typing import Any

from bench.load import BUCKET
from bench.servers import Server, fake_gcs, ours
from bench.table import Figure, show

OBJECTS, ROUNDS = 4000, 5
# Every object is put once and read so many times: a read is over soon.
READS = 4
Runs = dict[str, dict[str, float]]


def load(what: str, url: str, *arguments: str) -> dict[str, Any]:
    """The figures of one load, from a process of its own."""
    command = [sys.executable, "-m", "bench.load", what, url, *arguments]
    text = subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=600).stdout
    figures: dict[str, Any] = json.loads(text)
    return figures


def put_and_get(start: Callable[[], AbstractContextManager[Server]], objects: int) -> Runs:
    """One put and one get of every object, on a new server."""
    with ExitStack() as stack:
        server = stack.enter_context(start())
        server.make_bucket(BUCKET)
        load("put", server.url, "--objects", "200", "--prefix", "warm")
        found: Runs = {}
        for what, times in (("put", 1), ("get", READS)):
            before = server.cpu_seconds()
            runs = [load(what, server.url, "--objects", str(objects)) for _ in range(times)]
            figures = {key: statistics.median(run[key] for run in runs) for key in runs[0]}
            used = (server.cpu_seconds() - before) / (objects * times) * 1e6
            print(
                f"{server.name}: {what} {figures['requests_per_second']:,.0f}/s,"
                f" median {figures['median_ms']:.1f} ms, 99 % {figures['p99_ms']:.1f} ms;"
                f" CPU a request: server {used:,.0f} µs,"
                f" client {figures['cpu_seconds'] / objects * 1e6:,.0f} µs",
                flush=True,
            )
            found[what] = figures
        return found


def rates(runs: list[Runs], what: str) -> list[float]:
    """Requests a second of each run; of `both`, one put and one get of each object."""
    if what == "both":
        pairs = zip(rates(runs, "put"), rates(runs, "get"), strict=True)
        return [2 / (1 / put + 1 / get) for put, get in pairs]
    return [run[what]["requests_per_second"] for run in runs]


def main() -> int:
    """Print medians of both, and the median of the ratios of neighbouring runs."""
    parser = argparse.ArgumentParser(prog="python -m bench.storage_load")
    parser.add_argument("--objects", type=int, default=OBJECTS)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options = parser.parse_args()
    kinds: list[tuple[str, Callable[[], AbstractContextManager[Server]]]] = [
        ("fake", fake_gcs),
        ("ours", ours),
        ("fsync", lambda: ours("--fsync")),
    ]
    runs: dict[str, list[Runs]] = {name: [] for name, _ in kinds}
    for _ in range(options.rounds):
        for name, start in kinds:
            runs[name].append(put_and_get(start, options.objects))
    figures = []
    for what in ("put", "get", "both"):
        fake, own = rates(runs["fake"], what), rates(runs["ours"], what)
        ratio = statistics.median(a / b for a, b in zip(own, fake, strict=True))
        figures += [
            Figure(
                f"{what}: fake-gcs-server, files", f"{statistics.median(fake):,.0f}/s", "", True
            ),
            Figure(f"{what}: emulator", f"{statistics.median(own):,.0f}/s", "", True),
            Figure(f"{what}: emulator / fake-gcs-server", f"{ratio:.2f}", ">= 1", ratio >= 1),
        ]
    synced = statistics.median(rates(runs["fsync"], "put"))
    figures.append(Figure("put: emulator with --fsync", f"{synced:,.0f}/s", "", True))
    title = f"{options.objects:,} objects of 50 KB, 16 connections, {os.cpu_count()} cores shared"
    show(f"{title} by client and server, median of {options.rounds}", figures)
    return 0


if __name__ == "__main__":
    sys.exit(main())
