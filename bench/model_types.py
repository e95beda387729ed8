"""Each model type on the 5,000 handwritten digits: seconds and accuracy of a custom training.

`python -m trainer.task` runs as a job does: photos as PNG files, 80/10/10 for each label, ranked by
hash. Seconds are from the process's start to its end, evaluation and export included; accuracy is
that of the exported model on the 500 test photos.
"""

import hashlib
import json
import os
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.table import Figure, show

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Row:
    """One line of the table: the model type, its seeds, least accuracy and most seconds."""

    model_type: str
    seeds: tuple[int, ...]
    least_accuracy: float
    most_seconds: float = 60.0


ROWS = (
    Row("linear", (0,), 0.88),
    Row("dnn", (0,), 0.93),
    Row("dnn_dropout", (0,), 0.93),
    Row("cnn", (0, 1, 2), 0.985),
    Row("cnn_batch_norm", (0, 1, 2), 0.98),
    Row("transfer", (0,), 0.93, 300.0),
)


def write_manifest(photos: Path, manifest: Path) -> None:
    """A manifest of a folder per label, split 80/10/10 for each label by the photos' hashes."""
    lines = []
    for folder in sorted(path for path in photos.iterdir() if path.is_dir()):
        hashes = {hashlib.sha256(path.read_bytes()).hexdigest(): path for path in folder.iterdir()}
        for place, (digest, path) in enumerate(sorted(hashes.items())):
            tenth = place * 10 // len(hashes)
            split = "training" if tenth < 8 else "validation" if tenth == 8 else "test"
            row = {"uri": str(path), "sha256": digest, "labels": [f"label_{folder.name}"]}
            lines.append(json.dumps(row | {"split": split}))
    manifest.write_text("\n".join(lines) + "\n")


def trained(manifest: Path, model_type: str, seed: int) -> tuple[float, float]:
    """Seconds and accuracy of one training."""
    with TemporaryDirectory(prefix="bench-") as folder:
        command = [sys.executable, "-m", "trainer.task", f"--manifest={manifest}"]
        started = time.perf_counter()
        subprocess.run(
            [*command, f"--model-type={model_type}", f"--seed={seed}"],
            cwd=ROOT,
            env={**os.environ, "AIP_MODEL_DIR": f"{folder}/model"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=True,
        )
        seconds = time.perf_counter() - started
        card = json.loads(Path(folder, "model", "model.json").read_text())
    return seconds, card["metrics"]["accuracy"]


def measured(manifest: Path, row: Row) -> list[Figure]:
    """Seconds and mean accuracy of one model type."""
    runs = [trained(manifest, row.model_type, seed) for seed in row.seeds]
    slowest = max(seconds for seconds, _ in runs)
    mean = statistics.mean(accuracy for _, accuracy in runs)
    each = ", ".join(f"{accuracy:.3f}" for _, accuracy in runs)
    of_seeds = f" (mean of {len(runs)}: {each})" if len(runs) > 1 else ""
    return [
        Figure(
            f"{row.model_type}, seconds{', slowest of ' + str(len(runs)) if of_seeds else ''}",
            f"{slowest:.1f} s",
            f"<= {row.most_seconds:.0f} s",
            slowest <= row.most_seconds,
        ),
        Figure(
            f"{row.model_type}, accuracy on 500 test photos",
            f"{mean:.3f}{of_seeds}",
            f">= {row.least_accuracy}",
            mean >= row.least_accuracy,
        ),
    ]


def main() -> None:
    """Print the table, or that of the model types named."""
    from demo.digits import write_digits

    chosen = [row for row in ROWS if not sys.argv[1:] or row.model_type in sys.argv[1:]]
    with TemporaryDirectory(prefix="bench-digits-") as folder:
        write_digits(Path(folder, "photos"))
        manifest = Path(folder, "manifest.jsonl")
        write_manifest(Path(folder, "photos"), manifest)
        found = [figure for row in chosen for figure in measured(manifest, row)]
    show("model_types: digits, 4,000 training photos", found)


if __name__ == "__main__":
    main()
