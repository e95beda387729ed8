"""The prediction server at twice its capacity: no crash, no answer to the wrong request.

Capacity is what eight clients get that ask again when they are answered; then requests come at
twice that rate whatever becomes of them, each with a key of its own. What is accepted must be
answered rightly and soon, what is not must be told at once when to come again, and memory must not
grow. The client shares the server's cores.

    python -m bench.serve_load [--seconds 30]
"""

import argparse
import statistics
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.keras_server import classifier
from bench.open_loop import Answered, OpenLoop, body_of
from bench.serve import Measured, sample_photos, throughput
from bench.table import Figure, show
from tests.trainer.served import PREDICT, Server, write_served
from trainer.serving_limits import Limits

PHOTOS = 64
TIMES_CAPACITY = 2.0
CAPACITY_SECONDS = 4.0
MIB = 1 << 20
MOST_GROWTH_MIB = 8.0
# Of what the server does when it is asked for no more than it can.
LEAST_GOODPUT = 0.7


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=30.0)
    seconds = parser.parse_args().seconds
    photos = sample_photos(PHOTOS)
    with TemporaryDirectory(prefix="bench-serve-") as folder:
        write_served(Path(folder), classifier(mirrored=True))
        with Server(folder) as server:
            server.wait()
            measured = Measured("", server.port, PREDICT)
            bodies = [body_of(photo) for photo in photos]
            capacity = throughput(measured, bodies, CAPACITY_SECONDS)
            # The queue is full after a quarter of it.
            seconds = max(seconds, 4 * Limits().max_waiting_photos / capacity)
            resident: list[int] = []
            loop = OpenLoop(
                server.port,
                PREDICT,
                photos,
                capacity * TIMES_CAPACITY,
                seconds,
                lambda: resident.append(server.resident_bytes()),
            )
            answers = loop.run()
            alive = server.health() == 200 and server.stop() == 0
    growth_mib = (resident[-1] - resident[0]) / MIB
    title = f"serve_load: Lite0 mirrored, {capacity:.0f} photos/s asked for twice, {seconds:.0f} s"
    show(title, [*figures(answers, capacity, seconds), *ends(resident, growth_mib, alive)])


def figures(answers: list[Answered], capacity: float, seconds: float) -> list[Figure]:
    """What became of the requests."""
    accepted = sorted(one.seconds for one in answers if one.status == 200)
    refused = [one for one in answers if one.status == 503]
    wrong = sum(not one.right for one in answers)
    other = len(answers) - len(accepted) - len(refused)
    waits = Limits().max_waiting_photos / capacity
    most = 2 * waits + 1
    rate = len(accepted) / (seconds + waits)
    told = sum(bool(one.retry_after) for one in refused)
    at_once = statistics.median(one.seconds for one in refused) * 1000 if refused else 0.0
    return [
        Figure("answers to the wrong request", f"{wrong} of {len(accepted)}", "0", wrong == 0),
        Figure("neither 200 nor 503, or no answer", str(other), "0", other == 0),
        Figure(
            "503s, all with Retry-After; median time to one",
            f"{len(refused)} of {len(answers)}, {told} with; {at_once:.0f} ms",
            "all",
            0 < len(refused) == told,
        ),
        Figure(
            "answered a second, of its capacity",
            f"{rate / capacity:.0%} ({rate:.0f}/s of {capacity:.0f}/s)",
            f">= {LEAST_GOODPUT:.0%}",
            rate >= LEAST_GOODPUT * capacity,
        ),
        Figure(
            "seconds to an accepted answer: median, 99 %, longest",
            f"{statistics.median(accepted):.2f}, {accepted[len(accepted) * 99 // 100]:.2f}, "
            f"{accepted[-1]:.2f}",
            f"<= {most:.1f}",
            accepted[-1] <= most,
        ),
    ]


def ends(resident: list[int], growth_mib: float, alive: bool) -> list[Figure]:
    """What became of the server."""
    at = ", ".join(f"{one / MIB:.1f}" for one in resident)
    return [
        Figure(
            "resident memory at 25, 50, 75 and 100 %, MiB",
            f"{at} ({growth_mib:+.1f})",
            f"<= +{MOST_GROWTH_MIB:.0f}",
            growth_mib <= MOST_GROWTH_MIB,
        ),
        Figure("healthy afterwards, and ends cleanly", "yes" if alive else "no", "yes", alive),
    ]


if __name__ == "__main__":
    main()
