"""Tensorboards: one a project and region may be the default; deleted with all inside."""

from __future__ import annotations

import uuid
from typing import Any

from emulator.aiplatform import names, resources
from emulator.aiplatform.nouns import delete_tree
from emulator.aiplatform.tensorboard_nouns import RUN, TENSORBOARD
from emulator.cloud import Cloud
from emulator.storage import buckets

Body = dict[str, Any]


def create_tensorboard(cloud: Cloud, request: Body) -> Body:
    """CreateTensorboard, with a bucket for its blobs; done when it is answered."""
    location, sent = names.location(request["parent"]), request.get("tensorboard", {})
    resources.require_fields("tensorboard", sent, ("display_name",))
    # As in recorded answers: cloud-ai-platform- and a UUID.
    bucket = f"cloud-ai-platform-{uuid.uuid4()}"
    with cloud.store.transaction():
        body = TENSORBOARD.add(
            cloud, location.name, names.new_id(), sent, blobStoragePathPrefix=bucket
        )
        where = {"name": bucket, "location": location.region.upper()}
        buckets.create_bucket(cloud, location.project, where)
        _only_default(cloud, body)
        metadata = resources.typed("CreateTensorboardOperationMetadata", {})
        return cloud.operations.done(body["name"], metadata, resources.typed("Tensorboard", body))


def _only_default(cloud: Cloud, body: Body) -> None:
    """The other ones of the region are no default any more, if this one is."""
    if not body.get("isDefault"):
        return
    for other in TENSORBOARD.rows(cloud, names.parent(body["name"])):
        if other["name"] != body["name"] and other.pop("isDefault", False):
            cloud.resources.replace(other["name"], resources.stamped(cloud, other))


def _counted(cloud: Cloud, body: Body) -> Body:
    with cloud.store.read() as db:
        (runs,) = db.execute(
            "SELECT COUNT(*) FROM resources WHERE kind = ? AND name > ? AND name < ?",
            (RUN.kind, f"{body['name']}/", f"{body['name']}0"),
        ).fetchone()
    return {**body, "runCount": runs} if runs else body


def get_tensorboard(cloud: Cloud, request: Body) -> Body:
    """GetTensorboard."""
    return _counted(cloud, TENSORBOARD.require(cloud, request["name"]))


def list_tensorboards(cloud: Cloud, request: Body) -> Body:
    """ListTensorboards."""
    parent = names.location(request["parent"]).name
    rows = (_counted(cloud, row) for row in TENSORBOARD.rows(cloud, parent))
    return TENSORBOARD.page(rows, request)


def update_tensorboard(cloud: Cloud, request: Body) -> Body:
    """UpdateTensorboard; an operation of the location that is done."""
    with cloud.store.transaction():
        body = TENSORBOARD.update(cloud, request)
        _only_default(cloud, body)
        metadata = resources.typed("UpdateTensorboardOperationMetadata", {})
        parent = names.parent(body["name"])
        return cloud.operations.done(parent, metadata, resources.typed("Tensorboard", body))


def delete_tensorboard(cloud: Cloud, request: Body) -> Body:
    """DeleteTensorboard with its experiments, runs and points; its bucket stays the user's."""
    name = request["name"]
    with cloud.store.transaction() as db:
        TENSORBOARD.require(cloud, name)
        delete_points(db, name)
        delete_tree(cloud, name)
        metadata = resources.typed("DeleteOperationMetadata", {})
        return cloud.operations.done(names.parent(name), metadata, resources.EMPTY)


def delete_points(db: Any, name: str) -> None:
    """Removes the points of every time series whose name is this one or under it."""
    db.execute(
        "DELETE FROM tensorboard_series WHERE name = ? OR (name > ? AND name < ?)",
        (name, f"{name}/", f"{name}0"),
    )


def read_tensorboard_size(cloud: Cloud, request: Body) -> Body:
    """ReadTensorboardSize: bytes of the points."""
    name = request["tensorboard"]
    TENSORBOARD.require(cloud, name)
    with cloud.store.read() as db:
        (size_bytes,) = db.execute(
            "SELECT COALESCE(SUM(LENGTH(CAST(value AS BLOB))), 0) FROM tensorboard_points"
            " JOIN tensorboard_series ON id = series WHERE name > ? AND name < ?",
            (f"{name}/", f"{name}0"),
        ).fetchone()
    return {"storageSizeByte": str(size_bytes)}


def read_tensorboard_usage(cloud: Cloud, request: Body) -> Body:
    """ReadTensorboardUsage: nobody looks at a page of the local cloud, so no month has views."""
    TENSORBOARD.require(cloud, request["tensorboard"])
    return {}


HANDLERS = {
    "CreateTensorboard": create_tensorboard,
    "GetTensorboard": get_tensorboard,
    "ListTensorboards": list_tensorboards,
    "UpdateTensorboard": update_tensorboard,
    "DeleteTensorboard": delete_tensorboard,
    "ReadTensorboardSize": read_tensorboard_size,
    "ReadTensorboardUsage": read_tensorboard_usage,
}
