"""What all Vertex AI resources share: stamps, etags, required fields, 404 and update by mask."""

from __future__ import annotations

import base64
import hashlib
import json
import unicodedata
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
REQUIRED = "Required field is not set."
# Resources that need no display name.
OPTIONAL_NAMES = frozenset({"context", "execution", "artifact", "tensorboardExperiment"})
SYSTEM_LABELS = "aiplatform.googleapis.com/"
_LABEL_CHARACTERS = frozenset({"Ll", "Lo", "Lm", "Mn", "Mc", "Nd", "No"})
# "can be up to 128 characters long" (Dataset, Model, Endpoint, CustomJob and others).
MAX_DISPLAY_NAME = 128
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
    """The stored resource. NOT_FOUND in the words of Google's recorded answers.

    INVALID_ARGUMENT for a name of another collection: a `saved query` lies in `savedQueries`, a
    `model evaluation` in `evaluations`, a `TensorboardRun` in `runs`.
    """
    words = noun.title().split()
    collection = name.rpartition("/")[0].rpartition("/")[2].lower()
    if not collection or not _plural("".join(words)).endswith(collection):
        raise field_errors([("name", f"Invalid {''.join(words)} resource name.")])
    body = cloud.resources.get(name)
    if body is None:
        raise ApiError("NOT_FOUND", f'{noun} "{name}" not found')
    return body


def _plural(word: str) -> str:
    if word.lower().endswith("series"):
        return word.lower()
    return (word[:-1] + "ies" if word.endswith("y") else word + "s").lower()


def require_fields(message: str, body: Mapping[str, Any], fields: Iterable[str]) -> None:
    """Raises INVALID_ARGUMENT, naming each required field that is not set."""
    problems = [
        (f"{message}.{field}" if message else field, REQUIRED)
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
        merged = masks.merged(body, sent, paths)
        if "displayName" in body and "displayName" not in merged and noun not in OPTIONAL_NAMES:
            raise field_errors([(f"{masks.snake(noun)}.display_name", REQUIRED)])
        body = stamped(cloud, merged)
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
    """Raises INVALID_ARGUMENT for labels beyond Google's form, or more than 64 of the user's.

    Keys and values have at most 63 characters: lowercase letters of any script, digits, `_`, `-`
    ("Labels overview", Resource Manager). The system's own are not looked at.
    """
    own = {key: value for key, value in labels.items() if not key.startswith(SYSTEM_LABELS)}
    for key, value in own.items():
        if len(key) > 63 or len(value) > 63:
            raise field_errors([(f"{message}.labels", f"Label {key!r} is over 63 characters.")])
        if not key or not _is_label(key) or not _is_label(value):
            form = "lowercase letters, digits, underscores and dashes"
            problem = f"Label '{key}: {value}' may only have {form}."
            raise field_errors([(f"{message}.labels", problem)])
    if len(own) > 64:
        raise field_errors([(f"{message}.labels", "No more than 64 labels are allowed.")])


def _is_label(text: str) -> bool:
    return all(one in "_-" or unicodedata.category(one) in _LABEL_CHARACTERS for one in text)


def check_display_names(request: Mapping[str, Any]) -> None:
    """Raises INVALID_ARGUMENT for a display name over 128 characters, or with a NUL in it."""
    for field, sent in request.items():
        name = str(sent.get("displayName", "")) if isinstance(sent, Mapping) else ""
        message = ""
        if len(name) > MAX_DISPLAY_NAME:
            message = f"The display name has more than {MAX_DISPLAY_NAME} characters."
        elif "\0" in name:
            message = "The display name has a NUL character."
        if message:
            raise field_errors([(f"{masks.snake(field)}.display_name", message)])
