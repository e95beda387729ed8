"""A small Google API over HTTP: matched and typed by the SDK's tables, answered by its handlers."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from emulator.cloud import Cloud
from emulator.errors import ApiError
from emulator.numbers import whole
from emulator.rpc import Binding, Router, Types, request_body

Body = dict[str, Any]
Handler = Callable[[Cloud, Body, Request], Body]

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
MAX_BODY_BYTES = 4 * 2**20
PAGE_SIZE = 100


class TypedApi:
    """One API: the tables in `folder`, and a handler for each RPC that it has."""

    def __init__(self, cloud: Cloud, folder: Path, handlers: Mapping[str, Handler]) -> None:
        self._cloud = cloud
        self._router = Router.read(folder / "routes.json")
        self._types = Types(folder / "types.binpb")
        self._handlers = handlers

    def routes(self, *paths: str) -> list[Route]:
        """Starlette's routes for these paths, all of them answered here."""
        return [Route(path, self._answer, methods=METHODS) for path in paths]

    async def _answer(self, request: Request) -> Response:
        """The answer to one request; ApiError for what Google would refuse."""
        _, _, rest = request.url.path.lstrip("/").partition("/")
        matched = self._router.match(request.method, f"/v1/{rest}")
        if matched is None:
            message = f"There is no method {request.method} {request.url.path}."
            raise ApiError("NOT_FOUND", message)
        binding, variables = matched
        handler = self._handlers.get(binding.rpc.name)
        if handler is None:
            message = f"The local cloud does not have {binding.rpc.service}.{binding.rpc.name}."
            raise ApiError("UNIMPLEMENTED", message)
        sent = await self._sent(request, binding, variables)
        return self._shaped(request, binding, handler(self._cloud, sent, request))

    async def _sent(self, request: Request, binding: Binding, variables: dict[str, str]) -> Body:
        body = await request.body()
        if len(body) > MAX_BODY_BYTES:
            message = f"Request payload size exceeds the limit: {MAX_BODY_BYTES} bytes."
            raise ApiError("INVALID_ARGUMENT", message)
        query = list(request.query_params.multi_items())
        return request_body(self._types, binding, variables, query, body)

    def _shaped(self, request: Request, binding: Binding, result: Body) -> Response:
        """JSON with enums as the client asked for them."""
        if "enum-encoding=int" in request.query_params.get("$alt", "") and binding.rpc.response:
            message = self._types.parse(binding.rpc.response, result)
            result = self._types.print(message, int_enums=True)
        text = json.dumps(result, ensure_ascii=False)
        return Response(text, media_type="application/json; charset=UTF-8")


def etag(body: Mapping[str, Any]) -> str:
    """A tag that changes with the resource."""
    kept = {key: value for key, value in body.items() if key != "etag"}
    return b64encode(sha256(json.dumps(kept, sort_keys=True).encode()).digest()[:8]).decode()


def masked(body: Body, sent: Mapping[str, Any], mask: str) -> Body:
    """The resource after an update by mask (camelCase or snake_case, nested paths too).

    INVALID_ARGUMENT without a mask, and for a path that goes through what is no object.
    """
    paths = [path.strip() for path in mask.split(",") if path.strip()]
    if not paths:
        raise ApiError("INVALID_ARGUMENT", "The update_mask must not be empty.")
    if paths == ["*"]:
        paths = list(sent)
    changed: Body = json.loads(json.dumps(body))
    for path in paths:
        _put(changed, sent, [_camel(part) for part in path.split(".")], path)
    return changed


def _put(target: Body, sent: Mapping[str, Any], steps: list[str], path: str) -> None:
    *outer, last = steps
    source: Any = sent
    for step in outer:
        source = source.get(step, {}) if isinstance(source, Mapping) else {}
        inner = target.setdefault(step, {})
        if not isinstance(inner, dict):
            raise ApiError("INVALID_ARGUMENT", f"Invalid field in the update_mask: {path}.")
        target = inner
    if isinstance(source, Mapping) and last in source:
        target[last] = source[last]
    else:
        target.pop(last, None)


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part[:1].upper() + part[1:] for part in rest)


def page(key: str, rows: Iterable[Body], request: Mapping[str, Any]) -> Body:
    """One page of resources in the order of their names. INVALID_ARGUMENT for a wrong size."""
    size = min(whole(request.get("pageSize"), "page_size") or PAGE_SIZE, 1000)
    after = str(request.get("pageToken", ""))
    found = sorted((row for row in rows if row["name"] > after), key=lambda row: str(row["name"]))
    answer: Body = {key: found[:size]} if found else {}
    if len(found) > size:
        answer["nextPageToken"] = found[size - 1]["name"]
    return answer
