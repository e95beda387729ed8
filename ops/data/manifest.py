"""A data set as it is stored: the manifest, its labels, Vertex's import file, and its digest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ops import names
from ops.data.photos import Named
from ops.data.places import CloudObject
from ops.data.vertex_rows import ML_USE


@dataclass(frozen=True, slots=True)
class Row:
    """One photo of a manifest: `labels` are safe names, width and height pixels.

    A photo without labels has no split either (""): it is stored, and nothing trains on it.

    `source` is the SHA-256 of the user's file (another one than `sha256` when the photo was
    turned or converted); photos with the same `group` share a split.
    """

    uri: str
    sha256: str
    labels: tuple[str, ...]
    split: str
    group: str
    width: int
    height: int
    size_bytes: int
    source: str


def rows(photos: Iterable[Named], splits: Mapping[str, str], bucket: str) -> list[Row]:
    """The manifest's rows in the order of the hashes; `splits` has those of the labelled ones."""
    found = [
        Row(
            uri=uri(named, bucket),
            sha256=named.photo.sha256,
            labels=tuple(sorted(map(names.safe_label, named.labels))),
            split=splits[named.photo.sha256] if named.labels else "",
            group=named.photo.sha256,
            width=named.photo.width,
            height=named.photo.height,
            size_bytes=named.photo.size_bytes,
            source=named.photo.source_sha256,
        )
        for named in photos
    ]
    return sorted(found, key=lambda row: row.sha256)


def uri(named: Named, bucket: str) -> str:
    """Where the photo is read from: where it lies if that will do, else in the stack's bucket."""
    place = named.photo.place
    if refers(named) and isinstance(place, CloudObject):
        return place.uri
    return names.gs_uri(bucket, object_name(named))


def refers(named: Named) -> bool:
    """Whether the data set refers to the photo where it lies: right region, nothing to convert."""
    place = named.photo.place
    return isinstance(place, CloudObject) and place.stays and named.photo.change is None


def object_name(named: Named) -> str:
    """Where the photo is stored in the bucket: its own hash, and the suffix of what it is."""
    return names.image_object(named.photo.sha256, f".{named.photo.extension}")


def digest(rows: Iterable[Row]) -> str:
    """SHA-256, in hex, over the sorted rows of (sha256, sorted labels, split).

    Each row is a JSON list without spaces and a newline. Nothing in it depends on machine,
    bucket or path: the same photos under the same labels in the same splits have one digest.
    """
    lines = sorted(
        json.dumps([row.sha256, sorted(row.labels), row.split], separators=(",", ":"))
        for row in rows
    )
    return hashlib.sha256("".join(f"{line}\n" for line in lines).encode()).hexdigest()


def to_jsonl(rows: Sequence[Row]) -> str:
    """manifest.jsonl: a row a photo."""
    return "".join(f"{json.dumps(asdict(row), ensure_ascii=False)}\n" for row in rows)


def from_jsonl(text: str) -> list[Row]:
    """The rows of a manifest.jsonl."""
    found = [json.loads(line) for line in text.split("\n") if line]
    return [Row(**{**row, "labels": tuple(row["labels"])}) for row in found]


def sources_jsonl(sources: Iterable[tuple[str, str]], rows: Iterable[Row]) -> str:
    """sources.jsonl: where each photo is from (a path from the source, a gs:// URI), and its hash.

    A photo that was there twice has two lines; one that was left out has none.
    """
    known = {row.sha256 for row in rows}
    found = sorted((sha256, source) for source, sha256 in sources if sha256 in known)
    lines = ({"sha256": sha256, "source": source} for sha256, source in found)
    return "".join(f"{json.dumps(line, ensure_ascii=False)}\n" for line in lines)


def labels_txt(own: Mapping[str, str]) -> str:
    """labels.txt: safe name, tab, the user's own name; sorted by safe name."""
    return "".join(f"{safe}\t{name}\n" for safe, name in sorted(own.items()))


def import_jsonl(rows: Iterable[Row], *, multi_label: bool = False) -> str:
    """import.jsonl: Vertex's image classification import format, for one label or several.

    A photo without labels has no ml_use either, so that no training takes it. Source: schemas
    `image_classification_{single,multi}_label_io_format_1.0.0.yaml`, "prepare data", read
    2026-08-22: only `imageGcsUri` is required.
    """
    found = (_import_row(row, multi_label) for row in rows)
    return "".join(json.dumps(row, separators=(",", ":")) + "\n" for row in found)


def _import_row(row: Row, multi_label: bool) -> dict[str, Any]:
    found: dict[str, Any] = {"imageGcsUri": row.uri}
    annotations = [{"displayName": label} for label in row.labels]
    if multi_label and annotations:
        found["classificationAnnotations"] = annotations
    elif annotations:
        found["classificationAnnotation"] = annotations[0]
    if row.split:
        found["dataItemResourceLabels"] = {ML_USE: row.split}
    return found
