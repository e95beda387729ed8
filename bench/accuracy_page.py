"""The page of accuracies, `docs/accuracy.md`, from what the benchmarks measured."""

import json
import os
import statistics
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from bench import automl_folds

if TYPE_CHECKING:
    from bench.other_data import Result

INTRODUCTION = """# Accuracy

Generated on {date} on a machine of {cores} cores by

    {command}

Seconds are from the engine's start to its end: read, chosen, trained, exported and evaluated.
± is one standard error. Nothing was chosen on a test photo; photos are dealt out by the SHA-256 of
their bytes (`bench/folds.py`).
"""
FOLDS = """
## Clothing, five folds

All photos of the clothing data set are tested on, each in the fold that its hash says, by a model
that the other folds taught. Made on {date} by `{command}`.

| budget | folds, seeds | accuracy | mean seconds | slowest | target |
|---|---|---|---|---|---|
"""
PEERS = """
## Against Keras

The peers have the same ImageNet weights. *head* and *tail* keep the aspect and read features once;
*plain* is the tutorials' recipe. Their seconds end at the checkpoint that validation chose, ours
at the exported and evaluated model.

| peer: test accuracy, seconds | ours | target | |
|---|---|---|---|
"""
OTHERS = """
## Other data

One run each, seed {seed}, a budget of {budget:.0f} s. *Logistic* is scikit-learn's logistic
regression on EfficientNet-Lite0's frozen features of the same training photos, its strength chosen
on the same validation photos. *Ahead* is AutoML's accuracy less its, on the same test photos.
*Bal.* (balanced) is the mean of the labels' recalls. Of two labels a photo, accuracy asks for both.
Photos are those to train, to validate and to test on.

| data set | labels | photos | s | AutoML | bal. | logistic | bal. | ahead | chosen |
|---|---|---|---|---|---|---|---|---|---|
"""


def page(results: Sequence["Result"], seed: int, folds: Path | None, peers: Path | None) -> str:
    """The whole page; the parts of `folds` and `peers` where their files are given."""
    command = f"python -m bench.other_data {' '.join(sys.argv[1:])}".strip()
    parts = [
        INTRODUCTION.format(date=_today(), cores=os.cpu_count(), command=command),
        *(_folds(folds) if folds else ()),
        *(_peers(peers) if peers else ()),
        OTHERS.format(seed=seed, budget=results[0].budget if results else 0),
        *(_row(one) for one in results),
        "\nWhat the data sets are:\n\n",
        *(f"- **{one.name}**: {one.what}\n" for one in results),
    ]
    return "".join(parts)


def _today() -> str:
    return f"{datetime.now(UTC):%Y-%m-%d}"


def _folds(file: Path) -> Iterator[str]:
    content = json.loads(file.read_text())
    yield FOLDS.format(date=content["date"], command=content["command"])
    jobs = automl_folds.read(file)
    for budget in sorted({job.budget for job in jobs}):
        own = [job for job in jobs if job.budget == budget]
        accuracy, error, photos = automl_folds.pooled(own)
        mean = statistics.mean(job.seconds for job in own)
        slowest = max(job.seconds for job in own)
        ran = f"{_list(job.fold for job in own)}; {_list(job.seed for job in own)}"
        least = automl_folds.LEAST_ACCURACY.get(budget)
        target = f"≥ {least}" if least else "–"
        yield (
            f"| {budget} s | {ran} | {accuracy:.4f} ± {error:.4f} of {photos} | {mean:.1f} "
            f"| {slowest:.1f} | {target} |\n"
        )


def _list(numbers: Iterator[int]) -> str:
    return ", ".join(str(number) for number in sorted(set(numbers)))


def _peers(file: Path) -> Iterator[str]:
    yield PEERS
    for one in json.loads(file.read_text())["figures"]:
        cells = (one["what"], one["measured"], one["target"], "ok" if one["holds"] else "short")
        yield f"| {' | '.join(cells)} |\n"


def _row(one: "Result") -> str:
    cells = (
        one.name,
        str(one.labels),
        " / ".join(map(str, one.photos)),
        f"{one.seconds:.1f}",
        f"{one.ours:.3f} ± {one.ours_error:.3f}",
        f"{one.ours_balanced:.3f}",
        f"{one.logistic:.3f}",
        f"{one.logistic_balanced:.3f}",
        f"{one.ahead:+.3f} ± {one.ahead_error:.3f}",
        one.chosen,
    )
    return f"| {' | '.join(cells)} |\n"
