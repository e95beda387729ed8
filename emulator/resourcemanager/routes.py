"""Routes of Resource Manager v1 and v3: `projects.get`."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from emulator.cloud import Cloud
from emulator.resourcemanager import projects

# The emulator keeps no history of projects; each was made when Google Cloud was (App Engine, 2008).
CREATED = "2008-04-07T00:00:00Z"


def routes(cloud: Cloud) -> list[Route]:
    """`GET /v3/projects/P` and `GET /v1/projects/P`; P is an id or a number."""

    def get_v3(request: Request) -> JSONResponse:
        return JSONResponse(_v3(cloud, request.path_params["project"]))

    def get_v1(request: Request) -> JSONResponse:
        return JSONResponse(_v1(cloud, request.path_params["project"]))

    return [
        Route("/v3/projects/{project}", _quick(get_v3), methods=["GET"]),
        Route("/v1/projects/{project}", _quick(get_v1), methods=["GET"]),
    ]


def _quick(handler: Any) -> Any:
    """The handler on the event loop: it only reads a row, a thread would cost more."""

    async def endpoint(request: Request) -> JSONResponse:
        answer: JSONResponse = handler(request)
        return answer

    return endpoint


def _v3(cloud: Cloud, project: str) -> dict[str, Any]:
    project_id = projects.canonical(cloud, project)
    return {
        "name": f"projects/{projects.number(cloud, project_id)}",
        "projectId": project_id,
        "displayName": project_id,
        "state": "ACTIVE",
        "createTime": CREATED,
        "updateTime": CREATED,
        "etag": f'W/"{projects.number(cloud, project_id):x}"',
    }


def _v1(cloud: Cloud, project: str) -> dict[str, Any]:
    project_id = projects.canonical(cloud, project)
    return {
        "projectNumber": str(projects.number(cloud, project_id)),
        "projectId": project_id,
        "lifecycleState": "ACTIVE",
        "name": project_id,
        "createTime": CREATED,
    }
