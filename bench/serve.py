"""The prediction server against Keras `predict` behind Flask: same network, photos and requests.

Real HTTP with connections kept alive, base64 in JSON as Vertex sends it; the clients share the
cores with the servers. All servers run all the time, rounds alternate between them, and what is
printed are medians of rounds. Each model twice: with the mirror image averaged in, which is twice
the work and what AutoML exports, and without.

    python -m bench.serve [--rounds 5] [--seconds 4] [--photos 64]
"""

import argparse
import http.client
import json
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.keras_server import classifier
from bench.local import CLOTHING, ROOT
from bench.table import Figure, show
from tests.trainer.served import Server, instance, write_served

KINDS = ("mirrored", "plain")
CLIENTS = 8
PHOTOS = 64
LEAST_RATIO = 5.0
MOST_MEDIAN_MS = 12.0


@dataclass
class Line:
    """One client's connection to a server, kept alive, and the answers that came over it."""

    port: int
    route: str
    line: http.client.HTTPConnection = field(init=False)

    def __post_init__(self) -> None:
        self.line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)

    def label(self, body: bytes) -> str:
        """What the server says of a request's one photo."""
        self.line.request("POST", self.route, body, {"Content-Type": "application/json"})
        answer = self.line.getresponse()
        content = answer.read()
        assert answer.status == 200, content[:300]
        return str(json.loads(content)["predictions"][0]["prediction"])


@dataclass
class Measured:
    """One server with one model: milliseconds at one client and answers a second at eight."""

    name: str
    port: int
    route: str
    median_ms: list[float] = field(default_factory=list)
    a_second: list[float] = field(default_factory=list)

    def line(self) -> Line:
        """A new connection."""
        return Line(self.port, self.route)

    def measure(self, bodies: Sequence[bytes], seconds: float) -> None:
        """One round of each."""
        line, times = self.line(), []
        for body in bodies:
            started = time.perf_counter()
            line.label(body)
            times.append((time.perf_counter() - started) * 1000)
        self.median_ms.append(statistics.median(times))
        self.a_second.append(throughput(self, bodies, seconds))


def throughput(server: Measured, bodies: Sequence[bytes], seconds: float) -> float:
    """Answers a second to `CLIENTS` clients, each of which asks again when it is answered."""
    counts, start = [0] * CLIENTS, threading.Barrier(CLIENTS + 1)
    end = threading.Event()

    def ask(client: int) -> None:
        line, place = server.line(), client * len(bodies) // CLIENTS
        start.wait()
        while not end.is_set():
            line.label(bodies[place % len(bodies)])
            counts[client] += 1
            place += 1

    threads = [threading.Thread(target=ask, args=(client,)) for client in range(CLIENTS)]
    for thread in threads:
        thread.start()
    start.wait()
    began = time.perf_counter()
    end.wait(seconds)
    end.set()
    for thread in threads:
        thread.join()
    return sum(counts) / (time.perf_counter() - began)


def sample_photos(count: int) -> list[bytes]:
    """Clothing photos of the test split, of all classes in turn."""
    folders = sorted(path for path in (CLOTHING / "test").iterdir() if path.is_dir())
    each = zip(*(sorted(one.iterdir()) for one in folders), strict=False)
    return [path.read_bytes() for group in each for path in group][:count]


@contextmanager
def peer() -> Iterator[int]:
    """The port of a Keras server."""
    port = Server.free_port()
    command = [sys.executable, "-m", "bench.keras_server", str(port)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n", "the peer did not start"
            yield port
        finally:
            process.kill()


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--photos", type=int, default=PHOTOS)
    given = parser.parse_args()
    bodies = [
        json.dumps({"instances": [instance(photo)]}).encode()
        for photo in sample_photos(given.photos)
    ]
    with ExitStack() as stack:
        servers = {}
        port = stack.enter_context(peer())
        for kind in KINDS:
            folder = Path(stack.enter_context(TemporaryDirectory(prefix="bench-serve-")))
            write_served(folder, classifier(kind == "mirrored"))
            ours = stack.enter_context(Server(str(folder))).wait()
            servers[kind] = (
                Measured(f"trainer.serve, {kind}", ours.port, "/v1/predict"),
                Measured(f"Keras and Flask, {kind}", port, f"/{kind}"),
            )
        same = {kind: agreement(*pair, bodies) for kind, pair in servers.items()}
        for _ in range(given.rounds):
            for pair in servers.values():
                for server in pair:
                    server.measure(bodies, given.seconds)
    figures = [one for kind, pair in servers.items() for one in told(kind, *pair, same[kind])]
    show(f"serve: Lite0, clothing photos, {given.rounds} alternating rounds", figures)


def agreement(ours: Measured, theirs: Measured, bodies: Sequence[bytes]) -> float:
    """The share of photos on which both say the same; also the first, slow answers of each."""
    first, second = ours.line(), theirs.line()
    return statistics.mean(first.label(body) == second.label(body) for body in bodies)


def told(kind: str, ours: Measured, theirs: Measured, same: float) -> list[Figure]:
    """The figures of one model."""
    latency, slow = statistics.median(ours.median_ms), statistics.median(theirs.median_ms)
    rate, peer_rate = statistics.median(ours.a_second), statistics.median(theirs.a_second)
    ratios = [one / other for one, other in zip(ours.a_second, theirs.a_second, strict=True)]
    ratio = statistics.median(ratios)
    return [
        Figure(
            f"{kind}: median latency, one client, decode included",
            f"{latency:.1f} ms (Keras {slow:.1f} ms)",
            f"<= {MOST_MEDIAN_MS:.0f} ms",
            latency <= MOST_MEDIAN_MS,
        ),
        Figure(
            f"{kind}: throughput at {CLIENTS} clients against Keras `predict` behind Flask",
            f"{ratio:.1f}× ({rate:.0f}/s, {peer_rate:.1f}/s)",
            f">= {LEAST_RATIO:.0f}×",
            ratio >= LEAST_RATIO,
        ),
        Figure(f"{kind}: same label from both", f"{same:.1%}", ">= 98.0%", same >= 0.98),
    ]


if __name__ == "__main__":
    main()
