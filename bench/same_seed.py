"""One seed, one model: digests of `predictions.jsonl` of two runs, and of another seed's.

python -m bench.same_seed --photos 1600 --budget 30
"""

import argparse
import sys
from collections.abc import Callable, Sequence

from bench.folds import clothing_photos, fold_rows
from bench.jobs import Done, Row, automl, custom
from bench.table import Figure, show

SEEDS = (0, 0, 1)
# Above a thousand training photos the transfer policy trains the network's tail as well.
PHOTOS, BUDGET = 1600, 30.0


def compared(name: str, train: Callable[[int], Done]) -> Figure:
    """Two runs with one seed must agree to the byte; what another seed does is told."""
    runs = []
    for seed in SEEDS:
        runs.append(done := train(seed))
        print(
            f"{name}, seed {seed}: {done.digest[:12]} in {done.seconds:.1f} s, "
            f"accuracy {done.accuracy():.4f} of {len(done.predictions)} ({done.card['chosen']})",
            file=sys.stderr,
            flush=True,
        )
    first, second, other = (run.digest for run in runs)
    differs = "differs" if other != first else "is the same"
    return Figure(
        f"{name}: digests with seed {SEEDS[0]}, twice",
        f"{first[:12]}, {second[:12]}; seed {SEEDS[2]} {differs} ({other[:12]})",
        "the same",
        first == second,
    )


def figures(rows: Sequence[Row], budget: float, flags: Sequence[str]) -> list[Figure]:
    """AutoML, and a custom training by transfer."""
    return [
        compared(f"AutoML, {budget:.0f} s", lambda seed: automl(rows, budget, seed)),
        compared(
            "custom, transfer",
            lambda seed: custom(rows, "--model-type=transfer", f"--seed={seed}", *flags),
        ),
    ]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m bench.same_seed")
    parser.add_argument("--photos", type=int, default=PHOTOS, help="of clothing, by hash")
    parser.add_argument("--budget", type=float, default=BUDGET, help="seconds of AutoML")
    parser.add_argument("--flag", action="append", default=[], help="one more of trainer.task")
    given = parser.parse_args()
    rows = fold_rows(clothing_photos(given.photos), 0)
    found = figures(rows, given.budget, given.flag)
    show(f"same_seed: {len(rows)} clothing photos, fold 0", found)


if __name__ == "__main__":
    main()
