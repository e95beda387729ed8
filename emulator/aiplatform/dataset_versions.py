"""Versions of a dataset: all its photos, labels and annotations as they were, and back to them."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from emulator.aiplatform import listing, names, resources
from emulator.cloud import Cloud
from emulator.errors import ApiError
from emulator.operations import Unfinished

LOG = logging.getLogger("emulator.aiplatform")
Body = dict[str, Any]
KIND = "aiplatform.DatasetVersion"
NOUN = "dataset version"
WORK = "dataset version"
MUTABLE = ("displayName",)
TABLES = ("dataset_version_annotations", "dataset_version_items", "dataset_version_specs")


def create_dataset_version(cloud: Cloud, request: Body) -> Body:
    """CreateDatasetVersion: an operation that goes on beside the requests."""
    dataset, sent = request["parent"], request.get("datasetVersion", {})
    name = f"{dataset}/datasetVersions/{names.new_id()}"
    payload = {"version": name, "displayName": sent.get("displayName", "")}
    with cloud.store.transaction():
        resources.require(cloud, "dataset", dataset)
        metadata = resources.typed("CreateDatasetVersionOperationMetadata", {})
        operation = cloud.operations.begin(name, metadata, WORK, payload)
    cloud.jobs.spawn(follow(cloud, operation["name"], payload), operation["name"])
    return operation


def restore_dataset_version(cloud: Cloud, request: Body) -> Body:
    """RestoreDatasetVersion: the dataset is again as it was; what came since is gone."""
    name = request["name"]
    payload = {"version": name, "restore": True}
    with cloud.store.transaction():
        resources.require(cloud, NOUN, name)
        metadata = resources.typed("RestoreDatasetVersionOperationMetadata", {})
        operation = cloud.operations.begin(name, metadata, WORK, payload)
    cloud.jobs.spawn(follow(cloud, operation["name"], payload), operation["name"])
    return operation


def take_up(cloud: Cloud, unfinished: Unfinished) -> None:
    """What a crash interrupted happens now: it is one transaction, so none of it has."""
    cloud.jobs.spawn(follow(cloud, unfinished.name, unfinished.payload), unfinished.name)


async def follow(cloud: Cloud, operation: str, payload: Body) -> None:
    """The operation has ended, well or with an error."""
    act = _restore if payload.get("restore") else _create
    try:
        await asyncio.to_thread(act, cloud, operation, payload)
    except ApiError as problem:
        cloud.operations.fail(operation, problem)
    except Exception as problem:
        LOG.exception("%s failed", operation)
        cloud.operations.fail(operation, ApiError("INTERNAL", f"Internal error: {problem!r}"))


def _create(cloud: Cloud, operation: str, payload: Body) -> None:
    name = payload["version"]
    dataset = names.parent(name)
    with cloud.store.transaction() as db:
        if cloud.operations.is_done(operation):
            return
        present = resources.require(cloud, "dataset", dataset)
        body: Body = {"name": name, "metadata": present["metadata"]}
        if payload["displayName"]:
            body["displayName"] = payload["displayName"]
        body = resources.created(cloud, body)
        cloud.resources.insert(KIND, name, body, dataset)
        db.execute(
            "INSERT INTO dataset_version_items SELECT ?, seq, id, sha256, uri, mime, labels,"
            " created FROM data_items WHERE dataset = ?",
            (name, dataset),
        )
        db.execute(
            "INSERT INTO dataset_version_specs SELECT ?, seq, id, display_name, created"
            " FROM annotation_specs WHERE dataset = ?",
            (name, dataset),
        )
        db.execute(
            "INSERT INTO dataset_version_annotations SELECT ?, seq, id, item, spec, labels,"
            " created FROM annotations WHERE dataset = ?",
            (name, dataset),
        )
        cloud.operations.finish(operation, resources.typed("DatasetVersion", body))


def _restore(cloud: Cloud, operation: str, payload: Body) -> None:
    name = payload["version"]
    dataset = names.parent(name)
    with cloud.store.transaction() as db:
        if cloud.operations.is_done(operation):
            return
        body = resources.require(cloud, NOUN, name)
        hashes = _hashes(db, "data_items", "dataset", dataset)
        for table in ("annotations", "data_items", "annotation_specs"):
            db.execute(f"DELETE FROM {table} WHERE dataset = ?", (dataset,))
        db.execute(
            "INSERT INTO annotation_specs (dataset, id, display_name, created) SELECT ?, id,"
            " display_name, created FROM dataset_version_specs WHERE version = ? ORDER BY seq",
            (dataset, name),
        )
        db.execute(
            "INSERT INTO data_items (dataset, id, sha256, uri, mime, labels, created)"
            " SELECT ?, id, sha256, uri, mime, labels, created FROM dataset_version_items"
            " WHERE version = ? ORDER BY seq",
            (dataset, name),
        )
        db.execute(
            "INSERT INTO annotations (dataset, id, item, spec, labels, created)"
            " SELECT ?1, a.id, i.seq, s.seq, a.labels, a.created"
            " FROM dataset_version_annotations a"
            " JOIN dataset_version_items vi ON vi.version = ?2 AND vi.seq = a.item"
            " JOIN dataset_version_specs vs ON vs.version = ?2 AND vs.seq = a.spec"
            " JOIN data_items i ON i.dataset = ?1 AND i.id = vi.id"
            " JOIN annotation_specs s ON s.dataset = ?1 AND s.display_name = vs.display_name"
            " WHERE a.version = ?2 ORDER BY a.seq",
            (dataset, name),
        )
        present = resources.require(cloud, "dataset", dataset)
        cloud.resources.replace(dataset, resources.stamped(cloud, present))
        cloud.operations.finish(operation, resources.typed("DatasetVersion", body))
        cloud.store.after_commit(lambda: _release(cloud, hashes))


def _hashes(db: Any, table: str, column: str, value: str) -> set[str]:
    rows = db.execute(f"SELECT sha256 FROM {table} WHERE {column} = ?", (value,))
    return {row[0] for row in rows}


def _release(cloud: Cloud, hashes: set[str]) -> None:
    for sha256 in hashes:
        cloud.blobs.release(sha256)


def get_dataset_version(cloud: Cloud, request: Body) -> Body:
    """GetDatasetVersion."""
    return resources.require(cloud, NOUN, request["name"])


def list_dataset_versions(cloud: Cloud, request: Body) -> Body:
    """ListDatasetVersions."""
    dataset = request["parent"]
    resources.require(cloud, "dataset", dataset)
    return listing.page("datasetVersions", resources.children(cloud, KIND, dataset), request)


def update_dataset_version(cloud: Cloud, request: Body) -> Body:
    """UpdateDatasetVersion: its display name."""
    mask = request.get("updateMask", "")
    return resources.patch(cloud, NOUN, request["datasetVersion"], mask, MUTABLE)


def delete_dataset_version(cloud: Cloud, request: Body) -> Body:
    """DeleteDatasetVersion; the dataset stays as it is."""
    name = request["name"]
    with cloud.store.transaction():
        resources.require(cloud, NOUN, name)
        _drop(cloud, name)
        metadata = resources.typed("DeleteOperationMetadata", {})
        return cloud.operations.done(names.parent(name), metadata, resources.EMPTY)


def drop_all(cloud: Cloud, dataset: str) -> None:
    """Every version of a dataset is gone; for the inside of a transaction."""
    for body in resources.children(cloud, KIND, dataset):
        _drop(cloud, body["name"])


def _drop(cloud: Cloud, name: str) -> None:
    with cloud.store.transaction() as db:
        hashes = _hashes(db, "dataset_version_items", "version", name)
        for table in TABLES:
            db.execute(f"DELETE FROM {table} WHERE version = ?", (name,))
        cloud.resources.delete(name)
        cloud.store.after_commit(lambda: _release(cloud, hashes))


def list_saved_queries(cloud: Cloud, request: Body) -> Body:
    """ListSavedQueries: none, since nothing but Google's console saves one."""
    resources.require(cloud, "dataset", request["parent"])
    return listing.page("savedQueries", [], request)


def delete_saved_query(cloud: Cloud, request: Body) -> Body:
    """DeleteSavedQuery: NOT_FOUND, since there are none."""
    return resources.require(cloud, "saved query", request["name"])
