"""AutoML on clothing and on digits: seconds from submit to evaluated model, and its accuracy.

Accuracy is over all validation and test photos, predicted through the endpoint with `ops predict`.
"""

import hashlib
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote
from urllib.request import urlopen

from bench.local import CLOTHING, Local, local
from bench.table import Figure, show

MOST_SECONDS = 60.0
AT_ONCE = 500


def held_out(cloud: Local, imported: Mapping[str, Any], photos: Path) -> dict[str, str]:
    """The path and true label of every photo that training never saw."""
    by_hash = {
        hashlib.sha256(path.read_bytes()).hexdigest(): path
        for path in sorted(photos.rglob("*"))
        if path.is_file()
    }
    rows = [json.loads(line) for line in text_of(cloud, f"{imported['files']}manifest.jsonl")]
    pairs = [line.split("\t") for line in text_of(cloud, f"{imported['files']}labels.txt")]
    own = {pair[0]: pair[1] for pair in pairs}
    return {
        str(by_hash[row["source"]]): own[row["labels"][0]]
        for row in rows
        if row["split"] != "training"
    }


def text_of(cloud: Local, name: str) -> list[str]:
    """The lines of an object of the stack's bucket."""
    bucket = "local-project-ops-default"
    address = f"{cloud.url}/storage/v1/b/{bucket}/o/{quote(name, safe='')}?alt=media"
    with urlopen(address) as answer:
        return str(answer.read().decode()).splitlines()


def accuracy(cloud: Local, truth: Mapping[str, str]) -> float:
    """The share of these photos whose label the endpoint names."""
    paths = list(truth)
    right = 0
    for start in range(0, len(paths), AT_ONCE):
        answers = cloud.ops("predict", *paths[start : start + AT_ONCE])["predictions"]
        right += sum(answer["prediction"] == truth[answer["key"]] for answer in answers)
    return right / len(truth)


def measured(photos: Path) -> tuple[float, float, int]:
    """Seconds of `ops train`, accuracy and number of held-out photos, on a fresh cloud."""
    with local() as cloud:
        imported = cloud.ops("import-dataset", str(photos))
        started = time.perf_counter()
        cloud.ops("train")
        seconds = time.perf_counter() - started
        cloud.ops("deploy")
        truth = held_out(cloud, imported, photos)
        return seconds, accuracy(cloud, truth), len(truth)


def figures(name: str, photos: Path, least_accuracy: float) -> list[Figure]:
    """Both promises for one data set."""
    seconds, share, count = measured(photos)
    return [
        Figure(
            f"AutoML on {name}, submit to evaluated model",
            f"{seconds:.1f} s",
            f"<= {MOST_SECONDS:.0f} s",
            seconds <= MOST_SECONDS,
        ),
        Figure(
            f"accuracy on {name}, all {count} validation and test photos",
            f"{share:.4f}",
            f">= {least_accuracy}",
            share >= least_accuracy,
        ),
    ]


def main() -> None:
    """Print the figures; clothing only where its photos are."""
    from tempfile import TemporaryDirectory

    from demo.digits import write_digits

    found = []
    if CLOTHING.is_dir():
        found += figures("clothing", CLOTHING, 0.88)
    with TemporaryDirectory() as folder:
        write_digits(Path(folder, "digits"))
        found += figures("digits", Path(folder, "digits"), 0.97)
    show("train_automl", found)


if __name__ == "__main__":
    main()
