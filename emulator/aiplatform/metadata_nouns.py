"""The kinds of MetadataService: stores, and what is in them."""

from __future__ import annotations

import re
import uuid
from typing import Any

from emulator.aiplatform.nouns import Noun
from emulator.cloud import Cloud

Body = dict[str, Any]
# "Must be 4-128 characters in length. Valid characters are /[a-z][0-9]-/" (CreateContextRequest).
_ID = re.compile(r"[a-z0-9-]{4,128}")
_NODE = ("displayName", "labels", "metadata", "description")
_SCHEMA = ("schemaTitle", "schemaVersion")

STORE = Noun(
    "MetadataStore",
    "metadataStores",
    "metadataStores",
    "metadataStore",
    ("description", "encryptionSpec", "dataplexConfig"),
    (),
    _ID,
)
SCHEMA = Noun(
    "MetadataSchema",
    "metadataSchemas",
    "metadataSchemas",
    "metadataSchema",
    ("schemaVersion", "schema", "schemaType", "description"),
    (),
    _ID,
)
CONTEXT = Noun("Context", "contexts", "contexts", "context", (*_NODE, *_SCHEMA), _NODE, _ID)
EXECUTION = Noun(
    "Execution",
    "executions",
    "executions",
    "execution",
    (*_NODE, *_SCHEMA, "state"),
    (*_NODE, "state"),
    _ID,
)
ARTIFACT = Noun(
    "Artifact",
    "artifacts",
    "artifacts",
    "artifact",
    (*_NODE, *_SCHEMA, "uri", "state"),
    (*_NODE, "uri", "state"),
    _ID,
)
NODES = {noun.collection: noun for noun in (CONTEXT, EXECUTION, ARTIFACT)}


def chosen_id(request: Body, field: str) -> str:
    """The id that a client chose, or a UUID."""
    return str(request.get(f"{field}Id") or uuid.uuid4())


def store_of(name: str) -> str:
    """The metadata store that a name is in."""
    return "/".join(name.split("/")[:6])


def require_store(cloud: Cloud, name: str) -> Body:
    """The store. NOT_FOUND in the recorded words."""
    return STORE.require(cloud, name)


def bounds(name: str) -> tuple[str, str]:
    """Between which names everything under a name is."""
    return f"{name}/", f"{name}0"
