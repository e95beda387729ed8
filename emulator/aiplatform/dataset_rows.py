"""The photos of a dataset as Vertex AI exports them: rows of JSON, in files of a bucket."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

from emulator.aiplatform import listing
from emulator.aiplatform.data_items import annotation
from emulator.aiplatform.import_files import ML_USE
from emulator.aiplatform.splits import Example
from emulator.cloud import Cloud
from emulator.storage import buckets, objects

Body = dict[str, Any]
FILTERED = "i.id, a.id, s.id, a.labels, a.created"
UNFILTERED = "NULL"
JSON_LINES = {"contentType": "application/jsonl"}


def examples(
    cloud: Cloud, dataset: str, *, unlabelled: bool, annotations_filter: str = ""
) -> list[Example]:
    """The photos in the order of import, with their class labels; `unlabelled` ones if wanted.

    Only annotations that match the filter count, in the syntax of ListAnnotations.
    """
    wanted = listing.matcher(annotations_filter, "annotations")
    join = "LEFT JOIN" if unlabelled else "JOIN"
    # Without a filter nobody looks at the rest: a million rows of it are most of a gigabyte.
    more = FILTERED if annotations_filter else UNFILTERED
    with cloud.store.read() as db:
        rows = db.execute(
            f"SELECT i.sha256, i.uri, i.labels, s.display_name, {more}"
            f" FROM data_items i {join} annotations a ON a.item = i.seq"
            f" {join} annotation_specs s ON s.seq = a.spec"
            " WHERE i.dataset = ? ORDER BY i.seq, a.seq",
            (dataset,),
        ).fetchall()
    found = []
    for (sha256, uri, labels), group in groupby(rows, key=itemgetter(0, 1, 2)):
        own = [row[3:] for row in group if row[3]]
        if annotations_filter:
            own = [row for row in own if wanted(_annotation(dataset, *row))]
        if own or unlabelled:
            classes = tuple(row[0] for row in own)
            found.append(Example(sha256, uri, json.loads(labels), classes))
    return found


def _annotation(
    dataset: str, label: str, item: str, id: str, spec: str, labels: str, created: str
) -> Body:
    return annotation(f"{dataset}/dataItems/{item}", id, (spec, label), labels, created)


def is_multi_label(items: Iterable[Example]) -> bool:
    """Whether any photo has several class labels."""
    return any(len(item.annotations) > 1 for item in items)


def row(item: Example, use: str, *, multi_label: bool) -> Body:
    """One line; `use` is training, validation, test, or empty for what the item has itself."""
    shown = [{"displayName": label} for label in item.annotations]
    labels = {**item.labels, **({ML_USE: use} if use else {})}
    found: Body = {"imageGcsUri": item.uri}
    if multi_label:
        found["classificationAnnotations"] = shown
    elif shown:
        found["classificationAnnotation"] = shown[0]
    return {**found, **({"dataItemResourceLabels": labels} if labels else {})}


def write(cloud: Cloud, uri: str, rows: Sequence[Body]) -> str:
    """The address of the object that now has these rows, a line each. 404 without the bucket."""
    bucket, _, name = uri.removeprefix("gs://").partition("/")
    buckets.require_bucket(cloud, bucket)
    with cloud.blobs.writer() as writer:
        for one in rows:
            writer.write(json.dumps(one, ensure_ascii=False).encode() + b"\n")
        objects.store_object(cloud, bucket, name, writer.finish(), JSON_LINES)
    return uri
