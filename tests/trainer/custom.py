"""Custom trainings as a user starts them, small enough to end in seconds."""

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.trainer.conftest import Rows, named


@dataclass(frozen=True)
class Run:
    """What a custom training left: its folder, `model.json`, `outcome.json`, the log's lines."""

    folder: Path
    card: dict[str, Any]
    outcome: dict[str, Any]
    log: list[dict[str, Any]]

    def rows(self) -> list[dict[str, Any]]:
        """The rows of `predictions.jsonl`."""
        lines = (self.folder / "predictions.jsonl").read_text("utf-8").splitlines()
        return [json.loads(line) for line in lines]


def few(rows: Rows, labels: Sequence[str] = ("0", "1", "7"), per_split: int = 10) -> Rows:
    """The first photos of some labels in each split."""
    return {
        split: [
            pair
            for label in labels
            for pair in [each for each in listed if each[1] == label][:per_split]
        ]
        for split, listed in rows.items()
    }


def write_manifest(folder: Path, rows: Rows, own: Mapping[str, str] | None = None) -> Path:
    """`manifest.jsonl` with a row for each photo, and `labels.txt` if there are own names."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = [
        json.dumps(
            {
                "uri": str(path),
                "sha256": path.name,
                "labels": [f"label_{name}" for name in named(label)],
                "split": split,
            }
        )
        for split, listed in rows.items()
        for path, label in listed
    ]
    (folder / "manifest.jsonl").write_text("\n".join(lines))
    if own:
        text = "".join(f"{safe}\t{name}\n" for safe, name in own.items())
        (folder / "labels.txt").write_text(text, "utf-8")
    return folder / "manifest.jsonl"


def train(root: Path, *arguments: str, **environ: str) -> Run:
    """Trains in this process, into `root/model`."""
    from trainer.job import read_job
    from trainer.journal import Journal
    from trainer.task import run

    stream = io.StringIO()
    job = read_job(arguments, {"AIP_MODEL_DIR": str(root / "model"), **environ})
    run(job, Journal(stream))
    return Run(
        job.model_folder,
        json.loads((job.model_folder / "model.json").read_text("utf-8")),
        json.loads(job.outcome_file.read_text()),
        [json.loads(line) for line in stream.getvalue().splitlines()],
    )
