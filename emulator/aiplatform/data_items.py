"""Data items, annotations and annotation specs: kept by the thousand."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from emulator.aiplatform import resources
from emulator.aiplatform.import_files import ML_USE
from emulator.cloud import Cloud

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
    annotation_labels: Mapping[str, str] = field(default_factory=dict)


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
                _annotate(db, dataset, item, label, now)


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


def _annotate(db: Any, dataset: str, item: NewItem, label: str, now: str) -> None:
    db.execute(
        "INSERT INTO annotation_specs (dataset, id, display_name, created) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (dataset, display_name) DO NOTHING",
        (dataset, _id(dataset, "spec", label), label, now),
    )
    db.execute(
        "INSERT INTO annotations (dataset, id, item, spec, labels, created)"
        " SELECT ?1, ?2, i.seq, s.seq, ?6, ?3 FROM data_items i, annotation_specs s"
        " WHERE i.dataset = ?1 AND i.sha256 = ?4 AND s.dataset = ?1 AND s.display_name = ?5"
        " ON CONFLICT (item, spec) DO NOTHING",
        (
            dataset,
            _id(dataset, item.sha256, label),
            now,
            item.sha256,
            label,
            json.dumps(dict(item.annotation_labels)),
        ),
    )


def annotation(item: str, id: str, spec: tuple[str, str], labels: str, created: str) -> Body:
    """An annotation of an item as clients see it; `spec` is its id and display name."""
    kept = json.loads(labels)
    return {
        "name": f"{item}/annotations/{id}",
        "payloadSchemaUri": ANNOTATION_SCHEMA,
        "payload": {"annotationSpecId": spec[0], "displayName": spec[1]},
        "createTime": created,
        "updateTime": created,
        **({"labels": kept} if kept else {}),
    }


def specs(cloud: Cloud, dataset: str) -> list[tuple[str, str]]:
    """Ids and display names of a dataset's annotation specs, in the order they were met."""
    with cloud.store.read() as db:
        rows = db.execute(
            "SELECT id, display_name FROM annotation_specs WHERE dataset = ? ORDER BY seq",
            (dataset,),
        ).fetchall()
    return [(str(row[0]), str(row[1])) for row in rows]
