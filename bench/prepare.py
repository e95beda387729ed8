"""`trainer.prepare` with two workers of one thread each against one worker.

20,000 photos are made once in a temporary folder: cuts of the clothing photos (of the digits where
those are not there), each at a place and of a quality of its own, from one seed. Then the whole
command runs in turns with one worker process and with two, into TFRecord shards of 224 pixels; the
shards of all runs must be the same, byte for byte.

    python -m bench.prepare [PHOTOS] [ROUNDS]
"""

import hashlib
import io
import json
import os
import statistics
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench.table import Figure, show

ROOT = Path(__file__).parents[1]
CLOTHING = ROOT.parent / "shared" / "datasets" / "clothing"
PHOTOS, ROUNDS, SHARDS = 20_000, 2, 32
LEAST_RATIO = 1.4


def originals(folder: Path) -> list[tuple[Path, str]]:
    """Photos and their labels."""
    if CLOTHING.is_dir():
        return [(path, path.parent.name) for path in sorted(CLOTHING.glob("*/*/*.jpg"))]
    from demo.digits import write_digits

    write_digits(folder / "digits")
    return [(path, path.parent.name) for path in sorted((folder / "digits").glob("*/*.png"))]


def perturbed(job: tuple[Path, str, Path, int]) -> str:
    """The manifest's row of a changed copy, which is written."""
    import numpy as np
    from PIL import Image

    path, label, target, number = job
    random = np.random.default_rng([7, number])
    with Image.open(path) as image:
        width, height = image.size
        less = [int(random.integers(0, max(1, side // 10))) for side in image.size * 2]
        file = io.BytesIO()
        box = (less[0], less[1], width - less[2], height - less[3])
        cut = image.convert("RGB").crop(box)
        cut.save(file, "JPEG", quality=int(random.integers(80, 95)))
    data = file.getvalue()
    target.write_bytes(data)
    split = ("training", "validation", "test")[0 if number % 10 < 8 else number % 10 - 7]
    name = f"label_{label}".replace("-", "_")
    digest = hashlib.sha256(data).hexdigest()
    return json.dumps({"uri": target.name, "sha256": digest, "labels": [name], "split": split})


def make(folder: Path, photos: int) -> Path:
    """A manifest of so many different photos."""
    known = originals(folder)
    jobs = [(*known[n % len(known)], folder / f"{n:06d}.jpg", n) for n in range(photos)]
    with ProcessPoolExecutor(2) as pool:
        rows = list(pool.map(perturbed, jobs, chunksize=200))
    (folder / "manifest.jsonl").write_text("\n".join(rows) + "\n")
    return folder / "manifest.jsonl"


def prepared(manifest: Path, to: Path, workers: int) -> tuple[float, dict[str, Any]]:
    """Seconds of the whole command, and its report."""
    command = [sys.executable, "-m", "trainer.prepare", f"--manifest={manifest}", f"--to={to}"]
    ways = ["--direct_running_mode=multi_processing", f"--direct_num_workers={workers}"]
    # One thread a worker, whatever a library would start.
    environ = {**os.environ, "OMP_NUM_THREADS": "1"}
    started = time.perf_counter()
    subprocess.run(
        [*command, "--size=224", f"--shards={SHARDS}", *ways],
        cwd=ROOT,
        env=environ,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=True,
    )
    return time.perf_counter() - started, json.loads((to / "report.json").read_text())


def measured(manifest: Path, folder: Path, rounds: int) -> list[Figure]:
    """The ratio, and whether every run made the same."""
    seconds: dict[int, list[float]] = {1: [], 2: []}
    reports = []
    for number in range(rounds):
        for workers in (1, 2) if number % 2 == 0 else (2, 1):
            # The same folder again: a second run replaces the shards of the first.
            took, report = prepared(manifest, folder / "shards", workers)
            seconds[workers].append(took)
            reports.append(report)
            print(f"  round {number + 1}, {workers} worker(s): {took:.1f} s", flush=True)
    one, two = (statistics.median(seconds[workers]) for workers in (1, 2))
    photos = reports[0]["photos"]
    same = all(report == reports[0] for report in reports)
    return [
        Figure(
            f"two workers of one thread each against one, {photos} photos",
            f"{one / two:.2f}x ({one:.1f} s : {two:.1f} s, {photos / two:.0f} photos/s)",
            f">= {LEAST_RATIO}x",
            one / two >= LEAST_RATIO,
        ),
        Figure(f"shards of {len(reports)} runs", "the same" if same else "differ", "same", same),
    ]


def main() -> None:
    """Print the table."""
    given = [int(word) for word in sys.argv[1:]]
    photos, rounds = [*given, *(PHOTOS, ROUNDS)[len(given) :]]
    with TemporaryDirectory(prefix="bench-prepare-") as name:
        folder = Path(name)
        (folder / "photos").mkdir()
        manifest = make(folder / "photos", photos)
        show("prepare: photos to TFRecord shards", measured(manifest, folder, rounds))


if __name__ == "__main__":
    main()
