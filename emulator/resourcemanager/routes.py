"""Routes of Resource Manager v1 and v3: projects, their policies, and what one may do in them."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from emulator.cloud import Cloud
from emulator.errors import ApiError
from emulator.resourcemanager import policies, projects

# The emulator keeps no history of projects; each was made when Google Cloud was (App Engine, 2008).
CREATED = "2008-04-07T00:00:00Z"
VERSIONS = ("v1", "v3")

Body = dict[str, Any]
Rule = Callable[[Cloud, str, Body, Request], Body]


def routes(cloud: Cloud) -> list[Route]:
    """`GET projects/P` and its three IAM methods under /v1 and /v3; P is an id or a number."""
    found = [
        _route(cloud, "/v3/projects/{project}", "GET", _v3),
        _route(cloud, "/v1/projects/{project}", "GET", _v1),
    ]
    for version in VERSIONS:
        for verb, rule in IAM_METHODS.items():
            found.append(_route(cloud, f"/{version}/projects/{{project}}:{verb}", "POST", rule))
    return found


def _route(cloud: Cloud, path: str, method: str, rule: Rule) -> Route:
    """The rule on the event loop: it only reads or writes a row, a thread would cost more."""

    async def endpoint(request: Request) -> JSONResponse:
        body = await body_of(request) if method == "POST" else {}
        return JSONResponse(rule(cloud, request.path_params["project"], body, request))

    answer: Callable[[Request], Awaitable[JSONResponse]] = endpoint
    return Route(path, answer, methods=[method])


async def body_of(request: Request) -> Body:
    """The body as a JSON object; empty is {}. INVALID_ARGUMENT when it is something else."""
    try:
        found = json.loads(await request.body() or b"{}")
    except ValueError as error:
        message = f"Invalid JSON payload received. {error}"
        raise ApiError("INVALID_ARGUMENT", message) from None
    if not isinstance(found, dict):
        raise ApiError("INVALID_ARGUMENT", "Invalid JSON payload received. Not an object.")
    return found


def only(body: Body, *fields: str) -> None:
    """INVALID_ARGUMENT, as Google words it, for a field that the request has not."""
    for name in body:
        if name not in fields:
            message = f'Invalid JSON payload received. Unknown name "{name}": Cannot find field.'
            raise ApiError("INVALID_ARGUMENT", message)


def _get_policy(cloud: Cloud, project: str, body: Body, _: Request) -> Body:
    only(body, "options")
    return policies.get(cloud, project)


def _set_policy(cloud: Cloud, project: str, body: Body, _: Request) -> Body:
    only(body, "policy", "updateMask")
    return policies.replace(cloud, project, body.get("policy"))


def _test_permissions(cloud: Cloud, project: str, body: Body, request: Request) -> Body:
    only(body, "permissions")
    asked = [str(one) for one in body.get("permissions", [])]
    found = policies.granted_to(cloud, project, request.scope["caller"], asked)
    return {"permissions": found} if found else {}


IAM_METHODS: dict[str, Rule] = {
    "getIamPolicy": _get_policy,
    "setIamPolicy": _set_policy,
    "testIamPermissions": _test_permissions,
}


def _v3(cloud: Cloud, project: str, _body: Body, _request: Request) -> Body:
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


def _v1(cloud: Cloud, project: str, _body: Body, _request: Request) -> Body:
    project_id = projects.canonical(cloud, project)
    return {
        "projectNumber": str(projects.number(cloud, project_id)),
        "projectId": project_id,
        "lifecycleState": "ACTIVE",
        "name": project_id,
        "createTime": CREATED,
    }
