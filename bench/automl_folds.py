"""AutoML on clothing, five folds over all photos, in budgets of 30, 60 and 120 seconds.

A photo's fold is a function of its bytes; in each fold the other photos teach, one in ten of them
judges, and the fold itself is only ever tested on. Seconds are from the engine's start to its end,
exported and evaluated; accuracy is over the test photos of all folds, from `predictions.jsonl`.

    python -m bench.automl_folds --budgets 30 --folds 0,1 --json folds.json
"""

import argparse
import json
import os
import statistics
import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench.folds import FOLDS, Photo, clothing_photos, fold_rows, numbers, standard_error
from bench.jobs import automl
from bench.table import Figure, show

LEAST_ACCURACY = {30: 0.895, 60: 0.92, 120: 0.93}
MOST_OVER = 1.1


@dataclass(frozen=True)
class Job:
    """One training: its budget, fold and seed, seconds, and which test photos it got right."""

    budget: int
    fold: int
    seed: int
    seconds: float
    accuracy: float
    chosen: str
    stop_reason: str
    right: tuple[bool, ...]


def trained(photos: Sequence[Photo], budget: int, fold: int, seed: int) -> Job:
    """One fold in one budget."""
    done = automl(fold_rows(photos, fold), budget, seed)
    return Job(
        budget=budget,
        fold=fold,
        seed=seed,
        seconds=round(done.seconds, 2),
        accuracy=round(done.accuracy(), 5),
        chosen=done.card["chosen"],
        stop_reason=done.outcome["stopReason"],
        right=tuple(done.right()),
    )


def pooled(jobs: Sequence[Job]) -> tuple[float, float, int]:
    """Accuracy over all test photos of the folds, its standard error, and how many they are.

    With several seeds a photo counts once, with the share of the seeds that got it right.
    """
    by_fold: dict[int, list[Job]] = defaultdict(list)
    for job in jobs:
        by_fold[job.fold].append(job)
    shares = [
        statistics.mean(map(float, answers))
        for of_fold in by_fold.values()
        for answers in zip(*(job.right for job in of_fold), strict=True)
    ]
    return statistics.mean(shares), standard_error(shares), len(shares)


def figures(jobs: Sequence[Job], budget: int) -> list[Figure]:
    """Accuracy and slowest fold of one budget."""
    own = [job for job in jobs if job.budget == budget]
    accuracy, error, photos = pooled(own)
    slowest = max(own, key=lambda job: job.seconds)
    least = LEAST_ACCURACY.get(budget, 0.0)
    folds = ",".join(str(fold) for fold in sorted({job.fold for job in own}))
    seeds = ",".join(str(seed) for seed in sorted({job.seed for job in own}))
    return [
        Figure(
            f"{budget} s: accuracy, {photos} test photos, folds {folds}, seeds {seeds}",
            f"{accuracy:.4f} ± {error:.4f}",
            f">= {least}",
            accuracy >= least,
        ),
        Figure(
            f"{budget} s: slowest fold (mean {statistics.mean(job.seconds for job in own):.1f} s)",
            f"{slowest.seconds:.1f} s (fold {slowest.fold})",
            f"<= {budget * MOST_OVER:.0f} s",
            slowest.seconds <= budget * MOST_OVER,
        ),
    ]


def run(
    photos: Sequence[Photo],
    budgets: Sequence[int],
    folds: Sequence[int],
    seeds: Sequence[int],
    file: Path | None = None,
) -> list[Job]:
    """A job for each budget, fold and seed; told, and kept in the file, as they end."""
    jobs: list[Job] = []
    for budget in budgets:
        for fold in folds:
            for seed in seeds:
                job = trained(photos, budget, fold, seed)
                jobs.append(job)
                print(
                    f"{budget} s, fold {fold}, seed {seed}: {job.accuracy:.4f} of {len(job.right)} "
                    f"in {job.seconds:.1f} s ({job.chosen})",
                    file=sys.stderr,
                    flush=True,
                )
                if file:
                    write(file, jobs)
    return jobs


def write(file: Path, jobs: Sequence[Job]) -> None:
    """The jobs as JSON, with when and on how many cores they ran."""
    content = {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "cores": os.cpu_count(),
        "command": f"python -m bench.automl_folds {' '.join(sys.argv[1:])}".strip(),
        "jobs": [asdict(job) for job in jobs],
    }
    file.write_text(json.dumps(content) + "\n")


def read(file: Path) -> list[Job]:
    """The jobs that such a file holds."""
    content = json.loads(file.read_text())
    return [Job(**{**job, "right": tuple(job["right"])}) for job in content["jobs"]]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m bench.automl_folds")
    parser.add_argument("--budgets", type=numbers, default=tuple(LEAST_ACCURACY))
    parser.add_argument("--folds", type=numbers, default=tuple(range(FOLDS)))
    parser.add_argument("--seeds", type=numbers, default=(0,))
    parser.add_argument("--limit", type=int, help="so many photos only, to try the script")
    parser.add_argument("--json", type=Path, help="write each job to this file as well")
    given = parser.parse_args()
    jobs = run(clothing_photos(given.limit), given.budgets, given.folds, given.seeds, given.json)
    found = [figure for budget in given.budgets for figure in figures(jobs, budget)]
    show("automl_folds: clothing, five folds by hash", found)


if __name__ == "__main__":
    main()
