"""AutoML on eleven other data sets: seconds and accuracy, against logistic regression.

The peer has EfficientNet-Lite0's frozen features of the same training photos, its strength chosen
on the same validation photos. One seed, one machine; every budget is 60 seconds. Of several labels
a photo, accuracy is the share of photos with exactly their labels.

    python -m bench.other_data --only tiny --only digits --page docs/accuracy.md
"""

import argparse
import json
import statistics
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.automl_folds import MOST_OVER
from bench.data_sets import DATA_SETS, DataSet
from bench.folds import standard_error
from bench.jobs import SPLITS, Row, automl
from bench.logistic import Answers
from bench.logistic import answers as logistic_answers
from bench.table import Figure, show

BUDGET, SEED = 60.0, 0


@dataclass(frozen=True)
class Result:
    """One data set: its photos by split, and AutoML (`ours`) beside the peer (`logistic`)."""

    name: str
    what: str
    labels: int
    photos: tuple[int, ...]
    budget: float
    seconds: float
    chosen: str
    ours: float
    ours_error: float
    ours_balanced: float
    logistic: float
    logistic_balanced: float
    ahead: float
    ahead_error: float

    @property
    def holds(self) -> bool:
        """Whether AutoML is not behind by more than a standard error of the difference."""
        return self.ahead >= -self.ahead_error


def measured(data: DataSet, budget: float, seed: int, limit: int | None) -> Result:
    """One data set, written, trained on and thrown away."""
    with TemporaryDirectory(prefix="bench-data-") as folder:
        rows = data.write(Path(folder), limit)
        done = automl(rows, budget, seed)
        tested = [row for row in rows if row.split == "test"]
        ours, peer = done.answers(), logistic_answers(rows)
    own, other = right(tested, ours), right(tested, peer)
    ahead = [a - b for a, b in zip(own, other, strict=True)]
    return Result(
        name=data.name,
        what=data.what,
        labels=len({label for row in rows for label in row.labels}),
        photos=tuple(sum(row.split == split for row in rows) for split in SPLITS),
        budget=budget,
        seconds=round(done.seconds, 1),
        chosen=done.card["chosen"],
        ours=statistics.mean(own),
        ours_error=standard_error(own),
        ours_balanced=balanced(tested, ours),
        logistic=statistics.mean(other),
        logistic_balanced=balanced(tested, peer),
        ahead=statistics.mean(ahead),
        ahead_error=standard_error(ahead),
    )


def right(rows: Sequence[Row], answers: Answers) -> list[float]:
    """1 for each photo of which exactly its labels are said, else 0."""
    return [float(answers[str(row.path)] == tuple(sorted(row.labels))) for row in rows]


def balanced(rows: Sequence[Row], answers: Answers) -> float:
    """The mean over labels of the share of their photos of which the label is said (recall)."""
    found: Mapping[str, list[float]] = defaultdict(list)
    for row in rows:
        for label in row.labels:
            found[label].append(float(label in answers[str(row.path)]))
    return statistics.mean(statistics.mean(own) for own in found.values())


def figures(one: Result) -> list[Figure]:
    """Accuracy against the peer's, and seconds."""
    return [
        Figure(
            f"{one.name}: {one.labels} labels, {' / '.join(map(str, one.photos))} photos",
            f"{one.ours:.3f} ± {one.ours_error:.3f}, balanced {one.ours_balanced:.3f}; "
            f"{one.ahead:+.3f} ± {one.ahead_error:.3f}",
            f">= {one.logistic:.3f}, {one.logistic_balanced:.3f} (logistic) - 1 s.e.",
            one.holds,
        ),
        Figure(
            f"{one.name}: seconds ({one.chosen})",
            f"{one.seconds:.1f} s",
            f"<= {one.budget * MOST_OVER:.0f} s",
            one.seconds <= one.budget * MOST_OVER,
        ),
    ]


def main() -> None:
    """Print the table, and write the page."""
    parser = argparse.ArgumentParser(prog="python -m bench.other_data")
    names = [data.name for data in DATA_SETS]
    parser.add_argument("--only", action="append", choices=names, help="one data set, repeatable")
    parser.add_argument("--budget", type=float, default=BUDGET, help="seconds")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--limit", type=int, help="so many photos at most, to try the script")
    parser.add_argument("--json", type=Path, help="write the results to this file as well")
    parser.add_argument("--page", type=Path, help="write the page, usually docs/accuracy.md")
    parser.add_argument("--folds", type=Path, help="for the page: the file of bench.automl_folds")
    parser.add_argument("--peers", type=Path, help="for the page: the file of bench.keras_peers")
    given = parser.parse_args()
    found = []
    for data in DATA_SETS:
        if given.only is None or data.name in given.only:
            found.append(measured(data, given.budget, given.seed, given.limit))
            print(found[-1], file=sys.stderr, flush=True)
            if given.json:
                given.json.write_text(json.dumps([asdict(one) for one in found]) + "\n")
    if given.page:
        from bench.accuracy_page import page

        given.page.write_text(page(found, given.seed, given.folds, given.peers))
    rows = [figure for one in found for figure in figures(one)]
    show(f"other_data: AutoML against logistic regression on features, seed {given.seed}", rows)


if __name__ == "__main__":
    main()
