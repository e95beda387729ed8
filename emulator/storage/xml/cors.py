"""What pages of other origins may read, by the `cors` of a bucket.

https://cloud.google.com/storage/docs/cross-origin: the XML API answers by the bucket's rules, the
first that has the origin and the method. Only signed requests of other origins get this far; the
rules say whether the page may see the answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emulator.cloud import Cloud
from emulator.storage import buckets
from emulator.storage.http import Call, Reply
from emulator.web import Header, Scope

ASKED_METHOD = "access-control-request-method"
# Of a rule that has none. No source found for it.
MAX_AGE_SECONDS = 3600


def is_preflight(scope: Scope) -> bool:
    """Whether a browser asks what a page of another origin may do; nothing is done by it."""
    names = {name for name, _ in scope["headers"]}
    return scope["method"] == "OPTIONS" and {b"origin", ASKED_METHOD.encode()} <= names


def preflight(cloud: Cloud, call: Call, bucket: str) -> Reply:
    """`OPTIONS`: 200, with what is allowed where a rule allows it."""
    rule = _rule(cloud, bucket, call.headers["origin"], call.headers[ASKED_METHOD])
    if rule is None:
        return Reply(200)
    said = {
        "access-control-allow-methods": ",".join(rule.get("method", ())),
        "access-control-allow-headers": ",".join(rule.get("responseHeader", ())),
        "access-control-max-age": str(rule.get("maxAgeSeconds", MAX_AGE_SECONDS)),
    }
    more = [(name.encode(), text.encode()) for name, text in said.items() if text]
    return Reply(200, b"", [*_allowed(rule, call.headers["origin"]), *more])


def headers(cloud: Cloud, call: Call, bucket: str) -> list[Header]:
    """What an answer says of itself to a page of another origin; nothing without an origin."""
    origin = call.headers.get("origin")
    rule = _rule(cloud, bucket, origin, call.method) if origin else None
    if origin is None or rule is None:
        return []
    shown = ",".join(rule.get("responseHeader", ()))
    exposed = [(b"access-control-expose-headers", shown.encode())] if shown else []
    return [*_allowed(rule, origin), *exposed]


def _allowed(rule: Mapping[str, Any], origin: str) -> list[Header]:
    if "*" in rule.get("origin", ()):
        return [(b"access-control-allow-origin", b"*")]
    return [(b"access-control-allow-origin", origin.encode("latin-1")), (b"vary", b"Origin")]


def _rule(cloud: Cloud, bucket: str, origin: str, method: str) -> Mapping[str, Any] | None:
    """The first rule of a bucket that has the origin and the method."""
    with cloud.store.read() as db:
        row = buckets.find(db, bucket)
    for rule in (row.body.get("cors") or ()) if row else ():
        origins, methods = rule.get("origin", ()), rule.get("method", ())
        if (origin in origins or "*" in origins) and (method in methods or "*" in methods):
            found: Mapping[str, Any] = rule
            return found
    return None
