"""`/_emulator/`: health, reset, faults, clock and usage."""

from __future__ import annotations

from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from emulator import __version__
from emulator.clock import SteppedClock, timestamp
from emulator.cloud import Cloud
from emulator.control.reset import reset
from emulator.errors import ApiError


def routes(cloud: Cloud) -> list[Route]:
    """The control routes; `ops` never calls them."""

    async def health(_: Request) -> JSONResponse:
        return JSONResponse({"status": "ok", "version": __version__})

    async def forget(_: Request) -> JSONResponse:
        await run_in_threadpool(reset, cloud)
        return JSONResponse({})

    async def faults(request: Request) -> JSONResponse:
        if request.method == "DELETE":
            cloud.faults.clear()
        if request.method == "POST":
            cloud.faults.add(_objects(await request.json()))
        return JSONResponse({"faults": cloud.faults.waiting()})

    async def clock(request: Request) -> JSONResponse:
        if request.method == "POST":
            _advance(cloud, await request.json())
        return JSONResponse({"now": timestamp(cloud.clock.now())})

    async def usage(_: Request) -> JSONResponse:
        return JSONResponse({"usage": await run_in_threadpool(_usage, cloud)})

    return [
        Route("/_emulator/health", health),
        Route("/_emulator/reset", forget, methods=["POST"]),
        Route("/_emulator/faults", faults, methods=["GET", "POST", "DELETE"]),
        Route("/_emulator/clock", clock, methods=["GET", "POST"]),
        Route("/_emulator/usage", usage),
    ]


def _objects(body: Any) -> list[dict[str, Any]]:
    scripts = body if isinstance(body, list) else [body]
    if not all(isinstance(script, dict) for script in scripts):
        raise ApiError("INVALID_ARGUMENT", "Faults are asked for as a list of JSON objects.")
    return scripts


def _advance(cloud: Cloud, body: dict[str, Any]) -> None:
    if not isinstance(cloud.clock, SteppedClock):
        raise ApiError("FAILED_PRECONDITION", "This server runs on the machine's clock.")
    cloud.clock.advance(float(body["advance_seconds"]))


def _usage(cloud: Cloud) -> list[dict[str, Any]]:
    from emulator.metering import usage_rows

    return list(usage_rows(cloud))
