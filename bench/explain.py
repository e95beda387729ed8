"""Explanations of small objects: how much weight lies on the object, beside what chance gives.

Pictures whose label is the pattern of an object of at most a tenth of their area, at a random place
(`bench.small_objects`). `python -m trainer.task` trains a model on them, and another on the same
pictures with their labels shuffled; held-out pictures are explained by both, each for the label
that it says, and their object's share of the map's positive weight is compared, picture by picture,
with the other model's and with that of maps of random numbers.
"""

import hashlib
import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from bench.small_objects import LABELS, Picture, pictures
from bench.table import Figure, show

ROOT = Path(__file__).parents[1]
COUNTS = {"training": 120, "validation": 15, "test": 15}
EXPLAINED = 6
STEPS = 24
METHODS = {"xrai": "XRAI regions", "ig": "integrated gradients"}
Shares = NDArray[np.float64]


@dataclass(frozen=True)
class Measured:
    """Of each explained picture: the object's share of the weight by method, error and seconds."""

    accuracy: float
    shares: dict[str, Shares]
    errors: Shares
    seconds: Shares


def main() -> None:
    """Print the table."""
    with TemporaryDirectory(prefix="bench-explain-") as name:
        folder = Path(name)
        rows = list(write_pictures(folder))
        true, shuffled = folder / "true.jsonl", folder / "shuffled.jsonl"
        write_manifest(true, rows)
        order = np.random.default_rng(0).permutation(len(rows))
        write_manifest(
            shuffled,
            [{**row, "labels": rows[at]["labels"]} for row, at in zip(rows, order, strict=True)],
        )
        held_out = [one for label in LABELS for one in pictures(label, EXPLAINED, 9)]
        ours, other = (measured(trained(manifest), held_out) for manifest in (true, shuffled))
    show(f"explain: {len(held_out)} held-out pictures", list(figures(ours, other, held_out)))


def write_pictures(folder: Path) -> Iterator[dict[str, object]]:
    """A manifest's row for each picture, written into `folder`."""
    from PIL import Image

    for seed, (split, count) in enumerate(COUNTS.items()):
        for label in LABELS:
            for number, picture in enumerate(pictures(label, count, seed)):
                path = folder / f"{split}-{label}-{number}.png"
                Image.fromarray(picture.pixels).save(path)
                digest = hashlib.sha256(path.read_bytes()).hexdigest()
                yield {"uri": str(path), "sha256": digest, "labels": [label], "split": split}


def write_manifest(path: Path, rows: list[dict[str, object]]) -> None:
    """The rows as manifest.jsonl."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def trained(manifest: Path) -> Path:
    """The folder of a transfer model of the manifest's pictures."""
    folder = manifest.with_suffix("") / "model"
    subprocess.run(
        [sys.executable, "-m", "trainer.task", f"--manifest={manifest}", "--model-type=transfer"],
        cwd=ROOT,
        env={**os.environ, "AIP_MODEL_DIR": str(folder)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=True,
    )
    return folder


def measured(folder: Path, held_out: list[Picture]) -> Measured:
    """The explanations of a model, by both methods, of the label that it says."""
    from trainer.explain import load
    from trainer.explaining.asked import METHODS as KNOWN
    from trainer.explaining.maps import attribute, region_map

    card = json.loads((folder / "model.json").read_text())
    slopes, size = load(folder)
    shares: dict[str, list[float]] = {method: [] for method in KNOWN}
    errors, seconds = [], []
    for picture in held_out:
        pixels = scaled(picture, size)
        place = int(slopes.every(pixels).argmax())
        started = time.perf_counter()
        found = attribute(slopes, pixels, place, STEPS)
        regions = region_map(pixels, found.attributions)
        seconds.append(time.perf_counter() - started)
        errors.append(found.error)
        shares["xrai"].append(on_object(regions, picture))
        shares["ig"].append(on_object(cells(found.attributions), picture))
    as_arrays = {method: np.array(values) for method, values in shares.items()}
    accuracy = float(card["metrics"]["accuracy"])
    return Measured(accuracy, as_arrays, np.array(errors), np.array(seconds))


def cells(attributions: NDArray[np.float32]) -> NDArray[np.float32]:
    """Attributions as they are answered: added up in cells of 8 × 8 pixels."""
    side = len(attributions) // 8
    found: NDArray[np.float32] = attributions.reshape(side, 8, side, 8).sum(axis=(1, 3))
    return found


def scaled(picture: Picture, size: int) -> NDArray[np.float32]:
    """The picture as the model sees it, `(size, size, 3)`."""
    from PIL import Image

    from trainer.data.decode import square

    file = io.BytesIO()
    Image.fromarray(picture.pixels).save(file, "PNG")
    return square(file.getvalue(), size).astype(np.float32)


def on_object(values: NDArray[np.float32], picture: Picture) -> float:
    """The object's share of a map's positive weight, 0–1."""
    from PIL import Image

    image = Image.fromarray(picture.mask.astype(np.float32))
    inside = np.asarray(image.resize(values.shape, Image.Resampling.BOX)) > 0.5
    positive = np.clip(values, 0, None).astype(np.float64)
    return float(positive[inside].sum() / max(positive.sum(), 1e-12))


def random_shares(held_out: list[Picture], method: str) -> Shares:
    """The same of maps of random numbers, by the same way from attributions to a map."""
    from trainer.explaining.maps import region_map

    randomly = np.random.default_rng(1)
    found = []
    for picture in held_out:
        values = randomly.normal(0, 1, (224, 224)).astype(np.float32)
        values = region_map(scaled(picture, 224), values) if method == "xrai" else cells(values)
        found.append(on_object(values, picture))
    return np.array(found)


def figures(ours: Measured, other: Measured, held_out: list[Picture]) -> Iterator[Figure]:
    """The rows of the table."""
    areas = np.array([picture.mask.mean() for picture in held_out])
    yield Figure(
        "largest object, share of the area", f"{areas.max():.3f}", "<= 0.1", areas.max() <= 0.1
    )
    yield Figure(
        "accuracy on test pictures: true labels, shuffled",
        f"{ours.accuracy:.2f}, {other.accuracy:.2f}",
        ">= 0.8, about 0.2",
        ours.accuracy >= 0.8,
    )
    for method, name in METHODS.items():
        share = ours.shares[method]
        yield Figure(f"{name}: weight on the object", said(share), "", True)
        for who, chance in (
            ("random map", random_shares(held_out, method)),
            ("model of shuffled labels", other.shares[method]),
        ):
            more = share - chance
            sure = more.mean() > 2 * standard_error(more)
            yield Figure(
                f"{name}: {who}", said(chance), f"less; ours is {said(more)} more", bool(sure)
            )
    error = float(np.median(ours.errors))
    yield Figure(f"completeness error at {STEPS} steps, median", f"{error:.1%}", "", True)
    second = float(np.median(ours.seconds))
    yield Figure("seconds a photo, both maps, median", f"{second:.2f} s", "<= 3 s", second <= 3)


def said(values: Shares) -> str:
    """Mean and standard error."""
    return f"{values.mean():.3f} ± {standard_error(values):.3f}"


def standard_error(values: Shares) -> float:
    """Of the mean."""
    return float(values.std(ddof=1) / np.sqrt(len(values)))


if __name__ == "__main__":
    main()
