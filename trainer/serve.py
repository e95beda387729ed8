"""The prediction server: the same in a container on Vertex and behind the local endpoint.

`python -m trainer.serve` reads Vertex's variables (`AIP_HTTP_PORT`, `AIP_HEALTH_ROUTE`,
`AIP_PREDICT_ROUTE`, `AIP_STORAGE_URI`), brings the model here, then answers until SIGTERM.
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainer.errors import ConfigError, TrainerError
from trainer.instances import RequestError, answer
from trainer.journal import Journal
from trainer.serving import Model

STORAGE_URI = "AIP_STORAGE_URI"
# Either leads the client of Cloud Storage to a local server: anonymously, or as an account.
LOCAL_STORAGE = ("STORAGE_EMULATOR_HOST", "API_ENDPOINT_OVERRIDE")


@dataclass(frozen=True)
class Address:
    """Where to listen: `host` and `port`, and the two routes that Vertex calls."""

    host: str
    port: int
    health: str
    predict: str


def read_address(environ: Mapping[str, str]) -> Address:
    """The address that Vertex's variables give. Raises ConfigError for a bad port or route."""
    port = environ.get("AIP_HTTP_PORT", "8080")
    if not port.isdigit() or int(port) > 65535:
        raise ConfigError(f"AIP_HTTP_PORT must be a port number. Received: {port!r}")
    health = environ.get("AIP_HEALTH_ROUTE", "/health")
    predict = environ.get("AIP_PREDICT_ROUTE", "/predict")
    for route in (health, predict):
        if not route.startswith("/"):
            raise ConfigError(f"A route must begin with a slash. Received: {route!r}")
    # Vertex calls a container from outside it; behind the emulator nobody else has to.
    behind = any(environ.get(name) for name in LOCAL_STORAGE)
    host = "127.0.0.1" if behind else "0.0.0.0"
    return Address(environ.get("TRAINER_SERVE_HOST", host), int(port), health, predict)


def build_app(
    model: Model, health: str, predict: str, read: Callable[[str], bytes] | None = None
) -> Any:
    """The ASGI application that answers health checks and predictions of one model.

    `read` gives the photo at a `gs://` address; without it photos come in the request only.
    """
    from starlette.applications import Starlette
    from starlette.concurrency import run_in_threadpool
    from starlette.requests import Request
    from starlette.responses import JSONResponse
    from starlette.routing import Route

    async def healthy(_: Request) -> JSONResponse:
        return JSONResponse({"status": "ok"})

    async def predicted(request: Request) -> JSONResponse:
        body = await request.body()
        try:
            return JSONResponse(await run_in_threadpool(answer, model, body, read))
        except RequestError as error:
            return JSONResponse({"error": str(error)}, status_code=400)

    return Starlette(
        routes=[
            Route(health, healthy, methods=["GET"]),
            Route(predict, predicted, methods=["POST"]),
        ]
    )


def main(environ: Mapping[str, str] = os.environ) -> int:
    """0 after SIGTERM; 1 after one sentence on why the model cannot be served."""
    journal = Journal()
    try:
        return _serve(environ, journal)
    except TrainerError as error:
        journal.say(str(error), "ERROR")
        return 1


def _serve(environ: Mapping[str, str], journal: Journal) -> int:
    import uvicorn

    from trainer.fetch import fetch, reader
    from trainer.serving import AUTOML_ENGINE, engine, load

    address = read_address(environ)
    if not environ.get(STORAGE_URI):
        raise ConfigError(f"{STORAGE_URI} is not set. Set it to the model's gs:// URI or folder.")
    with tempfile.TemporaryDirectory(prefix="trainer-serve-") as brought:
        folder = fetch(environ[STORAGE_URI], Path(brought), environ)
        model, is_custom = load(folder), engine(folder) != AUTOML_ENGINE
        model.scores([_blank_photo()])
    app = build_app(model, address.health, address.predict, reader(environ) if is_custom else None)
    journal.say(f"Serving {len(model.labels)} labels on port {address.port}.")
    settings = uvicorn.Config(
        app, host=address.host, port=address.port, log_level="warning", access_log=False
    )
    # uvicorn ends gracefully on SIGTERM, then raises it again: this makes the exit code 0.
    signal.signal(signal.SIGTERM, lambda *_: None)
    uvicorn.Server(settings).run()
    return 0


def _blank_photo() -> bytes:
    """A small grey PNG: the first answer is slow, so the server gives it to itself."""
    import io

    from PIL import Image

    file = io.BytesIO()
    Image.new("RGB", (32, 32), "grey").save(file, "PNG")
    return file.getvalue()


if __name__ == "__main__":
    sys.exit(main())
