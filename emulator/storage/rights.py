"""Who may call which method of Cloud Storage, by `iam/permissions.toml`; off for the owner."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from emulator.cloud import Cloud
from emulator.iam import enforce, permissions, targets
from emulator.iam.targets import Target
from emulator.resourcemanager import projects
from emulator.storage.errors import StorageError
from emulator.storage.http import Call, parse_object
from emulator.tokens import ANONYMOUS, Caller
from emulator.web import Message

CREATE, DELETE, GET = "storage.objects.create", "storage.objects.delete", "storage.objects.get"
LIST = "storage.objects.list"
BUCKETS = "projects/_/buckets/"
AUTHORIZATION = ("header", "Authorization")


@dataclass(frozen=True)
class Need:
    """A permission on something that a call names; `field` and `value` say when it is needed."""

    permission: str
    target: str
    field: str = ""
    value: str = ""


async def checked(cloud: Cloud, call: Call, route: str) -> Call:
    """The call, when its caller may make it: 403 in Google's words otherwise.

    `route` is a line of the table. A body that was looked at can be read again.
    """
    if call.caller is None or call.caller.owner:
        return call
    needs = needs_of(route)
    body: dict[str, Any] = {}
    if any(need.field.startswith("body.") or need.target == "sources" for need in needs):
        data = await call.body()
        body, call = parse_object(data), replace(call, receive=_again(data))
    assert call.caller is not None
    for need in needs:
        if _applies(need, call, body):
            for target in _targets(cloud, call, need.target, body):
                require(cloud, call.caller, need.permission, target)
    return call


def check_xml(cloud: Cloud, call: Call, bucket: str, name: str) -> None:
    """403 unless the caller may do this to an upload in parts; the rest asks as JSON does."""
    if call.caller is None or call.caller.owner:
        return
    for subresource in call.query:
        for text in permissions.table()["storage"].get(f"xml {call.method} {subresource}", ()):
            need = _need(text)
            obj = name if need.target == "object" else ""
            require(cloud, call.caller, need.permission, targets.bucket(cloud, bucket, obj))


def require_write(cloud: Cloud, caller: Caller | None, bucket: str, name: str, old: bool) -> None:
    """403 unless the caller may make the object, and replace what is there (`old`)."""
    if caller is None or caller.owner:
        return
    target = targets.bucket(cloud, bucket, name)
    require(cloud, caller, CREATE, target)
    if old:
        require(cloud, caller, DELETE, target)


def require(cloud: Cloud, caller: Caller, permission: str, target: Target) -> None:
    """403 in Google's words unless the caller has the permission; nothing is said of no bucket.

    Nor of no object, to those who may list the bucket: they are answered 404
    (cloud.google.com/storage/docs/json_api/v1/status-codes#403-forbidden).
    """
    if not target.project or enforce.allowed(cloud, caller, permission, target):
        return
    if permission == CREATE or not _may_know(cloud, caller, target):
        message = enforce.denied(caller, permission, target).message
        if caller == ANONYMOUS:
            raise StorageError(401, "required", message, AUTHORIZATION)
        raise StorageError(403, "forbidden", message)


def is_anonymous(error: StorageError) -> bool:
    """Whether a refusal is one of who has shown no credentials."""
    return error.code == 401 and error.location == AUTHORIZATION


def _may_know(cloud: Cloud, caller: Caller, target: Target) -> bool:
    """Whether the target is an object that is not there, of a bucket that the caller may list."""
    bucket, between, name = target.name.removeprefix(BUCKETS).partition("/objects/")
    if not between or _exists(cloud, bucket, name):
        return False
    return enforce.allowed(cloud, caller, LIST, targets.bucket(cloud, bucket))


def _exists(cloud: Cloud, bucket: str, name: str) -> bool:
    """Whether a live or a noncurrent generation has the name."""
    query = (
        "SELECT 1 FROM objects WHERE bucket = ?1 AND name = ?2 UNION ALL"
        " SELECT 1 FROM old_objects WHERE bucket = ?1 AND soft = 0 AND name = ?2 LIMIT 1"
    )
    with cloud.store.read() as db:
        return db.execute(query, (bucket, name)).fetchone() is not None


@cache
def needs_of(route: str) -> tuple[Need, ...]:
    """What a route needs; KeyError for one that the table lacks."""
    return tuple(_need(text) for text in permissions.table()["storage"][route])


def _need(text: str) -> Need:
    what, _, when = text.partition(" if ")
    permission, target = what.split(" ")
    field, _, value = when.partition("=")
    return Need(permission, target, field, value)


def _applies(need: Need, call: Call, body: dict[str, Any]) -> bool:
    if need.field.startswith("body."):
        return bool(body.get(need.field.removeprefix("body.")))
    if not need.field:
        return True
    value = call.query.get(need.field)
    return value is not None and need.value in ("", value)


def _targets(cloud: Cloud, call: Call, kind: str, body: dict[str, Any]) -> Iterator[Target]:
    """What a kind of target is in a call."""
    names, query = call.names, call.query
    if kind == "project":
        sent = query.get("project") or (names[0] if names else "")
        if sent:
            yield targets.project(projects.canonical(cloud, sent), targets.STORAGE)
        return
    if kind == "sources":
        sources = body.get("sourceObjects")
        for one in sources if isinstance(sources, list) else ():
            if isinstance(one, dict):  # what is none is refused by the rule
                yield targets.bucket(cloud, names[0], str(one.get("name", "")))
        return
    if kind == "deleted":
        yield targets.deleted_bucket(cloud, names[0])
        return
    obj = {
        "object": names[1] if len(names) > 1 else "",
        "destination": names[-1],
        "named": query.get("name", ""),
    }.get(kind, "")
    prefix = {"listed": query.get("prefix", ""), "folder": names[-1]}.get(kind)
    if kind != "named" or obj:
        bucket = names[2] if kind == "destination" and len(names) > 3 else names[0]
        yield targets.bucket(cloud, bucket, obj, prefix)


def _again(data: bytes) -> Any:
    async def receive() -> Message:
        return {"type": "http.request", "body": data, "more_body": False}

    return receive
