"""Five folds over all clothing photos, by their bytes: a photo is in the same fold everywhere."""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.jobs import Row
from bench.local import CLOTHING

FOLDS = 5
VALIDATES_ONE_IN = 10


@dataclass(frozen=True)
class Photo:
    """A file, its class, and the SHA-256 of its bytes."""

    path: Path
    label: str
    sha256: str


def clothing_photos(limit: int | None = None, folder: Path = CLOTHING) -> list[Photo]:
    """All photos of the folders of classes, in the order of their hashes; the first `limit`.

    The data set's own split is not used. Raises FileNotFoundError where there are none.
    """
    files = sorted(folder.glob("*/*/*.jpg"))
    if not files:
        raise FileNotFoundError(f"There are no photos in {folder}.")
    photos = (
        Photo(path, path.parent.name, hashlib.sha256(path.read_bytes()).hexdigest())
        for path in files
    )
    by_hash = {photo.sha256: photo for photo in photos}
    return [by_hash[digest] for digest in sorted(by_hash)][:limit]


def fold_of(sha256: str) -> int:
    """The fold in which a photo is a test photo, 0–4."""
    return int(sha256, 16) % FOLDS


def split_of(sha256: str, fold: int) -> str:
    """What a photo is for in a fold: test once in five, of the others validation once in ten."""
    if fold_of(sha256) == fold:
        return "test"
    judges = int(sha256, 16) // FOLDS % VALIDATES_ONE_IN == 0
    return "validation" if judges else "training"


def fold_rows(photos: Sequence[Photo], fold: int) -> list[Row]:
    """The photos as a job's rows."""
    return [Row(photo.path, (photo.label,), split_of(photo.sha256, fold)) for photo in photos]


def standard_error(shares: Sequence[float]) -> float:
    """Of the mean of so many photos' shares (0 or 1; between them, the mean over seeds)."""
    mean = sum(shares) / len(shares)
    return math.sqrt(sum((share - mean) ** 2 for share in shares)) / len(shares)


def numbers(text: str) -> tuple[int, ...]:
    """The whole numbers of a list with commas, as an option has it."""
    return tuple(int(word) for word in text.split(",") if word)
