"""Metadata schemas: those that every store has, and those that clients add."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from emulator.aiplatform import masks, names, resources
from emulator.aiplatform.metadata_nouns import SCHEMA, chosen_id, require_store
from emulator.aiplatform.refusals import bad_field
from emulator.cloud import Cloud
from emulator.errors import ApiError

Body = dict[str, Any]
FILE = Path(__file__).parent / "metadata_schemas.toml"
SYSTEM_VERSION = "0.0.1"
_VERSION = re.compile(r"[0-9]+[.][0-9]+[.][0-9]+")
_TITLE = re.compile(r"^title:\s*[\"']?([^\s\"'#]+)", re.MULTILINE)
# Where a schema's title is kept, for look-ups; never answered.
TITLE = "_title"


@cache
def system_schemas() -> dict[str, str]:
    """Titles of the schemas of every store, and the type of thing that each is for."""
    table: dict[str, list[str]] = tomllib.loads(FILE.read_text())
    return {title: kind for kind, titles in table.items() for title in titles}


def _system_rows(store: Body) -> list[Body]:
    """The schemas that a store has from the start, with ids such as system-run-v0-0-1."""
    rows = []
    for title, kind in system_schemas().items():
        kebab = masks.snake(title.replace(".", "-")).replace("_", "-").lower()
        name = f"{store['name']}/metadataSchemas/{kebab}-v{SYSTEM_VERSION.replace('.', '-')}"
        rows.append(
            {
                "name": name,
                "schemaVersion": SYSTEM_VERSION,
                "schema": f"title: {title}\ntype: object\n",
                "schemaType": kind,
                "createTime": store["createTime"],
                TITLE: title,
            }
        )
    return rows


def _rows(cloud: Cloud, store: Body) -> list[Body]:
    own = [
        {key: value for key, value in row.items() if key not in ("etag", "updateTime")}
        for row in SCHEMA.rows(cloud, store["name"])
    ]
    return [*_system_rows(store), *own]


def check(cloud: Cloud, store: Body, sent: Body, kind: str) -> Body:
    """What is sent with the version of its schema. INVALID_ARGUMENT for one the store has not."""
    title, version = sent.get("schemaTitle", ""), sent.get("schemaVersion", "")
    if not title:
        return sent
    known = [
        row["schemaVersion"]
        for row in _rows(cloud, store)
        if row[TITLE] == title and row.get("schemaType", kind) == kind
    ]
    if not known or (version and version not in known):
        shown = f"{title}, version {version}" if version else title
        raise bad_field("schema_title", f"Schema {shown} is not registered in {store['name']}.")
    latest = max(known, key=lambda one: [int(part) for part in one.split(".")])
    return {**sent, "schemaVersion": version or latest}


def create_metadata_schema(cloud: Cloud, request: Body) -> Body:
    """CreateMetadataSchema; title and version together are the schema's own in the store."""
    store = require_store(cloud, request["parent"])
    sent = request.get("metadataSchema", {})
    resources.require_fields("metadata_schema", sent, ("schema",))
    version = sent.get("schemaVersion", SYSTEM_VERSION)
    if not _VERSION.fullmatch(version):
        raise bad_field("metadata_schema.schema_version", f"Must match {_VERSION.pattern}.")
    title = _TITLE.search(sent["schema"])
    if title is None:
        raise bad_field("metadata_schema.schema", "The schema must be YAML with a title.")
    with cloud.store.transaction():
        for row in _rows(cloud, store):
            if (row[TITLE], row["schemaVersion"]) == (title.group(1), version):
                message = f"Schema {title.group(1)}, version {version}, already exists."
                raise ApiError("ALREADY_EXISTS", message)
        last = chosen_id(request, "metadataSchema")
        more = {"schemaVersion": version, TITLE: title.group(1)}
        return SCHEMA.add(cloud, store["name"], last, {**sent, **more}, **more)


def get_metadata_schema(cloud: Cloud, request: Body) -> Body:
    """GetMetadataSchema, one of the system's too."""
    store = require_store(cloud, names.parent(request["name"]))
    for row in _rows(cloud, store):
        if row["name"] == request["name"]:
            return row
    raise ApiError("NOT_FOUND", f'metadataSchema "{request["name"]}" not found')


def list_metadata_schemas(cloud: Cloud, request: Body) -> Body:
    """ListMetadataSchemas: the system's first."""
    store = require_store(cloud, request["parent"])
    return SCHEMA.page(_rows(cloud, store), request)


HANDLERS = {
    "CreateMetadataSchema": create_metadata_schema,
    "GetMetadataSchema": get_metadata_schema,
    "ListMetadataSchemas": list_metadata_schemas,
}
