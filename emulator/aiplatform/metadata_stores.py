"""Metadata stores: made before anything is put in them, deleted with everything."""

from __future__ import annotations

from typing import Any

from emulator.aiplatform import names, resources
from emulator.aiplatform.metadata_nouns import STORE, bounds, chosen_id
from emulator.aiplatform.nouns import delete_tree
from emulator.cloud import Cloud

Body = dict[str, Any]
_LINKS = (
    ("metadata_members", "context"),
    ("metadata_children", "parent"),
    ("metadata_events", "execution"),
)


def create_metadata_store(cloud: Cloud, request: Body) -> Body:
    """CreateMetadataStore, `default` or any other; done when it is answered."""
    location = names.location(request["parent"])
    last = chosen_id(request, "metadataStore")
    with cloud.store.transaction():
        body = STORE.add(cloud, location.name, last, request.get("metadataStore", {}))
        metadata = resources.typed("CreateMetadataStoreOperationMetadata", {})
        response = resources.typed("MetadataStore", _shown(cloud, body))
        return cloud.operations.done(body["name"], metadata, response)


def _shown(cloud: Cloud, body: Body) -> Body:
    """A store as it is answered: no etag, and how many bytes are in it."""
    with cloud.store.read() as db:
        (size_bytes,) = db.execute(
            "SELECT SUM(LENGTH(CAST(body AS BLOB))) FROM resources"
            " WHERE name = ? OR (name > ? AND name < ?)",
            (body["name"], *bounds(body["name"])),
        ).fetchone()
    rest = {key: value for key, value in body.items() if key != "etag"}
    return {**rest, "state": {"diskUtilizationBytes": str(size_bytes)}}


def get_metadata_store(cloud: Cloud, request: Body) -> Body:
    """GetMetadataStore."""
    return _shown(cloud, STORE.require(cloud, request["name"]))


def list_metadata_stores(cloud: Cloud, request: Body) -> Body:
    """ListMetadataStores."""
    location = names.location(request["parent"])
    rows = [_shown(cloud, row) for row in STORE.rows(cloud, location.name)]
    return STORE.page(rows, request)


def delete_metadata_store(cloud: Cloud, request: Body) -> Body:
    """DeleteMetadataStore with everything in it; the operation is the store's, as recorded."""
    name = request["name"]
    with cloud.store.transaction() as db:
        STORE.require(cloud, name)
        for table, column in _LINKS:
            where = f"{column} > ? AND {column} < ?"
            db.execute(f"DELETE FROM {table} WHERE {where}", bounds(name))
        delete_tree(cloud, name)
        metadata = resources.typed("DeleteMetadataStoreOperationMetadata", {})
        return cloud.operations.done(name, metadata, resources.EMPTY)


HANDLERS = {
    "CreateMetadataStore": create_metadata_store,
    "GetMetadataStore": get_metadata_store,
    "ListMetadataStores": list_metadata_stores,
    "DeleteMetadataStore": delete_metadata_store,
}
