"""Data items, annotations and annotation specs: kept by the thousand, listed by the page."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from emulator.aiplatform import listing, names, resources
from emulator.aiplatform.import_files import ML_USE
from emulator.cloud import Cloud
from emulator.errors import ApiError

Body = dict[str, Any]
ANNOTATION_SCHEMA = (
    "gs://google-cloud-aiplatform/schema/dataset/annotation/image_classification_1.0.0.yaml"
)


@dataclass(frozen=True)
class NewItem:
    """A photo to be added: its bytes, where they were, resource labels, class labels."""

    sha256: str
    uri: str
    mime: str
    labels: Mapping[str, str]
    annotations: tuple[str, ...]


def _id(*parts: str) -> str:
    """A numeric id of 19 digits that depends on nothing but its parts."""
    digest = hashlib.sha256("\0".join(parts).encode()).digest()
    return str(10**18 + int.from_bytes(digest[:8], "big") % (8 * 10**18))


def add_items(cloud: Cloud, dataset: str, items: Iterable[NewItem]) -> None:
    """Identical bytes are one item, whose labels are merged and whose ml_use stays."""
    now = resources.now(cloud)
    with cloud.store.transaction() as db:
        for item in items:
            inserted = db.execute(
                "INSERT INTO data_items (dataset, id, sha256, uri, mime, labels, created)"
                " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (dataset, sha256) DO NOTHING",
                (
                    dataset,
                    _id(dataset, item.sha256),
                    item.sha256,
                    item.uri,
                    item.mime,
                    json.dumps(dict(item.labels)),
                    now,
                ),
            )
            if inserted.rowcount == 0:
                _merge(db, dataset, item)
            for label in item.annotations:
                _annotate(db, dataset, item.sha256, label, now)


def _merge(db: Any, dataset: str, item: NewItem) -> None:
    """The labels of an item that comes again; a re-import never changes ml_use (docs: ml-use)."""
    (text,) = db.execute(
        "SELECT labels FROM data_items WHERE dataset = ? AND sha256 = ?", (dataset, item.sha256)
    ).fetchone()
    have = json.loads(text)
    merged = {**{k: v for k, v in item.labels.items() if k != ML_USE}, **have}
    if merged != have:
        db.execute(
            "UPDATE data_items SET labels = ? WHERE dataset = ? AND sha256 = ?",
            (json.dumps(merged), dataset, item.sha256),
        )


def _annotate(db: Any, dataset: str, sha256: str, label: str, now: str) -> None:
    db.execute(
        "INSERT INTO annotation_specs (dataset, id, display_name, created) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (dataset, display_name) DO NOTHING",
        (dataset, _id(dataset, "spec", label), label, now),
    )
    db.execute(
        "INSERT INTO annotations (dataset, id, item, spec, labels, created)"
        " SELECT ?1, ?2, i.seq, s.seq, '{}', ?3 FROM data_items i, annotation_specs s"
        " WHERE i.dataset = ?1 AND i.sha256 = ?4 AND s.dataset = ?1 AND s.display_name = ?5"
        " ON CONFLICT (item, spec) DO NOTHING",
        (dataset, _id(dataset, sha256, label), now, sha256, label),
    )


def _dataset(cloud: Cloud, name: str) -> str:
    resources.require(cloud, "dataset", name)
    return name


def list_data_items(cloud: Cloud, request: Body) -> Body:
    """ListDataItems."""
    dataset = _dataset(cloud, request["parent"])
    with cloud.store.read() as db:
        rows = db.execute(
            "SELECT id, uri, mime, labels, created, seq FROM data_items WHERE dataset = ?",
            (dataset,),
        ).fetchall()
    return listing.page("dataItems", (_item(dataset, *row) for row in rows), request)


def _item(
    dataset: str, item: str, uri: str, mime: str, labels: str, created: str, seq: int
) -> Body:
    return {
        listing.PLACE: f"{seq:012d}",
        "name": f"{dataset}/dataItems/{item}",
        "createTime": created,
        "updateTime": created,
        "labels": json.loads(labels),
        "payload": {"imageGcsUri": uri, "mimeType": mime},
    }


def search_data_items(cloud: Cloud, request: Body) -> Body:
    """SearchDataItems: the items with their annotations, filtered by `dataItemFilter`."""
    dataset = _dataset(cloud, request["dataset"])
    wanted = {**request, "parent": dataset, "filter": request.get("dataItemFilter", "")}
    found = list_data_items(cloud, wanted)
    views = []
    for item in found.get("dataItems", []):
        annotations = [
            resources.public(one) for one in _annotations(cloud, dataset, names.last(item["name"]))
        ]
        views.append({"dataItem": resources.public(item), "annotations": annotations})
    page = {"dataItemViews": views} if views else {}
    return page | {key: found[key] for key in ("nextPageToken",) if key in found}


def list_annotations(cloud: Cloud, request: Body) -> Body:
    """ListAnnotations of one data item."""
    parent = request["parent"]
    dataset = _dataset(cloud, names.parent(parent))
    with cloud.store.read() as db:
        known = db.execute(
            "SELECT 1 FROM data_items WHERE dataset = ? AND id = ?", (dataset, names.last(parent))
        ).fetchone()
    if known is None:
        raise ApiError("NOT_FOUND", f'data item "{parent}" not found')
    return listing.page("annotations", _annotations(cloud, dataset, names.last(parent)), request)


def _annotations(cloud: Cloud, dataset: str, item: str) -> list[Body]:
    with cloud.store.read() as db:
        rows = db.execute(
            "SELECT a.id, a.created, s.id, s.display_name FROM annotations a"
            " JOIN annotation_specs s ON s.seq = a.spec JOIN data_items i ON i.seq = a.item"
            " WHERE i.dataset = ? AND i.id = ? ORDER BY a.seq",
            (dataset, item),
        ).fetchall()
    return [
        {
            listing.PLACE: f"{place:06d}",
            "name": f"{dataset}/dataItems/{item}/annotations/{row[0]}",
            "payloadSchemaUri": ANNOTATION_SCHEMA,
            "payload": {"annotationSpecId": row[2], "displayName": row[3]},
            "createTime": row[1],
            "updateTime": row[1],
        }
        for place, row in enumerate(rows)
    ]


def specs(cloud: Cloud, dataset: str) -> list[tuple[str, str]]:
    """Ids and display names of a dataset's annotation specs, in the order they were met."""
    with cloud.store.read() as db:
        rows = db.execute(
            "SELECT id, display_name FROM annotation_specs WHERE dataset = ? ORDER BY seq",
            (dataset,),
        ).fetchall()
    return [(str(row[0]), str(row[1])) for row in rows]


def _specs(cloud: Cloud, dataset: str) -> list[Body]:
    with cloud.store.read() as db:
        rows = db.execute(
            "SELECT id, display_name, created FROM annotation_specs WHERE dataset = ?", (dataset,)
        ).fetchall()
    return [
        {
            "name": f"{dataset}/annotationSpecs/{row[0]}",
            "displayName": row[1],
            "createTime": row[2],
            "updateTime": row[2],
        }
        for row in rows
    ]


def get_annotation_spec(cloud: Cloud, request: Body) -> Body:
    """GetAnnotationSpec."""
    for spec in _specs(cloud, _dataset(cloud, names.parent(request["name"]))):
        if spec["name"] == request["name"]:
            return spec
    raise ApiError("NOT_FOUND", f'annotation spec "{request["name"]}" not found')
