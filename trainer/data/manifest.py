"""The rows that Vertex hands to a training job, as photos with a label or several."""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainer.errors import DataError
from trainer.paths import local_path

FIRST_OF_EACH_LABEL = 5

_Row = tuple[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Photo:
    """One row: the photo's URI, the file it is here, and its label's index.

    Of several labels, `label` is the rarest, so that a spread of photos spreads the rare ones.
    """

    uri: str
    path: Path
    label: int
    others: tuple[int, ...] = ()

    @property
    def labels(self) -> tuple[int, ...]:
        """The indices of all its labels, in their order."""
        return tuple(sorted((self.label, *self.others)))


@dataclass(frozen=True)
class Photos:
    """The labelled photos of each split, the labels' names, and how many rows had no label."""

    labels: tuple[str, ...]
    training: tuple[Photo, ...]
    validation: tuple[Photo, ...]
    test: tuple[Photo, ...]
    unlabelled: int
    unused_labels: tuple[str, ...]


def read_photos(
    files: Mapping[str, Sequence[Path]],
    mount: Path,
    labels: Sequence[str] = (),
    multi_label: bool = False,
) -> Photos:
    """Every labelled photo of the job's data files.

    A row without a label is counted, not used. A label that no row has is left out. Raises
    DataError, naming file and line, for a row that is not one, or has several labels where
    `multi_label` is not set; and for fewer than two labels, or a label that only validation or
    test photos have.
    """
    rows = {split: list(_rows(paths, multi_label)) for split, paths in files.items()}
    named = {split: [row for row in rows[split] if row[1]] for split in rows}
    seen = Counter(label for split in named for _, own in named[split] for label in own)
    known = list(labels) or sorted(seen)
    used = tuple(name for name in known if seen[name])
    _check(
        used, seen, known, Counter(label for _, own in named.get("training", []) for label in own)
    )
    photos = {
        split: tuple(_photo(uri, mount, own, used, seen) for uri, own in found)
        for split, found in named.items()
    }
    return Photos(
        labels=used,
        training=photos.get("training", ()),
        validation=photos.get("validation", ()),
        test=photos.get("test", ()),
        unlabelled=sum(len(rows[split]) - len(named[split]) for split in rows),
        unused_labels=tuple(name for name in known if not seen[name]),
    )


def truth_matrix(photos: Sequence[Photo], classes: int) -> NDArray[np.bool_]:
    """Which photo has which label: `(photos, classes)`."""
    truth = np.zeros((len(photos), classes), bool)
    for row, photo in enumerate(photos):
        truth[row, list(photo.labels)] = True
    return truth


def spread(photos: Iterable[Photo], seed: int) -> list[Photo]:
    """The photos in an order of which every beginning has all labels in about their proportions.

    The order depends on the seed and the files' names, not on buckets or the rows' order. The first
    photos of each label come first, so that a short beginning still knows the rare ones.
    """
    groups: dict[int, list[Photo]] = defaultdict(list)
    for photo in sorted(photos, key=lambda photo: (_rank(photo, seed), photo.uri)):
        groups[photo.label].append(photo)
    keyed = [
        ((place >= FIRST_OF_EACH_LABEL, (place + 0.5) / len(group), label), photo)
        for label, group in groups.items()
        for place, photo in enumerate(group)
    ]
    return [photo for _, photo in sorted(keyed, key=lambda pair: pair[0])]


def hold_out(
    training: Sequence[Photo], validation: Sequence[Photo], seed: int
) -> tuple[list[Photo], list[Photo]]:
    """Training and validation photos, spread; one in ten training photos judges if no other can.

    A label with a single photo keeps it for training.
    """
    ordered = spread(training, seed)
    if validation:
        return ordered, spread(validation, seed)
    counts, places = Counter(photo.label for photo in ordered), Counter[int]()
    taught: list[Photo] = []
    judges: list[Photo] = []
    for photo in ordered:
        places[photo.label] += 1
        tenth = places[photo.label] % 10 == min(counts[photo.label], 10) % 10
        (judges if tenth and counts[photo.label] > 1 else taught).append(photo)
    return taught, judges


def _rank(photo: Photo, seed: int) -> bytes:
    return hashlib.sha256(f"{seed}/{photo.path.name}".encode()).digest()


def _photo(
    uri: str, mount: Path, own: tuple[str, ...], used: Sequence[str], seen: Counter[str]
) -> Photo:
    """A photo by its rarest label; of equally rare ones by the first of all labels."""
    first, *others = sorted((seen[name], used.index(name)) for name in own)
    return Photo(uri, local_path(uri, mount), first[1], tuple(place for _, place in others))


def _rows(paths: Iterable[Path], multi_label: bool) -> Iterable[_Row]:
    for path in paths:
        with path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield _row(line, f"{path.name}, line {number}", multi_label)


def _row(line: str, where: str, multi_label: bool) -> _Row:
    try:
        row: Any = json.loads(line)
    except ValueError as error:
        raise DataError(f"{where}: not JSON ({error}).") from error
    uri = row.get("imageGcsUri") if isinstance(row, dict) else None
    if not isinstance(uri, str) or not uri:
        raise DataError(f"{where}: imageGcsUri is missing. Received: {line.strip()[:200]}")
    several = row.get("classificationAnnotations")
    if several and not multi_label:
        raise DataError(f"{where}: the task is one label a photo, the row has a list.")
    if several is not None and not isinstance(several, list):
        raise DataError(f"{where}: classificationAnnotations must be a list. Received: {several!r}")
    named = [_name(one) for one in several or [row.get("classificationAnnotation")]]
    return uri, tuple(dict.fromkeys(name for name in named if name))


def _name(annotation: Any) -> str:
    """The label of an annotation; empty where there is none."""
    name = annotation.get("displayName") if isinstance(annotation, dict) else None
    return name if isinstance(name, str) else ""


def _check(
    used: Sequence[str], seen: Counter[str], known: Sequence[str], trained: Counter[str]
) -> None:
    strange = sorted(name for name in seen if name not in known)
    if strange:
        raise DataError(f"Rows have labels that task.json does not list: {', '.join(strange[:5])}.")
    if len(used) < 2:
        raise DataError(f"Training needs photos of at least two labels. Received: {list(used)}")
    untrained = [name for name in used if not trained[name]]
    if untrained:
        raise DataError(f"These labels have no training photo: {', '.join(untrained[:5])}.")
