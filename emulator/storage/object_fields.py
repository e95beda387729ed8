"""The fields of an object that a client may set: their types, their defaults, and their changes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from emulator.clock import timestamp
from emulator.storage import retention
from emulator.storage.errors import invalid
from emulator.storage.merge import merged
from emulator.storage.schema import Kind, fitted

Body = dict[str, Any]

CLASSES = frozenset(
    {
        "STANDARD", "NEARLINE", "COLDLINE", "ARCHIVE", "MULTI_REGIONAL", "REGIONAL",
        "DURABLE_REDUCED_AVAILABILITY",
    }
)  # fmt: skip
# What google-cloud-storage 3.17 writes (blob.py), and Object in its _storage_v2.
WRITABLE: Body = {
    "contentType": Kind.TEXT,
    "cacheControl": Kind.TEXT,
    "contentDisposition": Kind.TEXT,
    "contentEncoding": Kind.TEXT,
    "contentLanguage": Kind.TEXT,
    "metadata": {"*": Kind.TEXT},
    "customTime": Kind.TIME,
    "temporaryHold": Kind.BOOLEAN,
    "eventBasedHold": Kind.BOOLEAN,
    "storageClass": CLASSES,
    "kmsKeyName": Kind.TEXT,
    "retention": {"mode": frozenset(retention.MODES), "retainUntilTime": Kind.TIME},
    "contexts": {
        "custom": {"*": {"value": Kind.TEXT, "createTime": Kind.OUTPUT, "updateTime": Kind.OUTPUT}}
    },
}
# What a patch leaves as it is: computed by the server, kept beside the fields of the client.
COMPUTED = ("componentCount", retention.RELEASED)
# ServiceConstants.Values in google-cloud-storage 3.17: all names and values of an object.
METADATA_BYTES = 8 << 10
# https://cloud.google.com/storage/docs/use-object-contexts, read 2026-11-21: 1 to 256 characters,
# the first alphanumeric; ObjectContexts in google-cloud-storage 3.17: 50 of them, 25 KiB in all.
CONTEXT_LENGTH, CONTEXT_LIMIT, CONTEXTS_BYTES = 256, 50, 25 << 10
# No source found for these four: the page says that "most" characters may be used.
CONTEXT_FORBIDDEN = frozenset("'\"\\/")


def writable(sent: Mapping[str, Any]) -> Body:
    """The fields of what a client sent that it may set, nulls left out. 400 for wrong types."""
    return _checked(_without_nulls(fitted(_texts(sent), WRITABLE)))


def new(bucket_body: Mapping[str, Any], sent: Mapping[str, Any], now: datetime) -> Body:
    """The fields of a new object: what was sent, and what its bucket adds."""
    body = {"storageClass": bucket_body["storageClass"]} | writable(sent)
    if (bucket_body.get("autoclass") or {}).get("enabled"):
        body["storageClass"] = "STANDARD"  # cloud.google.com/storage/docs/autoclass: at first
    if "contexts" in body:
        body["contexts"] = _stamped(body["contexts"], {}, now)
    return retention.settled(bucket_body, body, now)


def patched(
    bucket_body: Mapping[str, Any],
    before: Body,
    sent: Mapping[str, Any],
    now: datetime,
    *,
    override_retention: bool = False,
) -> Body:
    """The fields after a merge patch; a null removes one, in `metadata` too.

    The class stays: it can "only be set at blob / object creation time" (Blob.storage_class in
    google-cloud-storage 3.17); a rewrite makes the object anew.
    """
    patch = fitted(_texts(sent), WRITABLE)
    known = {key: value for key, value in before.items() if key in WRITABLE}
    after = _checked(_without_nulls(merged(known, patch)))
    return _settled(bucket_body, before, after, now, override_retention)


def replaced(
    bucket_body: Mapping[str, Any],
    before: Body,
    sent: Mapping[str, Any],
    now: datetime,
    *,
    override_retention: bool = False,
) -> Body:
    """The fields after an update: what was sent, and what an update cannot take away or change."""
    kept: Body = {key: before[key] for key in ("customTime", "retention") if key in before}
    after = writable({**kept, **sent})
    return _settled(bucket_body, before, after, now, override_retention)


def _settled(
    bucket_body: Mapping[str, Any], before: Body, after: Body, now: datetime, override: bool
) -> Body:
    _check_custom_time(before, after)
    computed = {key: before[key] for key in COMPUTED if key in before}
    body = {**computed, **after, "storageClass": before.get("storageClass", "STANDARD")}
    if "contexts" in body:
        old = (before.get("contexts") or {}).get("custom") or {}
        body["contexts"] = _stamped(body["contexts"], old, now)
    return retention.changed(bucket_body, before, body, now, override)


def _check_custom_time(before: Body, after: Body) -> None:
    """https://cloud.google.com/storage/docs/metadata#custom-time: never removed, only later."""
    if "customTime" not in before:
        return
    old = retention.moment(before["customTime"], "customTime")
    if "customTime" not in after or retention.moment(after["customTime"], "customTime") < old:
        raise invalid("Custom time cannot be removed or set to an earlier time.")


