"""Datasets: created, found, changed, deleted with everything in them."""

from __future__ import annotations

import re
from typing import Any

from emulator.aiplatform import dataset_versions, listing, names, resources
from emulator.cloud import Cloud
from emulator.resourcemanager import projects

Body = dict[str, Any]
KIND = "aiplatform.Dataset"
SCHEMA = re.compile(r"gs://google-cloud-aiplatform/schema/dataset/metadata/([a-z_]+)_1\.0\.0\.yaml")
DATA_ITEM_SCHEMA = "gs://google-cloud-aiplatform/schema/dataset/dataitem/image_1.0.0.yaml"
SYSTEM_PREFIX = "aiplatform.googleapis.com/"
MUTABLE = ("displayName", "description", "labels")


def create_dataset(cloud: Cloud, request: Body) -> Body:
    """CreateDataset: an operation that is done when it is answered."""
    sent = request.get("dataset", {})
    location = names.location(request["parent"])
    resources.require_fields("dataset", sent, ("display_name", "metadata_schema_uri"))
    resources.require_label_form("dataset", sent.get("labels", {}))
    name = f"{location.name}/datasets/{names.new_id()}"
    with cloud.store.transaction():
        body = resources.created(cloud, _new(cloud, location, name, sent))
        cloud.resources.insert(KIND, name, body, location.name)
        metadata = resources.typed("CreateDatasetOperationMetadata", {})
        return cloud.operations.done(name, metadata, resources.typed("Dataset", body))


def _new(cloud: Cloud, location: names.Location, name: str, sent: Body) -> Body:
    kind = SCHEMA.fullmatch(sent["metadataSchemaUri"])
    if kind is None:
        message = f"Unknown schema {sent['metadataSchemaUri']!r}."
        raise resources.field_errors([("dataset.metadata_schema_uri", message)])
    number = projects.number(cloud, location.project)
    metadata = {"gcsBucket": f"cloud-ai-platform-{number}"}
    if kind.group(1) == "image":
        metadata = {"dataItemSchemaUri": DATA_ITEM_SCHEMA} | metadata
    labels = {f"{SYSTEM_PREFIX}dataset_metadata_schema": kind.group(1).upper()}
    artifact = f"{location.name}/metadataStores/default/artifacts/{names.last(name)}"
    kept: Body = {key: sent[key] for key in MUTABLE if key in sent}
    return {
        **kept,
        "name": name,
        "metadataSchemaUri": sent["metadataSchemaUri"],
        "metadata": {**(sent.get("metadata") or {}), **metadata},
        "metadataArtifact": artifact,
        "labels": {**sent.get("labels", {}), **labels},
    }


def get_dataset(cloud: Cloud, request: Body) -> Body:
    """GetDataset."""
    return _counted(cloud, resources.require(cloud, "dataset", request["name"]))


def _counted(cloud: Cloud, body: Body) -> Body:
    with cloud.store.read() as db:
        (count,) = db.execute(
            "SELECT COUNT(*) FROM data_items WHERE dataset = ?", (body["name"],)
        ).fetchone()
    return {**body, "dataItemCount": str(count)} if count else body


def list_datasets(cloud: Cloud, request: Body) -> Body:
    """ListDatasets."""
    location = names.location(request["parent"])
    rows = resources.children(cloud, KIND, location.name)
    return listing.page("datasets", (_counted(cloud, row) for row in rows), request)


def update_dataset(cloud: Cloud, request: Body) -> Body:
    """UpdateDataset; the labels that the system set stay."""
    sent = dict(request["dataset"])
    present = resources.require(cloud, "dataset", sent["name"])
    resources.require_label_form("dataset", sent.get("labels", {}))
    system = {k: v for k, v in present["labels"].items() if k.startswith(SYSTEM_PREFIX)}
    sent["labels"] = {**sent.get("labels", {}), **system}
    return resources.patch(cloud, "dataset", sent, request.get("updateMask", ""), MUTABLE)


def delete_dataset(cloud: Cloud, request: Body) -> Body:
    """DeleteDataset: the dataset, its data items and annotations."""
    name = request["name"]
    with cloud.store.transaction() as db:
        resources.require(cloud, "dataset", name)
        hashes = {
            row[0] for row in db.execute("SELECT sha256 FROM data_items WHERE dataset = ?", (name,))
        }
        dataset_versions.drop_all(cloud, name)
        for table in ("annotations", "data_items", "annotation_specs"):
            db.execute(f"DELETE FROM {table} WHERE dataset = ?", (name,))
        cloud.resources.delete(name)
        metadata = resources.typed("DeleteOperationMetadata", {})
        operation = cloud.operations.done(names.parent(name), metadata, resources.EMPTY)
        cloud.store.after_commit(lambda: _release(cloud, hashes))
        return operation


def _release(cloud: Cloud, hashes: set[str]) -> None:
    for sha256 in hashes:
        cloud.blobs.release(sha256)
