"""The methods every service's operations have: get, list, wait, cancel, delete."""

from __future__ import annotations

import asyncio
import re
import time
from typing import Any

from starlette.requests import Request

from emulator.aiplatform import filters, listing, names
from emulator.aiplatform.list_schemas import ListSchema
from emulator.aiplatform.messages import vertex_types
from emulator.aiplatform.refusals import bad_field
from emulator.cloud import Cloud
from emulator.errors import ApiError
from emulator.rpc import json_object

Body = dict[str, Any]
_PATH = re.compile(r"(?P<parent>.+/)?operations(?P<id>/[^/:]+)?(?::(?P<verb>cancel|wait))?")
POLL_SECONDS = 0.05
# What the server of google.longrunning waits at most when a client names no limit.
DEFAULT_WAIT_SECONDS = 30.0
KEY = "operations"
# Operations read at a time while a filter looks for those that pass.
CHUNK = 200


def claims(path: str) -> bool:
    """Whether a path without its version is about operations."""
    return _PATH.fullmatch(path) is not None


def verb(path: str) -> str | None:
    """`cancel` or `wait`, where a path ends so."""
    found = _PATH.fullmatch(path)
    return found["verb"] if found else None


async def call(cloud: Cloud, request: Request, path: str) -> Body:
    """The answer of the method that HTTP method and verb name."""
    found = _PATH.fullmatch(path)
    assert found is not None
    name = path.partition(":")[0]
    match (request.method, bool(found["id"]), found["verb"]):
        case ("GET", False, None):
            return _list(cloud, (found["parent"] or "").rstrip("/"), request)
        case ("GET", True, None):
            return cloud.operations.get(name)
        case ("POST", True, "wait"):
            return await _wait(cloud, name, await _timeout(request))
        case ("POST", True, "cancel"):
            return _cancel(cloud, name)
        case ("DELETE", True, None):
            cloud.operations.delete(name)
            return {}
    raise ApiError("NOT_FOUND", f"Operations have no method {request.method} {request.url.path}.")


def _list(cloud: Cloud, parent: str, request: Request) -> Body:
    if parent:
        names.location(parent)
    sent = _typed("ListOperationsRequest", request, ("filter", "pageSize", "pageToken"))
    schema = ListSchema(KEY, relations={"done": _done})
    query, passes = {**sent, "parent": parent}, filters.compiled(sent.get("filter", ""), schema)
    size = listing.page_size(query, schema)
    after = listing.token_position(KEY, query) if sent.get("pageToken") else 0
    if not isinstance(after, int):
        raise bad_field("page_token", "The page token is invalid.")
    found: list[tuple[int, Body]] = []
    while len(found) <= size:
        rows = cloud.operations.children(parent, after, CHUNK)
        found += [row for row in rows if passes(row[1])]
        if len(rows) < CHUNK:
            break
        after = rows[-1][0]
    answer: Body = {KEY: [body for _, body in found[:size]]} if found else {}
    if len(found) > size:
        answer["nextPageToken"] = listing.token(KEY, query, found[size - 1][0])
    return answer


def _done(value: str) -> filters.Test:
    if value.lower() not in ("true", "false"):
        raise bad_field("filter", f"Invalid filter: invalid value '{value}' for field 'done'.")
    return lambda body: bool(body.get("done")) is (value.lower() == "true")


def _typed(
    message: str, request: Request, fields: tuple[str, ...], body: Body | None = None
) -> Body:
    """These parameters of a query, over those of the body, by a type of google.longrunning."""
    query = {key: value for key, value in request.query_params.items() if key in fields}
    typed: Body = vertex_types().canonical(
        f"google.longrunning.{message}", {**(body or {}), **query}
    )
    return typed


async def _timeout(request: Request) -> float:
    body = json_object(await request.body())
    text = str(_typed("WaitOperationRequest", request, ("timeout",), body).get("timeout", ""))
    return float(text.removesuffix("s")) if text else DEFAULT_WAIT_SECONDS


async def _wait(cloud: Cloud, name: str, seconds: float) -> Body:
    deadline = time.monotonic() + seconds
    while not cloud.operations.is_done(name) and time.monotonic() < deadline:
        await asyncio.sleep(POLL_SECONDS)
    return cloud.operations.get(name)


def _cancel(cloud: Cloud, name: str) -> Body:
    """Best effort, as Google says; what follows the operation sees it and undoes its work."""
    cloud.operations.get(name)
    cloud.operations.cancel(name)
    return {}
