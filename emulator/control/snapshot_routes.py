"""`/_emulator/snapshot` and `/_emulator/restore`."""

from __future__ import annotations

import json
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from emulator.cloud import Cloud
from emulator.control import snapshots
from emulator.errors import ApiError


def snapshot_routes(cloud: Cloud) -> list[Route]:
    """POST {"name": …} makes one, GET lists, DELETE forgets; POST to `restore` goes back to one."""

    async def snapshot(request: Request) -> JSONResponse:
        if request.method == "GET":
            return JSONResponse({"snapshots": await run_in_threadpool(snapshots.listed, cloud)})
        body = await run_in_threadpool(snapshots.take, cloud, await _name(request))
        return JSONResponse({"snapshot": body})

    async def forget(request: Request) -> JSONResponse:
        await run_in_threadpool(snapshots.delete, cloud, request.path_params["name"])
        return JSONResponse({})

    async def restore(request: Request) -> JSONResponse:
        body = await run_in_threadpool(snapshots.restore, cloud, await _name(request))
        return JSONResponse({"snapshot": body})

    return [
        Route("/_emulator/snapshot", snapshot, methods=["GET", "POST"]),
        Route("/_emulator/snapshot/{name}", forget, methods=["DELETE"]),
        Route("/_emulator/restore", restore, methods=["POST"]),
    ]


async def _name(request: Request) -> str:
    try:
        body: Any = json.loads(await request.body())
    except ValueError:
        body = None
    name = body.get("name") if isinstance(body, dict) else None
    if not isinstance(name, str):
        raise ApiError("INVALID_ARGUMENT", 'A snapshot is named by {"name": "…"}.')
    return name
