"""A bucket of 1,000,000 objects beside one of 1,000: the same requests, in turn, and their times.

Each has a server and a folder of its own. The rows are written by a bulk loader and share one file.
"""

from __future__ import annotations

import argparse
import http.client
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from bench.bulk import copy_object
from bench.servers import PROJECT
from bench.table import Figure, show
from tests.local_cloud import LocalCloud, start_cloud, stop_cloud

MANY, FEW, ROUNDS = 1_000_000, 1_000, 60
BUCKET = "bench"
FOLDERS = 100
NAMES = f"printf('d/%03d/%07d.jpg', n % {FOLDERS}, n)"
BODY = b"\xff\xd8\xff" + b"photo" * 2000
MOST = 2.0


class Client:
    """One kept connection to one server."""

    def __init__(self, url: str) -> None:
        self._connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=120)

    def seconds(self, method: str, path: str, body: bytes | None = None) -> float:
        """How long one request took, to the last byte of its answer."""
        began = time.perf_counter()
        self._connection.request(method, path, body)
        response = self._connection.getresponse()
        answer = response.read()
        seconds = time.perf_counter() - began
        assert response.status == 200, (path, response.status, answer[:300])
        return seconds


def filled(data: Path, count: int) -> LocalCloud:
    """A server with a bucket of so many objects."""
    cloud = start_cloud(data)
    client = Client(cloud.url)
    client.seconds("POST", f"/storage/v1/b?project={PROJECT}", f'{{"name": "{BUCKET}"}}'.encode())
    client.seconds("POST", f"/upload/storage/v1/b/{BUCKET}/o?uploadType=media&name=seed", BODY)
    stop_cloud(cloud)
    copy_object(data, BUCKET, "seed", count, NAMES, "sha256")
    began = time.perf_counter()
    again = start_cloud(data)
    print(f"{count:,} objects: ready after {time.perf_counter() - began:.2f} s", flush=True)
    return again


def requests(count: int) -> dict[str, Callable[[Client, int], float]]:
    """What is asked, the same of both."""
    objects = f"/storage/v1/b/{BUCKET}/o"

    def name(number: int) -> str:
        place = number * 7919 % count
        return f"d%2F{place % FOLDERS:03d}%2F{place:07d}.jpg"

    def put(client: Client, number: int) -> float:
        path = f"/upload/storage/v1/b/{BUCKET}/o?uploadType=media&name=d/050/new-{number}"
        return client.seconds("POST", path, BODY + number.to_bytes(4, "big"))

    return {
        "list: first page of 1,000": lambda c, _: c.seconds("GET", objects),
        "list: page of 500 in the middle": lambda c, _: c.seconds(
            "GET", f"{objects}?startOffset=d/050/&maxResults=500"
        ),
        "list: prefix and delimiter": lambda c, _: c.seconds(
            "GET", f"{objects}?prefix=d/&delimiter=/"
        ),
        "put": put,
        "get": lambda c, n: c.seconds("GET", f"{objects}/{name(n)}?alt=media"),
        "metadata": lambda c, n: c.seconds("GET", f"{objects}/{name(n)}"),
    }


def measure(
    few: LocalCloud, many: LocalCloud, counts: tuple[int, int], rounds: int
) -> list[Figure]:
    """A figure for each kind of request: medians of both, and their ratio."""
    clients = (Client(few.url), Client(many.url))
    kinds = [requests(count) for count in counts]
    figures = []
    for what in kinds[0]:
        times: tuple[list[float], list[float]] = ([], [])
        for number in range(rounds):
            for place, client in enumerate(clients):
                times[place].append(kinds[place][what](client, number))
        small, large = (statistics.median(one) * 1000 for one in times)
        ratio = large / small
        measured = f"{small:.2f} and {large:.2f} ms: {ratio:.2f}"
        figures.append(Figure(what, measured, f"<= {MOST:.0f}", ratio <= MOST))
    return figures


def main() -> int:
    """Print the table; 0 also where it falls short."""
    parser = argparse.ArgumentParser(prog="python -m bench.million_objects")
    parser.add_argument("--objects", type=int, default=MANY)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-million-") as folder:
        few = filled(Path(folder) / "few", FEW)
        many = filled(Path(folder) / "many", options.objects)
        try:
            figures = measure(few, many, (FEW, options.objects), options.rounds)
        finally:
            stop_cloud(few)
            stop_cloud(many)
    show(f"{options.objects:,} objects beside {FEW:,}, medians of {options.rounds}", figures)
    return 0


if __name__ == "__main__":
    sys.exit(main())
