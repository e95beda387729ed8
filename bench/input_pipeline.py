"""The first epoch of the input pipeline, cold, beside `keras.utils.image_dataset_from_directory`.

Both read the 3,068 training photos of the clothing data, shuffled, in batches of 32, each in a
process of its own and in turns. Cold: the photos' pages are dropped from the system's cache first,
and nothing of an earlier run is kept. "pipeline" is from the first call, imports done, to the last
batch of the first epoch; "process" from the process's start, imports included. Keras's two figures:
the photo squashed, its default, and `crop_to_aspect_ratio`, which is what ours gives. "loop" is
to the end of a `for` over the epoch: tf.data's autotune, which Keras leaves on, ends only when it
has slept for as long as the epoch took, in doublings from 10 ms (TensorFlow 2.21). Its cached epoch
(`.cache()`, the second one) and ours (`cache="memory"`) stand apart.

    python -m bench.input_pipeline [ROUNDS]
"""

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench.table import Figure, show

ROOT = Path(__file__).parents[1]
CLOTHING = ROOT.parent / "shared" / "datasets" / "clothing" / "train"
ROUNDS = 3
BATCH = 32
SIZES = (224, 160, 64)
WAYS = ("ours", "keras", "keras-aspect")
LEAST_RATIO = 1.4

Times = dict[str, float]


def forget(folder: Path) -> None:
    """Drops the files' pages from the system's cache; those being written stay."""
    for path in folder.rglob("*.jpg"):
        with path.open("rb") as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def ours(size: int, manifest: Path) -> Times:
    """Seconds of the first epoch, and of one from memory; how many photos there were."""
    from trainer.data.pipeline import Feed
    from trainer.data.source import read_source
    from trainer.imports import tensorflow

    tensorflow()
    watch = Watch()
    photos = read_source(manifest, Path("/gcs")).photos
    labels = len(photos.labels)
    feed = Feed(photos.training, labels, size, BATCH, seed=0)
    times = watch.told(feed.epoch(1))
    kept = Feed(photos.training, labels, size, BATCH, cache="memory")
    return times | {"cached": second(kept.epoch)}


def keras_way(size: int, aspect: bool) -> Times:
    """The same of Keras."""
    import keras

    def made() -> Any:
        return keras.utils.image_dataset_from_directory(
            str(CLOTHING),
            label_mode="categorical",
            image_size=(size, size),
            batch_size=BATCH,
            seed=0,
            crop_to_aspect_ratio=aspect,
            verbose=False,
        )

    watch = Watch()
    times = watch.told(made())
    kept = made().cache()
    return times | {"cached": second(lambda _: kept)}


class Watch:
    """Seconds and processor seconds from now on."""

    def __init__(self) -> None:
        self._started, self._cpu = time.perf_counter(), time.process_time()

    def told(self, epoch: Iterable[Any]) -> Times:
        """What one epoch takes, how many photos it has, and when it was over."""
        photos, times = 0, self._until_now()
        for pixels, _ in epoch:
            photos, times = photos + len(pixels), self._until_now()
        return times | {"photos": photos, "loop": self._until_now()["pipeline"]}

    def _until_now(self) -> Times:
        return {
            "pipeline": time.perf_counter() - self._started,
            "cpu": time.process_time() - self._cpu,
            "ended": time.time(),
        }


def second(epochs: Callable[[int], Any]) -> float:
    """Seconds of the second epoch."""
    seconds = 0.0
    for number in (1, 2):
        started = time.perf_counter()
        for _ in epochs(number):
            pass
        seconds = time.perf_counter() - started
    return seconds


def write_manifest(path: Path) -> None:
    """The photos as `ops` lists them, so that neither way has to read them before it decodes."""
    rows = [
        {"uri": str(photo), "labels": [photo.parent.name], "split": "training"}
        for photo in sorted(CLOTHING.glob("*/*.jpg"))
    ]
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))


def measured(way: str, size: int, manifest: Path) -> Times:
    """What one process tells, with the seconds from its start to the end of its first epoch."""
    forget(CLOTHING)
    command = [sys.executable, "-m", "bench.input_pipeline", way, str(size), str(manifest)]
    environ = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "KERAS_BACKEND": "tensorflow"}
    started = time.time()
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=True,
    )
    found: Times = json.loads(done.stdout.splitlines()[-1])
    return found | {"process": found["ended"] - started}


def one(way: str, size: int, manifest: Path) -> None:
    """Prints what this process measured."""
    if way.startswith("keras"):
        print(json.dumps(keras_way(size, way == "keras-aspect")))
    else:
        print(json.dumps(ours(size, manifest)))


def compared(size: int, rounds: int, manifest: Path) -> list[Figure]:
    """The figures of one size: medians over the rounds, and the ratios that count."""
    runs: dict[str, list[Times]] = {way: [] for way in WAYS}
    for number in range(rounds):
        for way in WAYS if number % 2 == 0 else reversed(WAYS):
            runs[way].append(measured(way, size, manifest))
            told = {what: round(seconds, 2) for what, seconds in runs[way][-1].items()}
            print(f"  {size} px, round {number + 1}: {way} {told}", flush=True)
    middle = {
        way: {
            what: statistics.median(run[what] for run in runs[way])
            for what in ("pipeline", "loop", "process", "cpu", "cached")
        }
        for way in WAYS
    }
    ratios = [
        ratio(size, what, peer, middle)
        for what in ("pipeline", "loop", "process", "cpu")
        for peer in ("keras", "keras-aspect")
    ]
    return [*ratios, apart(size, middle)]


def ratio(size: int, what: str, peer: str, middle: dict[str, Times]) -> Figure:
    """How many times faster ours is; what counts is the pipeline."""
    mine, other = middle["ours"][what], middle[peer][what]
    counts = what == "pipeline"
    return Figure(
        f"{size} px, first epoch cold, {what}, against {peer}",
        f"{other / mine:.2f}x ({mine:.2f} s : {other:.2f} s)",
        f">= {LEAST_RATIO}x" if counts else "told",
        not counts or other / mine >= LEAST_RATIO,
    )


def apart(size: int, middle: dict[str, Times]) -> Figure:
    """A cached epoch of each."""
    mine, other = middle["ours"]["cached"], middle["keras"]["cached"]
    return Figure(f"{size} px, cached epoch", f"{mine:.2f} s, Keras {other:.2f} s", "told", True)


def main() -> None:
    """Print the table."""
    if len(sys.argv) == 4:
        return one(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
    if not CLOTHING.is_dir():
        print(f"input_pipeline: needs the clothing photos in {CLOTHING}")
        return None
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    with TemporaryDirectory(prefix="bench-input-") as folder:
        manifest = Path(folder, "manifest.jsonl")
        write_manifest(manifest)
        figures = [figure for size in SIZES for figure in compared(size, rounds, manifest)]
    show("input_pipeline: 3,068 clothing photos, batches of 32", figures)
    return None


if __name__ == "__main__":
    main()
