"""Routes of Resource Manager v1 and v3: projects, their policies, and what one may do in them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from emulator.cloud import Cloud
from emulator.errors import ApiError
from emulator.iam import enforce, policy_changes, targets
from emulator.resourcemanager import policies, project_methods, projects
from emulator.resourcemanager.bodies import body_of, only

VERSIONS = ("v1", "v3")

Body = dict[str, Any]
Rule = Callable[[Cloud, str, Body, Request], Body]


def routes(cloud: Cloud) -> list[Route]:
    """Projects and their three IAM methods under /v1 and /v3; P is an id or a number."""
    methods = (*project_methods.V1, *project_methods.V3)
    found = [_route(cloud, path, method, rule) for method, path, rule in methods]
    for version in VERSIONS:
        for verb, rule in IAM_METHODS.items():
            found.append(_route(cloud, f"/{version}/projects/{{project}}:{verb}", "POST", rule))
    return found


def _route(cloud: Cloud, path: str, method: str, rule: Rule) -> Route:
    """The rule on the event loop: it only reads or writes a row, a thread would cost more."""

    async def endpoint(request: Request) -> JSONResponse:
        body = {} if method == "GET" else await body_of(request)
        project = request.path_params.get("project", "")
        return JSONResponse(rule(cloud, project, body, request))

    answer: Callable[[Request], Awaitable[JSONResponse]] = endpoint
    return Route(path, answer, methods=[method])


def _get_policy(cloud: Cloud, project: str, body: Body, _: Request) -> Body:
    only(body, "options")
    options = body.get("options") or {}
    version = str(options.get("requestedPolicyVersion", 0) if isinstance(options, dict) else "")
    if not version.isdigit():
        raise ApiError("INVALID_ARGUMENT", f"Invalid requested policy version: {options}")
    return policies.get(cloud, project, int(version))


def _set_policy(cloud: Cloud, project: str, body: Body, _: Request) -> Body:
    only(body, "policy", "updateMask")
    policy_changes.check_mask(body.get("updateMask"))
    return policies.replace(cloud, project, body.get("policy"))


def _test_permissions(cloud: Cloud, project: str, body: Body, request: Request) -> Body:
    only(body, "permissions")
    sent = body.get("permissions") or []
    if not isinstance(sent, list):
        raise ApiError("INVALID_ARGUMENT", "Invalid value at 'permissions': expected a list.")
    asked = [str(one) for one in sent]
    target = targets.project(projects.canonical(cloud, project))
    found = enforce.granted(cloud, request.scope["caller"], asked, target)
    return {"permissions": found} if found else {}


IAM_METHODS: dict[str, Rule] = {
    "getIamPolicy": _get_policy,
    "setIamPolicy": _set_policy,
    "testIamPermissions": _test_permissions,
}
