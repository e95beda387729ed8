"""Routes of Service Usage v1; changes are operations that are over when they are answered."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import Any
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from emulator.cloud import Cloud
from emulator.errors import ApiError
from emulator.iam import agents
from emulator.numbers import whole
from emulator.resourcemanager import projects
from emulator.resourcemanager.bodies import body_of, only
from emulator.serviceusage import services

Body = dict[str, Any]
Rule = Callable[[Cloud, str, Request, Body], Body]

TYPES = "type.googleapis.com/google.api.serviceusage.v1."
IDENTITY = "type.googleapis.com/google.api.serviceusage.v1beta1.ServiceIdentity"
# What a recorded operation of this API says of itself (2024-04-01).
EMPTY = {"@type": "type.googleapis.com/google.protobuf.Empty", "value": {}}
KIND = "serviceOperation"
# Its operations are told apart from Vertex AI's, which share /v1/operations: those are numbers.
OPERATION = "acat."
PAGE, PAGE_MOST = 50, 200
STATES = {"state:ENABLED": "ENABLED", "state:DISABLED": "DISABLED", "": None}
VERTEX = "aiplatform.googleapis.com"


def routes(cloud: Cloud) -> list[Route]:
    """`projects/P/services` and what can be done with them, and the operations."""
    base = "/v1/projects/{project}/services"
    table: list[tuple[str, str, Rule]] = [
        ("GET", base, _list),
        ("GET", f"{base}:batchGet", _batch_get),
        ("POST", f"{base}:batchEnable", _batch_enable),
        ("POST", f"{base}/{{service}}:enable", _enable),
        ("POST", f"{base}/{{service}}:disable", _disable),
        ("GET", f"{base}/{{service}}", _get),
        (
            "POST",
            "/v1beta1/projects/{project}/services/{service}:generateServiceIdentity",
            _identity,
        ),
        ("GET", f"/v1/operations/{OPERATION}{{id}}", _operation),
    ]
    return [_route(cloud, *row) for row in table]


def _route(cloud: Cloud, method: str, path: str, rule: Rule) -> Route:
    async def endpoint(request: Request) -> JSONResponse:
        body = await body_of(request) if method == "POST" else {}
        project = request.path_params.get("project", "")
        return JSONResponse(rule(cloud, project, request, body))

    return Route(path, endpoint, methods=[method])


def _get(cloud: Cloud, project: str, request: Request, _: Body) -> Body:
    return services.get(cloud, project, request.path_params["service"])


def _batch_get(cloud: Cloud, project: str, request: Request, _: Body) -> Body:
    names = request.query_params.getlist("names")
    return {"services": services.batch_get(cloud, project, names)}


def _list(cloud: Cloud, project: str, request: Request, _: Body) -> Body:
    asked = request.query_params.get("filter", "")
    if asked not in STATES:
        message = f"The filter is {asked!r}; state:ENABLED and state:DISABLED are understood."
        raise ApiError("INVALID_ARGUMENT", message)
    found = services.listed(cloud, project, STATES[asked])
    size = min(whole(request.query_params.get("pageSize"), "page_size") or PAGE, PAGE_MOST)
    start = whole(request.query_params.get("pageToken"), "page_token")
    more = {"nextPageToken": str(start + size)} if start + size < len(found) else {}
    page = found[start : start + size]
    return ({"services": page} if page else {}) | more


def _enable(cloud: Cloud, project: str, request: Request, body: Body) -> Body:
    only(body)
    service = request.path_params["service"]
    found = services.put(cloud, project, service, "ENABLED")
    return _over(cloud, [found], {"@type": f"{TYPES}EnableServiceResponse", "service": found})


def _disable(cloud: Cloud, project: str, request: Request, body: Body) -> Body:
    only(body, "disableDependentServices", "checkIfServiceHasUsage")
    service = request.path_params["service"]
    found = services.put(cloud, project, service, "DISABLED")
    return _over(cloud, [found], {"@type": f"{TYPES}DisableServiceResponse", "service": found})


def _batch_enable(cloud: Cloud, project: str, _: Request, body: Body) -> Body:
    only(body, "serviceIds")
    asked = [str(one) for one in body.get("serviceIds", [])]
    found = services.batch_enable(cloud, project, asked)
    answer = {"@type": f"{TYPES}BatchEnableServicesResponse", "services": found}
    return _over(cloud, found, answer)


def _identity(cloud: Cloud, project: str, request: Request, body: Body) -> Body:
    """The service's agent, made once for all; Vertex AI's is an account with its role."""
    only(body)
    found = services.get(cloud, project, request.path_params["service"])
    service, project_id = found["config"]["name"], projects.canonical(cloud, project)
    if service == VERTEX:
        agent = agents.ensure(cloud, project_id)
        email, unique = agent.email, agent.unique_id
    else:
        kind = "gcp-sa-" + service.split(".")[0]
        email = agents.email(cloud, project_id, (kind, ""))
        unique = str(10**20 + int.from_bytes(sha256(email.encode()).digest()[:8], "big"))
    return _over(cloud, [found], {"@type": IDENTITY, "email": email, "uniqueId": unique})


def _over(cloud: Cloud, changed: list[Body], response: Body) -> Body:
    """An operation that is done, and can be asked for again."""
    name = f"operations/{OPERATION}p2-{changed[0]['parent'].split('/')[1]}-{uuid4()}"
    body = {
        "name": name,
        "metadata": EMPTY,
        "done": True,
        "response": response,
    }
    cloud.resources.insert(KIND, name, body, changed[0]["parent"])
    return body


def _operation(cloud: Cloud, _project: str, request: Request, _: Body) -> Body:
    return cloud.resources.require(f"operations/{OPERATION}{request.path_params['id']}")
