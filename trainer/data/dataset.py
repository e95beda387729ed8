"""A data set as `ops` stores it: `manifest.jsonl`, a row a photo, and `labels.txt` beside it."""

from __future__ import annotations

import hashlib
import json
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainer.data.manifest import Photo, Photos, read_photos
from trainer.errors import DataError
from trainer.paths import SCHEME, local_path

SPLITS = ("training", "validation", "test")
LABELS_FILE = "labels.txt"


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a manifest; `identity` is the photo's SHA-256, or its URI where there is none.

    `path` is the photo's file where the URI does not say it.
    """

    uri: str
    labels: tuple[str, ...]
    split: str
    identity: str
    path: Path | None = None


@dataclass(frozen=True)
class Dataset:
    """Photos by split, each label's name as the user wrote it, and the digest of it all.

    `remarks` are sentences about what was found, for the person who trains.
    """

    photos: Photos
    own_names: Mapping[str, str]
    multi_label: bool
    digest: str
    remarks: tuple[str, ...] = ()


def read_dataset(manifest: Path, mount: Path, multi_label: str = "auto") -> Dataset:
    """The data set of a manifest. `multi_label` is yes, no, or auto: whether a row has several.

    Raises DataError, naming file and line, for what is not a row, and for data that nothing can be
    learned from.
    """
    rows = read_rows(manifest)
    own_names = read_labels(manifest.with_name(LABELS_FILE))
    return dataset_of(rows, own_names, mount, manifest.parent, multi_label)


def dataset_of(
    rows: Sequence[Row],
    own_names: Mapping[str, str],
    mount: Path,
    folder: Path,
    multi_label: str = "auto",
    remarks: tuple[str, ...] = (),
) -> Dataset:
    """The data set of these rows; a relative path is below `folder`.

    Raises DataError for data that nothing can be learned from.
    """
    several = [row for row in rows if len(row.labels) > 1]
    if several and multi_label == "no":
        raise DataError(f"{several[0].uri} has several labels, and --multi-label is no.")
    photos = _photos(rows, list(own_names), mount, folder)
    remarks = (*remarks, *_unjudged(photos))
    return Dataset(photos, own_names, bool(several) or multi_label == "yes", digest(rows), remarks)


def exported_dataset(
    files: Mapping[str, Sequence[Path]], mount: Path, multi_label: str = "auto"
) -> Dataset:
    """The same of the rows that Vertex exported for a training."""
    photos = read_photos(files, mount, multi_label=multi_label != "no")
    every = {"training": photos.training, "validation": photos.validation, "test": photos.test}
    rows = [
        Row(photo.uri, tuple(photos.labels[place] for place in photo.labels), split, photo.uri)
        for split, listed in every.items()
        for photo in listed
    ]
    several = any(len(row.labels) > 1 for row in rows)
    return Dataset(photos, {}, several or multi_label == "yes", digest(rows))


def read_rows(manifest: Path) -> list[Row]:
    """Every row of a manifest. Raises DataError naming the line that is not one."""
    try:
        with manifest.open("rb") as lines:
            rows = [
                row_of(line, f"{manifest.name}, line {number}")
                for number, line in enumerate(lines, 1)
                if line.strip()
            ]
    except OSError as error:
        raise DataError(
            f"The manifest {manifest} cannot be read ({error.strerror}). "
            "Give --manifest a manifest.jsonl that ops import-dataset wrote, a folder of photos, "
            "or TFRecord files."
        ) from error
    if not rows:
        raise DataError(f"{manifest.name} has no rows. Import photos first.")
    return rows


def read_labels(path: Path) -> dict[str, str]:
    """Safe names and the user's own, in the file's order; empty without the file."""
    if not path.is_file():
        return {}
    found = {}
    try:
        for line in path.read_text("utf-8").splitlines():
            safe, _, own = line.partition("\t")
            if safe:
                found[safe] = own or safe
    except UnicodeDecodeError as error:
        raise DataError(f"{path.name} is not UTF-8 ({error}).") from error
    return found


def write_labels(folder: Path, labels: Sequence[str], own_names: Mapping[str, str]) -> None:
    """`labels.txt` of a model: its labels, each with the user's own name."""
    lines = "".join(f"{label}\t{own_names.get(label, label)}\n" for label in labels)
    (folder / LABELS_FILE).write_text(lines, "utf-8")


