"""A trainer's job made of rows and run as a process of its own, as the benchmarks need it.

Seconds are from the process's start to its end: read, trained, exported and evaluated.
"""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

ROOT = Path(__file__).parents[1]
SPLITS = ("training", "validation", "test")
# A job that hangs ends the benchmark: an engine is asked to keep its budget to a tenth.
MOST_BUDGETS, MOST_CUSTOM_SECONDS = 10.0, 3600.0


@dataclass(frozen=True)
class Row:
    """One photo: its file, its labels, and its split: training, validation or test."""

    path: Path
    labels: tuple[str, ...]
    split: str


@dataclass(frozen=True)
class Done:
    """What a job left: its seconds, `model.json`, `outcome.json` and `predictions.jsonl`."""

    seconds: float
    card: Mapping[str, Any]
    outcome: Mapping[str, Any]
    predictions: tuple[Mapping[str, Any], ...]
    digest: str

    def answers(self) -> dict[str, tuple[str, ...]]:
        """What the model says of each test photo, by its path: its label, or all likely ones."""
        return {
            row["uri"]: tuple(sorted(row.get("predictions", [row["prediction"]])))
            for row in self.predictions
        }

    def right(self) -> list[bool]:
        """For each test photo whether exactly its labels are named, in the order of the paths."""
        said = self.answers()
        return [
            said[row["uri"]] == tuple(sorted(row["labels"]))
            for row in sorted(self.predictions, key=lambda row: str(row["uri"]))
        ]

    def accuracy(self) -> float:
        """The share of test photos with exactly the true labels."""
        right = self.right()
        return sum(right) / len(right)


Process = subprocess.Popen[bytes]
Watch = Callable[[Process, float], None]


def patient(process: Process, most_seconds: float) -> None:
    """Wait for the end. Raises subprocess.TimeoutExpired when it does not come."""
    process.wait(timeout=most_seconds)


def automl(rows: Sequence[Row], max_seconds: float, seed: int, watch: Watch = patient) -> Done:
    """What `python -m trainer.automl` makes of the rows in a budget of so many seconds."""
    several = any(len(row.labels) > 1 for row in rows)
    task = {
        "trainingTaskInputs": {"multiLabel": several},
        "labels": sorted({label for row in rows for label in row.labels}),
        "maxSeconds": max_seconds,
        "seed": seed,
    }
    most = MOST_BUDGETS * max_seconds + 300
    return _done(rows, task, ("-m", "trainer.automl"), lambda process: watch(process, most))


def custom(rows: Sequence[Row], *flags: str, watch: Watch = patient) -> Done:
    """What `python -m trainer.task` makes of the rows, with these flags."""
    words = ("-m", "trainer.task", *flags)
    return _done(rows, {}, words, lambda process: watch(process, MOST_CUSTOM_SECONDS))


def end_well() -> None:
    """From here on SIGTERM ends as an error does: what was started ends, folders go."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


def _done(
    rows: Sequence[Row],
    task: Mapping[str, Any],
    words: Sequence[str],
    wait: Callable[[Process], None],
) -> Done:
    end_well()
    with TemporaryDirectory(prefix="bench-job-") as name:
        folder = Path(name)
        environ = _variables() | write_job(folder, rows, task)
        with Path(folder, "log").open("wb") as log:
            started = time.perf_counter()
            process = subprocess.Popen(
                [sys.executable, *words], cwd=ROOT, env=environ, stdout=log, stderr=log
            )
            try:
                wait(process)
            finally:
                process.kill()
                process.wait()
            seconds = time.perf_counter() - started
        if process.returncode != 0:
            tail = Path(folder, "log").read_text(errors="replace")[-2000:]
            raise RuntimeError(f"{' '.join(words)} ended with {process.returncode}: {tail}")
        return _read(folder, seconds)


def write_job(folder: Path, rows: Sequence[Row], task: Mapping[str, Any]) -> dict[str, str]:
    """The variables of a job below `folder`: rows by split, `task.json`, and where models go."""
    data = folder / "data"
    data.mkdir(parents=True)
    lines: dict[str, list[str]] = {split: [] for split in SPLITS}
    several = any(len(row.labels) > 1 for row in rows)
    for row in rows:
        named = [{"displayName": label} for label in row.labels]
        own = (
            {"classificationAnnotations": named}
            if several
            else {"classificationAnnotation": named[0]}
        )
        lines[row.split].append(json.dumps({"imageGcsUri": str(row.path)} | own))
    for split in SPLITS:
        (data / f"{split}-00000-of-00001.jsonl").write_text("\n".join(lines[split]) + "\n")
    (data / "task.json").write_text(json.dumps(task))
    return {
        "AIP_MODEL_DIR": str(folder / "model"),
        **{f"AIP_{split.upper()}_DATA_URI": str(data / f"{split}-*.jsonl") for split in SPLITS},
    }


def _variables() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("AIP_")}


def _read(folder: Path, seconds: float) -> Done:
    model = folder / "model"
    said = (model / "predictions.jsonl").read_bytes()
    return Done(
        seconds=seconds,
        card=json.loads((model / "model.json").read_text()),
        outcome=json.loads((folder / "outcome.json").read_text()),
        predictions=tuple(json.loads(line) for line in said.splitlines()),
        digest=hashlib.sha256(said).hexdigest(),
    )
