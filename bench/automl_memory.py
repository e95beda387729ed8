"""Peak memory of AutoML at 3,000 and at 100,000 photos: perturbed copies of the clothing photos.

The copies (25 KB each, 2.5 GB in all) are made once, in a folder that goes when the benchmark ends;
`--folder` keeps them for the next time.

    python -m bench.automl_memory --counts 3000,100000 --budgets 60
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.automl_folds import MOST_OVER
from bench.folds import clothing_photos, numbers
from bench.jobs import Row, automl, end_well
from bench.memory import Gauge
from bench.perturbed import copies
from bench.table import Figure, show

MOST_BYTES = 2.5e9
MOST_RATIO = 1.3
COUNTS, BUDGETS = (3000, 100_000), (60,)


@dataclass(frozen=True)
class Measured:
    """One job: how many photos, its budget, what it took, and how well it did."""

    photos: int
    budget: int
    seconds: float
    resident_bytes: int
    own_bytes: int
    accuracy: float
    taught: int


def measured(rows: Sequence[Row], budget: int) -> Measured:
    """One training under watch."""
    gauge = Gauge()
    done = automl(rows, budget, 0, gauge)
    found = Measured(
        photos=len(rows),
        budget=budget,
        seconds=round(done.seconds, 2),
        resident_bytes=gauge.resident_bytes,
        own_bytes=gauge.own_bytes,
        accuracy=round(done.accuracy(), 4),
        taught=done.card["photos"]["training"],
    )
    print(found, file=sys.stderr, flush=True)
    return found


def figures(found: Sequence[Measured]) -> list[Figure]:
    """Memory and seconds of each job, and of each budget the most photos against the fewest."""
    rows = [figure for one in found for figure in of_one(one)]
    for budget in sorted({one.budget for one in found}):
        own = sorted((one for one in found if one.budget == budget), key=lambda one: one.photos)
        if len(own) > 1:
            ratio = own[-1].resident_bytes / own[0].resident_bytes
            rows.append(
                Figure(
                    f"{budget} s: {own[-1].photos} photos against {own[0].photos}",
                    f"{ratio:.2f} times the memory",
                    f"<= {MOST_RATIO}",
                    ratio <= MOST_RATIO,
                )
            )
    return rows


def of_one(one: Measured) -> list[Figure]:
    """Peak memory and seconds of one job."""
    what = f"{one.photos} photos, {one.budget} s"
    return [
        Figure(
            f"{what}: peak memory",
            f"{one.resident_bytes / 1e9:.2f} GB ({one.own_bytes / 1e9:.2f} without mapped files)",
            f"<= {MOST_BYTES / 1e9} GB",
            one.resident_bytes <= MOST_BYTES,
        ),
        Figure(
            f"{what}: taught by {one.taught}, accuracy {one.accuracy:.3f}",
            f"{one.seconds:.1f} s",
            f"<= {one.budget * MOST_OVER:.0f} s",
            one.seconds <= one.budget * MOST_OVER,
        ),
    ]


@contextmanager
def photos_folder(kept: Path | None) -> Iterator[Path]:
    """The folder to make copies in; it goes at the end, killed or not, unless it is to be kept."""
    end_well()
    if kept:
        kept.mkdir(parents=True, exist_ok=True)
        yield kept
        return
    with TemporaryDirectory(prefix="bench-memory-") as name:
        yield Path(name)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m bench.automl_memory")
    parser.add_argument("--counts", type=numbers, default=COUNTS, help="how many photos")
    parser.add_argument("--budgets", type=numbers, default=BUDGETS, help="seconds")
    parser.add_argument("--folder", type=Path, help="make the copies here and keep them")
    parser.add_argument("--json", type=Path, help="write the figures to this file as well")
    given = parser.parse_args()
    with photos_folder(given.folder) as folder:
        started = time.perf_counter()
        rows = copies(clothing_photos(), max(given.counts), folder)
        size = sum(row.path.stat().st_size for row in rows)
        print(
            f"{len(rows)} copies, {size / len(rows) / 1e3:.0f} KB each, in "
            f"{time.perf_counter() - started:.0f} s on {os.cpu_count()} cores",
            file=sys.stderr,
            flush=True,
        )
        found = [
            measured(rows[:count], budget) for budget in given.budgets for count in given.counts
        ]
    if given.json:
        given.json.write_text(json.dumps([asdict(one) for one in found]) + "\n")
    show("automl_memory: perturbed copies of clothing, seed 0", figures(found))


if __name__ == "__main__":
    main()
