"""Skew: the same photos through training's decoder, the exported graph and a real server.

A head on frozen Lite0 is trained on the clothing photos by a job of its own, `--int8 yes`, with
export and all. Then three ways score all its test photos: the decoder that training used with the
LiteRT arithmetic, the SavedModel loaded again, and `python -m trainer.serve` over HTTP. The same
with a photo in every odd format, and with photos that nobody can read, which all three must refuse.
`python -m bench.skew 60` takes only so many photos of each split.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from itertools import combinations
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.jobs import ROOT, Row, write_job
from bench.local import CLOTHING
from bench.table import Figure, show
from tests.trainer.data.photos import BAD, GOOD, truncated
from tests.trainer.served import Server, instance

TRAINING = ("--model-type", "transfer", "--unfreeze", "none", "--int8", "yes")
SPLITS = {"train": "training", "validation": "validation", "test": "test"}
LEAST_SAME, MOST_MEAN, LEAST_INT8_SAME = 0.995, 0.01, 0.95
TIED = 0.005
Scores = NDArray[np.float64]
Way = Callable[[bytes], Scores | None]


def rows(limit: int | None) -> list[Row]:
    """The clothing photos in their own split, or the first of each class."""
    found = []
    for folder, split in SPLITS.items():
        for label in sorted(path for path in (CLOTHING / folder).iterdir() if path.is_dir()):
            files = sorted(label.iterdir())[: limit and max(2, limit // 10)]
            found += [Row(path, (label.name.replace("-", "_"),), split) for path in files]
    return found


def train(folder: Path, chosen: Sequence[Row]) -> float:
    """Seconds of the job that leaves a model in `folder/model`."""
    environ = dict(os.environ) | write_job(folder, chosen, {})
    command = [sys.executable, "-m", "trainer.task", *TRAINING]
    started = time.perf_counter()
    done = subprocess.run(
        command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"The training ended with {done.returncode}: {done.stdout[-2000:]}")
    return time.perf_counter() - started


def trained(model: Path, size: int) -> Way:
    """Training's decoder and LiteRT on one photo."""
    from trainer.data.decode import square
    from trainer.errors import PhotoError
    from trainer.models.litert import Interpreter

    interpreter = Interpreter((model / "model.tflite").read_bytes())

    def score(photo: bytes) -> Scores | None:
        try:
            return np.asarray(interpreter.run(square(photo, size)), np.float64)
        except PhotoError:
            return None

    return score


def graph(model: Path) -> Way:
    """The SavedModel, loaded again."""
    from trainer.errors import PhotoError
    from trainer.export import Exported

    exported = Exported(model)

    def score(photo: bytes) -> Scores | None:
        try:
            return np.asarray(exported.scores([photo])[0], np.float64)
        except PhotoError:
            return None

    return score


def served(server: Server) -> Way:
    """A running server, asked over HTTP."""

    def score(photo: bytes) -> Scores | None:
        status, answer = server.predict(instances=[instance(photo)])
        if status == 400:
            return None
        assert status == 200, f"the server answered {status}: {answer}"
        return np.array(answer["predictions"][0]["scores"])

    return score


def compared(name: str, answers: dict[str, list[Scores | None]]) -> list[Figure]:
    """A row for each two ways: how far scores are apart, whether both refuse the same photos."""
    figures = []
    for first, second in combinations(answers, 2):
        pairs = list(zip(answers[first], answers[second], strict=True))
        read = [(a, b) for a, b in pairs if a is not None and b is not None]
        alike = sum((a is None) == (b is None) for a, b in pairs) / len(pairs)
        what = f"{name}: {first} against {second}"
        if read:
            left, right = (np.array(side) for side in zip(*read, strict=True))
            figures.append(_figure(what, left, right))
        if alike < 1 or not read:
            refused = sum(a is None and b is None for a, b in pairs)
            said = f"{refused} of {len(pairs)} photos refused by both, {alike:.1%} the same verdict"
            figures.append(Figure(what, said, "100 %", alike == 1))
    return figures


def _figure(what: str, left: Scores, right: Scores) -> Figure:
    apart = np.abs(left - right)
    best = np.take_along_axis(left, right.argmax(axis=1)[:, None], axis=1)[:, 0]
    same = float((left.max(axis=1) - best <= TIED).mean())
    holds = same >= LEAST_SAME and float(apart.mean()) <= MOST_MEAN
    said = (
        f"{len(left)} photos: largest |Δp| {apart.max():.4f}, mean {apart.mean():.5f}, "
        f"same label {same:.2%}"
    )
    return Figure(what, said, f"same ≥ {LEAST_SAME:.1%}, mean ≤ {MOST_MEAN}", holds)


def int8(card: dict[str, Any]) -> Figure:
    """What `model.json` says of the file in 8 bits."""
    found, whole = card["int8"], card["metrics"]["accuracy"]
    said = (
        f"accuracy {found['accuracy']:.4f} (float32 {whole:.4f}), same {found['sameLabel']:.2%}, "
        f"{found['sizeBytes'] / 1e6:.1f} MB, {found['seconds']:.1f} s"
    )
    target = f"same ≥ {LEAST_INT8_SAME:.0%}"
    return Figure("model_int8.tflite", said, target, found["sameLabel"] >= LEAST_INT8_SAME)


def main() -> int:
    """0 if every pair agrees."""
    if not CLOTHING.is_dir():
        print(f"The clothing photos are not at {CLOTHING}: nothing is measured.")
        return 0
    chosen = rows(int(sys.argv[1]) if len(sys.argv) > 1 else None)
    photos = {
        "clothing, test": [row.path.read_bytes() for row in chosen if row.split == "test"],
        "odd formats": [make() for make in GOOD.values()],
        "bad photos": [*(make() for make in BAD.values()), *truncated().values()],
    }
    with TemporaryDirectory(prefix="bench-skew-") as name:
        seconds = train(Path(name), chosen)
        model = Path(name, "model")
        card = json.loads((model / "model.json").read_text())
        print(f"Trained, exported and evaluated in {seconds:.1f} s.", flush=True)
        with Server(str(model)) as server:
            ways = {
                "training": trained(model, card["inputSize"]),
                "graph": graph(model),
                "server": served(server.wait()),
            }
            figures = [int8(card)]
            for kind, bodies in photos.items():
                answers = {way: [score(body) for body in bodies] for way, score in ways.items()}
                figures += compared(kind, answers)
    show("Skew between training, the exported graph and the server", figures)
    return 0 if all(figure.holds for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
