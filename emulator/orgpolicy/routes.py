"""Routes of the Organization Policy API v2: constraints and policies of a project."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from emulator.cloud import Cloud
from emulator.errors import ApiError
from emulator.orgpolicy import policies
from emulator.resourcemanager import projects
from emulator.resourcemanager.bodies import body_of
from emulator.typed_api import page

# A policy is replaced whole; `policy.spec` names all of it that is read here.
MASKS = ("", "*", "spec", "policy.spec")
PARENT = "/v2/projects/{project}"
ONE = f"{PARENT}/policies/{{constraint}}"


def routes(cloud: Cloud) -> list[Route]:
    """`v2/projects/P/policies`, what is below, and `v2/projects/P/constraints`."""

    async def collection(request: Request) -> JSONResponse:
        project = request.path_params["project"]
        if request.method == "POST":
            return JSONResponse(policies.create(cloud, project, await body_of(request)))
        found = policies.listed(cloud, project)
        return JSONResponse(page("policies", found, dict(request.query_params)))

    async def effective(request: Request) -> JSONResponse:
        return JSONResponse(policies.effective(cloud, *_names(request)))

    async def one(request: Request) -> JSONResponse:
        if request.method == "PATCH":
            _check_mask(request.query_params.get("updateMask", ""))
            sent = await body_of(request)
            return JSONResponse(policies.replace(cloud, *_names(request), sent))
        if request.method == "DELETE":
            return JSONResponse(policies.delete(cloud, *_names(request)))
        return JSONResponse(policies.get(cloud, *_names(request)))

    async def constraints(request: Request) -> JSONResponse:
        found = _constraints(cloud, request.path_params["project"])
        return JSONResponse(page("constraints", found, dict(request.query_params)))

    return [
        Route(f"{PARENT}/policies", collection, methods=["GET", "POST"]),
        Route(f"{ONE}:getEffectivePolicy", effective, methods=["GET"]),
        Route(ONE, one, methods=["GET", "PATCH", "DELETE"]),
        Route(f"{PARENT}/constraints", constraints, methods=["GET"]),
    ]


def _names(request: Request) -> tuple[str, str]:
    return request.path_params["project"], request.path_params["constraint"]


def _check_mask(mask: str) -> None:
    if mask not in MASKS:
        raise ApiError("INVALID_ARGUMENT", f"Invalid update mask: {mask}. Only policy.spec, or *.")


def _constraints(cloud: Cloud, project: str) -> list[dict[str, object]]:
    number = projects.number(cloud, projects.canonical(cloud, project))
    found: list[dict[str, object]] = []
    for kind in ("boolean", "list"):
        for name, title in policies.catalogue()[kind].items():
            shown = {"name": f"projects/{number}/constraints/{name}", "displayName": title}
            found.append({**shown, "constraintDefault": "ALLOW", f"{kind}Constraint": {}})
    return found
