"""Photos that training has not read: the test split of what was imported, as local files."""

import hashlib
import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SEED = 7


@dataclass(frozen=True)
class Unseen:
    """A local file and its true label, as the user wrote it."""

    path: Path
    label: str


def unseen_photos(manifest: str, labels: str, folder: Path, count: int) -> list[Unseen]:
    """Up to `count` files under `folder` that the manifest (JSON lines) has in its test split.

    `labels` is the data set's labels.txt: safe name, tab, the user's own.
    """
    own = dict(line.split("\t", 1) for line in labels.splitlines())
    rows = [json.loads(line) for line in manifest.splitlines()]
    tested = {row["source"]: own[row["labels"][0]] for row in rows if row["split"] == "test"}
    return list(_found(tested, _shuffled(folder), count))


def _shuffled(folder: Path) -> list[Path]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    random.Random(SEED).shuffle(files)
    return files


def _found(tested: Mapping[str, str], files: Sequence[Path], count: int) -> Iterator[Unseen]:
    """Files of the test split, of another label each time while there are others."""
    seen: set[str] = set()
    found = 0
    for path in files:
        label = tested.get(hashlib.sha256(path.read_bytes()).hexdigest())
        if label is None or (label in seen and len(seen) < len(set(tested.values()))):
            continue
        seen.add(label)
        yield Unseen(path, label)
        found += 1
        if found == count:
            return


def read_object(storage: Any, uri: str) -> str:
    """The text of a gs:// object, by Google's storage client."""
    bucket, _, name = uri.removeprefix("gs://").partition("/")
    return str(storage.bucket(bucket).blob(name).download_as_text())
