"""What all Vertex AI resources share: stamps, etags, required fields, 404 and update by mask."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from emulator.aiplatform import listing, masks
from emulator.aiplatform.refusals import field_errors as field_errors
from emulator.clock import timestamp
from emulator.cloud import Cloud
from emulator.errors import ApiError

Body = dict[str, Any]
TYPE_PREFIX = "type.googleapis.com/google.cloud.aiplatform.v1."
EMPTY: Body = {"@type": "type.googleapis.com/google.protobuf.Empty"}
# Keys that the emulator keeps beside a resource and never answers.
PRIVATE = "_"


def now(cloud: Cloud) -> str:
    """The present as Google prints it."""
    return timestamp(cloud.clock.now())


def typed(type_name: str, body: Mapping[str, Any]) -> Body:
    """A message packed as Any: with its `@type`."""
    return {"@type": TYPE_PREFIX + type_name, **public(body)}


def public(body: Mapping[str, Any]) -> Body:
    """The resource as clients see it."""
    return {key: value for key, value in body.items() if not key.startswith(PRIVATE)}


def stamped(cloud: Cloud, body: Mapping[str, Any]) -> Body:
    """The resource as just changed: `updateTime` and a new `etag`."""
    changed = {**body, "updateTime": now(cloud)}
    changed.pop("etag", None)
    digest = hashlib.sha256(json.dumps(changed, sort_keys=True).encode()).digest()
    return {**changed, "etag": base64.b64encode(digest[:12]).decode()}


def created(cloud: Cloud, body: Mapping[str, Any]) -> Body:
    """The resource as just made: times and `etag`."""
    return stamped(cloud, {**body, "createTime": now(cloud)})


def require(cloud: Cloud, noun: str, name: str) -> Body:
    """The stored resource. NOT_FOUND in the words of Google's recorded answers."""
    body = cloud.resources.get(name)
    if body is None:
        raise ApiError("NOT_FOUND", f'{noun} "{name}" not found')
    return body


def require_fields(message: str, body: Mapping[str, Any], fields: Iterable[str]) -> None:
    """Raises INVALID_ARGUMENT, naming each required field that is not set."""
    problems = [
        (f"{message}.{field}" if message else field, "Required field is not set.")
        for field in fields
        if not body.get(listing.camel(field))
    ]
    if problems:
        raise field_errors(problems)


def patch(
    cloud: Cloud, noun: str, sent: Mapping[str, Any], mask: str, allowed: Iterable[str]
) -> Body:
    """The resource after an update by mask. ABORTED when `etag` is not the present one."""
    paths = masks.checked(mask, allowed, sent)
    with cloud.store.transaction():
        body = require(cloud, noun, sent["name"])
        check_etag(noun, body, sent.get("etag", ""))
        body = stamped(cloud, masks.merged(body, sent, paths))
        cloud.resources.replace(sent["name"], body)
    return body


def check_etag(noun: str, present: Mapping[str, Any], etag: str) -> None:
    """Raises ABORTED where an etag was sent that is not the present one (AIP-154)."""
    if etag and etag != present.get("etag"):
        raise ApiError("ABORTED", f"Etag mismatch on {noun} {present['name']}.")


def children(cloud: Cloud, kind: str, parent: str) -> list[Body]:
    """All resources of a kind under a parent."""
    return [body for _, body in cloud.resources.list(kind, parent)]


def require_label_form(message: str, labels: Mapping[str, str]) -> None:
    """Raises INVALID_ARGUMENT for labels beyond Google's form: 64 of them, 63 characters each."""
    for key, value in labels.items():
        if len(key.rpartition("/")[2]) > 63 or len(value) > 63:
            raise field_errors([(f"{message}.labels", f"Label {key!r} is over 63 characters.")])
    if len(labels) > 64:
        raise field_errors([(f"{message}.labels", "No more than 64 labels are allowed.")])
