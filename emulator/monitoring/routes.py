"""Routes of Cloud Monitoring v3: the notification channels of a project."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from emulator.cloud import Cloud
from emulator.errors import ApiError
from emulator.monitoring import channels
from emulator.resourcemanager.bodies import body_of


def routes(cloud: Cloud) -> list[Route]:
    """`v3/projects/P/notificationChannels` and what is below."""

    async def collection(request: Request) -> JSONResponse:
        project = request.path_params["project"]
        if request.method == "POST":
            return JSONResponse(channels.create(cloud, project, await body_of(request)))
        return JSONResponse(channels.listed(cloud, project, dict(request.query_params)))

    async def one(request: Request) -> JSONResponse:
        names = (request.path_params["project"], request.path_params["channel"])
        if request.method == "PATCH":
            mask = request.query_params.get("updateMask", "")
            sent = await body_of(request)
            return JSONResponse(channels.update(cloud, *names, sent, mask))
        if request.method == "DELETE":
            _check_force(request)
            return JSONResponse(channels.delete(cloud, *names))
        return JSONResponse(channels.get(cloud, *names))

    path = "/v3/projects/{project}/notificationChannels"
    return [
        Route(path, collection, methods=["GET", "POST"]),
        Route(f"{path}/{{channel}}", one, methods=["GET", "PATCH", "DELETE"]),
    ]


def _check_force(request: Request) -> None:
    force = request.query_params.get("force", "false")
    if force not in ("true", "false"):
        raise ApiError("INVALID_ARGUMENT", f"Invalid value at 'force' (TYPE_BOOL), \"{force}\"")
