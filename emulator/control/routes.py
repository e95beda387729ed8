"""`/_emulator/`: health, reset, snapshots, faults, clock, usage; `/retry_test` of the testbench."""

from __future__ import annotations

import json
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from emulator import __version__
from emulator.clock import SteppedClock, timestamp
from emulator.cloud import Cloud
from emulator.control.reset import reset
from emulator.control.snapshot_routes import snapshot_routes
from emulator.errors import ApiError
from emulator.retry_tests import RetryTests

BODY_BYTES = 1 << 20
MAX_ADVANCE_SECONDS = 1e9


def routes(cloud: Cloud, retry_tests: RetryTests) -> list[Route]:
    """The control routes; `ops` never calls them."""

    async def health(_: Request) -> JSONResponse:
        return JSONResponse({"status": "ok", "version": __version__})

    async def forget(_: Request) -> JSONResponse:
        await run_in_threadpool(reset, cloud)
        retry_tests.clear()
        return JSONResponse({})

    async def faults(request: Request) -> JSONResponse:
        if request.method == "DELETE":
            cloud.faults.clear()
        if request.method == "POST":
            cloud.faults.add(_objects(await _json(request)))
        return JSONResponse({"faults": cloud.faults.waiting()})

    async def clock(request: Request) -> JSONResponse:
        if request.method == "POST":
            _advance(cloud, await _json(request))
        return JSONResponse({"now": timestamp(cloud.clock.now())})

    async def usage(_: Request) -> JSONResponse:
        return JSONResponse({"usage": await run_in_threadpool(_usage, cloud)})

    return [
        Route("/_emulator/health", health),
        Route("/_emulator/reset", forget, methods=["POST"]),
        Route("/_emulator/faults", faults, methods=["GET", "POST", "DELETE"]),
        Route("/_emulator/clock", clock, methods=["GET", "POST"]),
        Route("/_emulator/usage", usage),
        *snapshot_routes(cloud),
        *_retry_routes(retry_tests),
    ]


def _retry_routes(tests: RetryTests) -> list[Route]:
    async def create(request: Request) -> JSONResponse:
        body = await _json(request)
        if not isinstance(body, dict):
            raise ApiError("INVALID_ARGUMENT", "instructions is not defined")
        return JSONResponse(tests.create(body))

    async def one(request: Request) -> JSONResponse:
        key = request.path_params["key"]
        if request.method == "DELETE":
            tests.delete(key)
            return JSONResponse({})
        return JSONResponse(tests.get(key))

    async def every(_: Request) -> JSONResponse:
        return JSONResponse(tests.list())

    return [
        Route("/retry_test", create, methods=["POST"]),
        Route("/retry_test/{key}", one, methods=["GET", "DELETE"]),
        Route("/retry_tests", every),
    ]


async def _json(request: Request) -> Any:
    """The body of a request. INVALID_ARGUMENT where it is too long, too deep or no JSON."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > BODY_BYTES:
            raise ApiError("INVALID_ARGUMENT", f"A body has at most {BODY_BYTES} bytes here.")
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise ApiError("INVALID_ARGUMENT", "The body of the request is no JSON.") from None


def _objects(body: Any) -> list[dict[str, Any]]:
    scripts = body if isinstance(body, list) else [body]
    if not all(isinstance(script, dict) for script in scripts):
        raise ApiError("INVALID_ARGUMENT", "Faults are asked for as a list of JSON objects.")
    return scripts


def _advance(cloud: Cloud, body: Any) -> None:
    if not isinstance(cloud.clock, SteppedClock):
        raise ApiError("FAILED_PRECONDITION", "This server runs on the machine's clock.")
    seconds = body.get("advance_seconds") if isinstance(body, dict) else None
    if not isinstance(seconds, int | float) or not 0 <= seconds <= MAX_ADVANCE_SECONDS:
        raise ApiError(
            "INVALID_ARGUMENT", f"Expected advance_seconds from 0 to 1e9. Received: {seconds!r}"
        )
    cloud.clock.advance(float(seconds))


def _usage(cloud: Cloud) -> list[dict[str, Any]]:
    from emulator.metering import usage_rows

    return list(usage_rows(cloud))
