"""Cloud Logging v2 over HTTP: `entries:list`, and the names of the logs."""

from __future__ import annotations

import base64
import json
from itertools import islice
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from emulator.cloud import Cloud
from emulator.errors import ApiError
from emulator.iam import enforce, targets
from emulator.logging import entries, filters
from emulator.numbers import whole
from emulator.resourcemanager import projects

Body = dict[str, Any]
DEFAULT_PAGE_SIZE = 50
MAX_PAGE_SIZE = 1000
FIELDS = frozenset({"resourceNames", "projectIds", "filter", "orderBy", "pageSize", "pageToken"})


def routes(cloud: Cloud) -> list[Route]:
    """`POST /v2/entries:list` and `GET /v2/projects/P/logs`."""

    async def list_entries(request: Request) -> JSONResponse:
        sent = await _body(request)
        target = targets.project(_project(cloud, sent), "logging.googleapis.com")
        enforce.require(cloud, request.scope["caller"], "logging.logEntries.list", target)
        return JSONResponse(await run_in_threadpool(_entries, cloud, sent))

    async def list_logs(request: Request) -> JSONResponse:
        project = projects.canonical(cloud, request.path_params["project"])
        return JSONResponse(await run_in_threadpool(_logs, cloud, project))

    return [
        Route("/v2/entries:list", list_entries, methods=["POST"]),
        Route("/v2/projects/{project}/logs", list_logs, methods=["GET"]),
    ]


async def _body(request: Request) -> Body:
    try:
        sent = await request.json()
    except ValueError as problem:
        message = f"Invalid JSON payload received. {problem}"
        raise ApiError("INVALID_ARGUMENT", message) from None
    if not isinstance(sent, dict):
        message = "Invalid JSON payload received. The root must be an object."
        raise ApiError("INVALID_ARGUMENT", message)
    for key in sent:
        if key not in FIELDS:
            message = f'Invalid JSON payload received. Unknown name "{key}": Cannot find field.'
            raise ApiError("INVALID_ARGUMENT", message)
    return sent


def _entries(cloud: Cloud, sent: Body) -> Body:
    asked = filters.parse(str(sent.get("filter") or ""))
    falling = _is_falling(str(sent.get("orderBy") or ""))
    size = min(whole(sent.get("pageSize"), "page_size") or DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE)
    found = entries.listed(
        cloud,
        _project(cloud, sent),
        job=asked.job,
        since=asked.since,
        after=_read_token(str(sent.get("pageToken") or "")),
        falling=falling,
    )
    rows = list(islice((row for row in found if asked.test(row[1])), size + 1))
    answer: Body = {"entries": [body for _, body in rows[:size]]} if rows else {}
    if len(rows) > size:
        answer["nextPageToken"] = _token(rows[size - 1][0])
    return answer


def _is_falling(order: str) -> bool:
    """Whether the newest come first. INVALID_ARGUMENT for an order that is neither."""
    words = order.split() or ["timestamp", "asc"]
    if words[0] != "timestamp" or words[1:] not in ([], ["asc"], ["desc"]):
        message = f'order_by must be "timestamp asc" or "timestamp desc". Received: "{order}".'
        raise ApiError("INVALID_ARGUMENT", message)
    return words[1:] == ["desc"]


def _project(cloud: Cloud, sent: Body) -> str:
    """The one project asked for. INVALID_ARGUMENT for none, or for something else."""
    named, ids = (sent.get(key) or [] for key in ("resourceNames", "projectIds"))
    if not isinstance(named, list) or not isinstance(ids, list):
        message = "Proto field is not repeating, cannot start list: resource_names, project_ids."
        raise ApiError("INVALID_ARGUMENT", message)
    asked = [*named, *(f"projects/{one}" for one in ids)]
    if len(asked) != 1 or not str(asked[0]).startswith("projects/"):
        message = f"resource_names must be one project, projects/ID. Received: {asked}."
        raise ApiError("INVALID_ARGUMENT", message)
    return projects.canonical(cloud, str(asked[0]).split("/")[1])


def _logs(cloud: Cloud, project: str) -> Body:
    with cloud.store.read() as db:
        rows = db.execute(
            "SELECT DISTINCT json_extract(body, '$.logName') FROM log_entries WHERE project = ?"
            " ORDER BY 1",
            (project,),
        ).fetchall()
    return {"logNames": [row[0] for row in rows]} if rows else {}


def _token(position: entries.Position) -> str:
    return base64.urlsafe_b64encode(json.dumps(position).encode()).decode()


def _read_token(token: str) -> entries.Position | None:
    if not token:
        return None
    try:
        stamp, seq = json.loads(base64.urlsafe_b64decode(token))
        return str(stamp), int(seq)
    except (ValueError, TypeError):
        raise ApiError("INVALID_ARGUMENT", f"page_token is not valid: {token}") from None
