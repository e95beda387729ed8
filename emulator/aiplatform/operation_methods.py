"""The methods every service's operations have: get, list, wait, cancel, delete."""

from __future__ import annotations

import asyncio
import re
import time
from typing import Any

from starlette.requests import Request

from emulator.aiplatform import names
from emulator.cloud import Cloud
from emulator.errors import ApiError

Body = dict[str, Any]
_PATH = re.compile(r"(?P<parent>.+/)?operations(?P<id>/[^/:]+)?(?::(?P<verb>cancel|wait))?")
POLL_SECONDS = 0.05
# What the server of google.longrunning waits at most when a client names no limit.
DEFAULT_WAIT_SECONDS = 30.0


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
    size = int(request.query_params.get("pageSize", 0)) or 100
    after = int(request.query_params.get("pageToken", 0) or 0)
    rows = cloud.operations.children(parent, after, size + 1)
    answer: Body = {"operations": [body for _, body in rows[:size]]} if rows else {}
    if len(rows) > size:
        answer["nextPageToken"] = str(rows[size - 1][0])
    return answer


async def _timeout(request: Request) -> float:
    text = request.query_params.get("timeout", "")
    if not text and (await request.body()).strip():
        text = str((await request.json()).get("timeout", ""))
    found = re.fullmatch(r"(\d+(?:\.\d+)?)s", text)
    return float(found.group(1)) if found else DEFAULT_WAIT_SECONDS


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