def digest(rows: Iterable[Row]) -> str:
    """SHA-256, in hex, over the sorted rows of (photo, sorted labels, split): docs/formats.md."""
    lines = sorted(
        json.dumps([row.identity, sorted(row.labels), row.split], separators=(",", ":"))
        for row in rows
    )
    found = hashlib.sha256()
    for line in lines:
        found.update(f"{line}\n".encode())
    return found.hexdigest()


def row_of(line: bytes, where: str) -> Row:
    """The row of a manifest's line; `where` names it in the DataError for what is not one."""
    try:
        row: Any = json.loads(line)
    except ValueError as error:
        raise DataError(f"{where}: not JSON ({error}).") from error
    uri = row.get("uri") if isinstance(row, dict) else None
    if not isinstance(uri, str) or not uri:
        raise DataError(f"{where}: uri is missing. Received: {_shown(line)}")
    labels, split = row.get("labels"), row.get("split")
    if not isinstance(labels, list) or not all(isinstance(name, str) and name for name in labels):
        raise DataError(f"{where}: labels must be a list of names. Received: {labels!r}")
    # A photo without labels is stored only: its split is "" (docs/formats.md).
    if split not in SPLITS and (labels or split != ""):
        raise DataError(f"{where}: split must be one of {', '.join(SPLITS)}. Received: {split!r}")
    # Interned: a million rows share a few names.
    names = tuple(sys.intern(name) for name in dict.fromkeys(labels))
    return Row(uri, names, sys.intern(split), str(row.get("sha256") or uri))


def _shown(line: bytes) -> str:
    return line.decode("utf-8", "replace").strip()[:200]


def _photos(rows: Sequence[Row], listed: Sequence[str], mount: Path, folder: Path) -> Photos:
    seen = Counter(label for row in rows for label in row.labels)
    known = list(listed) or sorted(seen)
    used = tuple(name for name in known if seen[name])
    _check(rows, used, seen, known)
    index = {name: (seen[name], place) for place, name in enumerate(used)}
    by_split: dict[str, list[Photo]] = {split: [] for split in SPLITS}
    for row in rows:
        if row.labels:
            # The rarest label stands first, as in `trainer.data.manifest`.
            first, *others = (place for _, place in sorted(index[name] for name in row.labels))
            path = row.path or _path(row.uri, mount, folder)
            by_split[row.split].append(Photo(row.uri, path, first, tuple(others)))
    return Photos(
        labels=used,
        **{split: tuple(photos) for split, photos in by_split.items()},
        unlabelled=sum(not row.labels for row in rows),
        unused_labels=tuple(name for name in known if not seen[name]),
    )


def _path(uri: str, mount: Path, folder: Path) -> Path:
    """The photo's file: a plain path that is relative is beside the manifest."""
    return local_path(uri, mount) if uri.startswith(SCHEME) else folder / local_path(uri, mount)


def _check(
    rows: Sequence[Row], used: Sequence[str], seen: Counter[str], known: Sequence[str]
) -> None:
    strange = sorted(name for name in seen if name not in known)
    if strange:
        raise DataError(f"Rows have labels that {LABELS_FILE} does not list: {_listed(strange)}.")
    if len(used) < 2:
        raise DataError(f"Training needs photos of at least two labels. Received: {list(used)}")
    trained = {label for row in rows if row.split == "training" for label in row.labels}
    untrained = [name for name in used if name not in trained]
    if untrained:
        raise DataError(
            f"These labels have no training photo: {_listed(untrained)}. Give each some, or take "
            "its rows out: a model cannot answer what it never saw."
        )


def _unjudged(photos: Photos) -> tuple[str, ...]:
    """A sentence for labels that validation, where there is one, or test has no photo of."""
    held = {"validation": photos.validation, "test": photos.test}
    return tuple(
        f"No {split} photo has these labels: {_listed(missing)}. Their accuracy there is not known."
        for split, listed in held.items()
        if listed and (missing := _missing(photos.labels, listed))
    )


def _missing(labels: Sequence[str], photos: Sequence[Photo]) -> list[str]:
    seen = {place for photo in photos for place in photo.labels}
    return [name for place, name in enumerate(labels) if place not in seen]


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return ", ".join(names[:5]) + more