def _checked(body: Body) -> Body:
    if "customTime" in body:
        retention.moment(body["customTime"], "customTime")
    if "metadata" in body:
        texts = (text for pair in body["metadata"].items() for text in pair)
        if sum(len(text.encode()) for text in texts) > METADATA_BYTES:
            raise invalid(f"The metadata of an object is at most {METADATA_BYTES} bytes.")
    if "contexts" in body:
        _check_contexts(body["contexts"]["custom"])
    return body


def _check_contexts(custom: Body) -> None:
    if len(custom) > CONTEXT_LIMIT:
        raise invalid(f"An object has at most {CONTEXT_LIMIT} contexts.")
    texts = [text for key, payload in custom.items() for text in (key, payload.get("value") or "")]
    for text in texts:
        _check_context(text)
    if sum(len(text.encode()) for text in texts) > CONTEXTS_BYTES:
        raise invalid(f"The contexts of an object are at most {CONTEXTS_BYTES} bytes.")


def _check_context(text: str) -> None:
    fits = 1 <= len(text) <= CONTEXT_LENGTH and text[0].isalnum()
    if not fits or CONTEXT_FORBIDDEN & set(text):
        raise invalid(f"Invalid key or value of a context: '{text}'.")


def _stamped(contexts: Body, old: Body, now: datetime) -> Body:
    """The contexts with the times at which each was made and last changed."""
    moment = timestamp(now)
    custom = {}
    for key, payload in (contexts.get("custom") or {}).items():
        before = old.get(key) or {}
        same = before.get("value") == payload["value"]
        custom[key] = {
            "value": payload["value"],
            "createTime": before.get("createTime", moment),
            "updateTime": before["updateTime"] if same else moment,
        }
    return {"custom": custom}


def _without_nulls(fields: Body) -> Body:
    """The fields that say something; an emptied retention or contexts says nothing."""
    body: Body = {key: value for key, value in fields.items() if value is not None}
    for key in ("metadata", "retention"):
        if key in body:
            said = {name: value for name, value in body.pop(key).items() if value is not None}
            if said:
                body[key] = said
    if "contexts" not in body:
        return body
    custom = (body.get("contexts") or {}).get("custom") or {}
    custom = {key: payload for key, payload in custom.items() if payload is not None}
    if custom:
        body["contexts"] = {"custom": custom}
    else:
        del body["contexts"]
    return body


def _texts(sent: Mapping[str, Any]) -> Mapping[str, Any]:
    """What was sent, with the plain values of `metadata` as texts, as Google takes them."""
    metadata = sent.get("metadata")
    if not isinstance(metadata, dict):
        return sent
    plain = {
        key: value if value is None or isinstance(value, str | dict | list) else _text(value)
        for key, value in metadata.items()
    }
    return {**sent, "metadata": plain}


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
