"""The ASGI app, put together from the routes of every API."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route

from emulator.accounts import account, key_file
from emulator.aiplatform.routes import routes as vertex_routes
from emulator.artifactregistry.routes import routes as registry_routes
from emulator.billing.routes import routes as billing_routes
from emulator.clock import Clock, SystemClock
from emulator.cloud import Cloud, ServerSettings
from emulator.cloudbuild.routes import routes as build_routes
from emulator.cloudquotas.routes import routes as quota_routes
from emulator.control import routes as control_routes
from emulator.control import stopping
from emulator.door import Door
from emulator.errors import ApiError, error_body
from emulator.failures import failure_answer
from emulator.faults import Faults, check_disk
from emulator.folder import write_env
from emulator.iam import credentials, published
from emulator.iam import gate as rights_gate
from emulator.iam import routes as iam_routes
from emulator.iam.directory import Accounts
from emulator.jobs import Jobs
from emulator.limits import bounded
from emulator.logging.routes import routes as logging_routes
from emulator.monitoring.routes import routes as monitoring_routes
from emulator.oauth import routes as oauth_routes
from emulator.operations import Operations
from emulator.orgpolicy.routes import routes as organization_routes
from emulator.resourcemanager import routes as project_routes
from emulator.retry_tests import RetryTests
from emulator.serviceusage import routes as service_routes
from emulator.serviceusage.gate import gate
from emulator.storage import hmac_keys, old_buckets, resumable, versions
from emulator.storage.api import StorageApi
from emulator.storage.entrance import Entrance
from emulator.storage.errors import StorageError
from emulator.storage.signers import Signers
from emulator.storage.xml import multipart_rows
from emulator.storage.xml.api import XmlApi
from emulator.store.blobs import Blobs
from emulator.store.resources import Resources
from emulator.store.sqlite import Store
from emulator.store.sweeps import sweep_at_start
from emulator.tokens import Tokens
from emulator.web import App, Receive, Scope, Send

log = logging.getLogger("emulator")


def open_cloud(settings: ServerSettings, clock: Clock | None = None) -> Cloud:
    """Opens what is kept in the data folder; `close_cloud` ends it."""
    clock = clock or SystemClock()
    path = None if settings.memory else settings.data_dir / "emulator.sqlite"
    store = Store.open(path, settings.fsync)
    store.before_write = check_disk
    resources = Resources(store)
    blobs = Blobs(settings.data_dir / "blobs", store, fsync=settings.fsync, before_write=check_disk)
    blobs.clear_temporary()
    operations, jobs = Operations(store, clock), Jobs(settings.data_dir / "jobs")
    sweep_at_start(blobs, jobs)
    cloud = Cloud(settings, clock, store, resources, blobs, Faults(), operations, jobs)
    resumable.sweep(cloud)
    multipart_rows.sweep(cloud)
    versions.sweep(cloud)
    old_buckets.purge(cloud)
    blobs.make_room = partial(versions.reclaim, cloud)
    return cloud


def close_cloud(cloud: Cloud) -> None:
    """Lets go of the files; jobs are left running."""
    cloud.store.close()


def build_app(cloud: Cloud) -> App:
    """The server: storage by its own parser, everything else by Starlette's routes."""
    settings = cloud.settings
    owner = account(settings)
    write_env(settings, key_file(settings))
    accounts = Accounts(cloud)
    tokens = Tokens(owner, cloud.clock, settings.base_url, settings.require_auth, accounts)
    retry_tests = RetryTests()
    routes = api_routes(cloud, tokens, retry_tests)
    other = Starlette(routes=routes, exception_handlers=_HANDLERS, lifespan=_lifespan(cloud))
    storage = StorageApi(cloud, tokens)
    signers = Signers(
        lambda email: credentials.key_of(cloud, email).values(),
        lambda access_id: hmac_keys.active_key(cloud, access_id),
    )
    xml = XmlApi(cloud, storage.handled, storage.roots() | _roots(routes), signers)
    served = _dispatch(storage, xml, bounded(rights_gate.gate(cloud, gate(cloud, other))))
    return Door(served, settings, tokens, cloud.faults, retry_tests, Entrance(storage, xml))


def api_routes(cloud: Cloud, tokens: Tokens, retry_tests: RetryTests) -> list[BaseRoute]:
    """The routes of every API but Cloud Storage."""
    return [
        *oauth_routes(tokens),
        *control_routes.routes(cloud, retry_tests),
        *project_routes.routes(cloud),
        *service_routes.routes(cloud),
        *iam_routes.routes(cloud, tokens),
        *published.routes(cloud),
        *logging_routes(cloud),
        *quota_routes(cloud),
        *billing_routes(cloud),
        *organization_routes(cloud),
        *monitoring_routes(cloud),
        *registry_routes(cloud),
        *build_routes(cloud),
        *vertex_routes(cloud),
    ]


def _dispatch(storage: StorageApi, xml: XmlApi, other: App) -> App:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await other(scope, receive, send)
        elif storage.claims(scope["path"]):
            await storage(scope, receive, send)
        elif xml.claims(scope):
            await xml(scope, receive, send)
        else:
            await other(scope, receive, send)

    return app


def _roots(routes: list[BaseRoute]) -> frozenset[str]:
    """The first words of the paths of these routes."""
    return frozenset(route.path.split("/")[1] for route in routes if isinstance(route, Route))


def _lifespan(cloud: Cloud) -> Any:
    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        cloud.jobs.start()
        yield
        cloud.jobs.stop()
        if cloud.settings.memory:  # nobody could find them again
            await asyncio.to_thread(cloud.jobs.remove_all)
        elif running := await asyncio.to_thread(cloud.jobs.running):
            log.warning(stopping.going_on(running, cloud.settings.data_dir))

    return lifespan


async def _refused(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ApiError)
    return JSONResponse(error_body(error), error.http_code)


async def _storage_refused(request: Request, error: Exception) -> JSONResponse:
    """A bucket or object that another API could not have, in One Platform's form."""
    assert isinstance(error, StorageError)
    status = {403: "PERMISSION_DENIED", 404: "NOT_FOUND", 409: "ALREADY_EXISTS"}
    refusal = ApiError(status.get(error.code, "INVALID_ARGUMENT"), error.message)
    return await _refused(request, refusal)


async def _failed(request: Request, error: Exception) -> JSONResponse:
    log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    code, body = failure_answer(error)
    # Starlette raises the error again, upon which uvicorn ends the connection: the client is told.
    return JSONResponse(body, code, {"connection": "close"})


async def _unknown(request: Request, _: Exception) -> JSONResponse:
    message = f"The local cloud has no method {request.method} {request.url.path}."
    return JSONResponse(error_body(ApiError("NOT_FOUND", message)), 404)


_HANDLERS: dict[Any, Any] = {
    ApiError: _refused,
    StorageError: _storage_refused,
    404: _unknown,
    405: _unknown,
    Exception: _failed,
}
