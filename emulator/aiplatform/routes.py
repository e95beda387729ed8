"""Vertex AI over HTTP: match by the SDK's table, type the request, call the rule, shape the answer.

Served alike under /v1, /v1beta1 (one form is stored, the `@type` names follow the version) and
/ui, where the SDKs poll operations.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from emulator.aiplatform import mixins, names, operation_methods, resources, rights
from emulator.aiplatform.handlers import HANDLERS, RAW_HANDLERS, STREAMED
from emulator.aiplatform.resources import public
from emulator.aiplatform.take_up import take_up
from emulator.cloud import Cloud
from emulator.errors import ApiError
from emulator.resourcemanager import projects
from emulator.rpc import Binding, Router, Types, request_body
from emulator.tokens import Caller

Body = dict[str, Any]
TABLES = Path(__file__).parent / "tables"
BETA = "v1beta1"
VERSIONS = ("v1", BETA, "ui")
OPERATIONS = "/operations/"
METHODS = ["GET", "POST", "PATCH", "PUT", "DELETE"]
MAX_BODY_BYTES = 10 * 2**20
_PROJECT = re.compile(r"/projects/([^/:]+)/")


def routes(cloud: Cloud) -> list[BaseRoute]:
    """Everything under a project's locations, and the operations that services share."""
    api = VertexApi(cloud)
    cloud.jobs.on_start(lambda: take_up(cloud))
    found: list[BaseRoute] = []
    for version in VERSIONS:
        for path in ("/projects/{project}/locations{rest:path}", "/operations/{rest:path}"):
            found.append(Route(f"/{version}{path}", api.answer, methods=METHODS))
    return found


class VertexApi:
    """The tables, read once, and the cloud whose rules are called."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._router = Router.read(TABLES / "routes.json")
        self._types = Types(TABLES / "types.binpb")

    async def answer(self, request: Request) -> Response:
        """The answer to one request; ApiError for what Google would refuse."""
        version, path = request.url.path.lstrip("/").split("/", 1)
        sent, project = self._project(path)
        if sent:
            path = path.replace(f"projects/{sent}/", f"projects/{project}/", 1)
        try:
            return await self._answer(request, version, path, sent, project)
        except ApiError as problem:
            raise names.error_with_project(problem, project, sent) from None

    async def _answer(
        self, request: Request, version: str, path: str, sent: str, project: str
    ) -> Response:
        caller: Caller = request.scope["caller"]
        if operation_methods.claims(path):
            rights.check_operation(self._cloud, caller, path, operation_methods.verb(path))
            result = await operation_methods.call(self._cloud, request, path)
            if version == "ui":
                version = self._cloud.operations.version(path)
            return self._shaped(request, version, "", result, sent, project)
        if mixins.claims(request.method, path) and version != "ui":
            return _json(names.with_project(mixins.call(self._cloud, request, path), project, sent))
        matched = self._router.match(request.method, "/v1/" + path)
        if matched is None or version == "ui":
            message = f"Vertex AI has no method {request.method} {request.url.path}."
            raise ApiError("NOT_FOUND", message)
        binding, variables = matched
        name = binding.rpc.name
        if name in RAW_HANDLERS or name in HANDLERS:
            rights.check(self._cloud, caller, name, variables)
            names.check_ids(variables)
        if name in RAW_HANDLERS:
            raw = await RAW_HANDLERS[name](self._cloud, variables, request)
            if isinstance(raw, Response):
                return raw
            return _json(names.with_project(raw, project, sent))
        if name not in HANDLERS:
            raise _unimplemented(binding, version)
        body = await self._request(request, binding, variables)
        resources.check_display_names(body)
        rights.check_account(self._cloud, caller, name, body)
        result = public(HANDLERS[name](self._cloud, body))
        if version == BETA and OPERATIONS in str(result.get("name", "")):
            self._cloud.operations.begun_by(result["name"], version)
        shaped = self._shaped(request, version, binding.rpc.response, result, sent, project)
        if name in STREAMED:
            return Response(b"[" + bytes(shaped.body) + b"]", media_type=shaped.media_type)
        return shaped

    async def _request(self, request: Request, binding: Binding, variables: dict[str, str]) -> Body:
        body = await request.body()
        if len(body) > MAX_BODY_BYTES:
            message = f"Request payload size exceeds the limit: {MAX_BODY_BYTES} bytes."
            raise ApiError("INVALID_ARGUMENT", message)
        query = list(request.query_params.multi_items())
        typed = request_body(self._types, binding, variables, query, body)
        canonical: Body = names.rewrite(typed, lambda name: names.canonical(self._cloud, name))
        return canonical

    def _project(self, path: str) -> tuple[str, str]:
        """The project as it was sent, and its id; both empty for names without one."""
        found = _PROJECT.match("/" + path)
        if found is None:
            return "", ""
        return found.group(1), projects.canonical(self._cloud, found.group(1))

    def _shaped(
        self, request: Request, version: str, response: str, result: Body, sent: str, project: str
    ) -> Response:
        """JSON as the client asked for it: enums, the project's form, the version's types."""
        result = _public_lists(names.with_project(result, project, sent))
        if "enum-encoding=int" in request.query_params.get("$alt", ""):
            full_name = response or ("google.longrunning.Operation" if "name" in result else "")
            if full_name:
                message = self._types.parse(full_name, result)
                result = self._types.print(message, int_enums=True)
        return _json(result, version)


def _public_lists(result: Body) -> Body:
    return {
        key: [public(item) if isinstance(item, dict) else item for item in value]
        if isinstance(value, list)
        else value
        for key, value in result.items()
    }


def _json(result: Body, version: str = "v1") -> Response:
    text = json.dumps(result, ensure_ascii=False)
    if version == BETA:
        text = text.replace("/google.cloud.aiplatform.v1.", "/google.cloud.aiplatform.v1beta1.")
    return Response(text, media_type="application/json; charset=UTF-8")


def _unimplemented(binding: Binding, version: str) -> ApiError:
    rpc = f"google.cloud.aiplatform.{version}.{binding.rpc.service}.{binding.rpc.name}"
    return ApiError("UNIMPLEMENTED", f"The local cloud does not have {rpc} yet.")
