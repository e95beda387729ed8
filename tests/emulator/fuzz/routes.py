"""Which of the server's routes a request is for, by the server's own tables."""

from __future__ import annotations

import tomllib
from functools import cache

from emulator.aiplatform.routes import TABLES
from emulator.rpc import Router
from emulator.storage.api import ROUTES as JSON_ROUTES
from emulator.storage.xml.api import ROUTES as XML_ROUTES
from tests.emulator.fuzz.target import Asked

ROOTS = ("/upload/storage/v1/", "/download/storage/v1/", "/storage/v1/")


@cache
def _router() -> Router:
    return Router.read(TABLES / "routes.json")


@cache
def every() -> frozenset[str]:
    """Every route of storage over JSON and XML, and every RPC that must work."""
    listed = tomllib.loads((TABLES.parent / "required.toml").read_text())["required"]
    storage = {f"{method} {root}{path}" for method, root, path, _ in JSON_ROUTES}
    xml = {f"XML {method} {kind} {more}".strip() for kind, method, more in XML_ROUTES}
    return frozenset(storage | xml | {name for names in listed.values() for name in names})


def route_of(asked: Asked) -> str:
    """The route of a request as `every` names it, or ""."""
    for root in ROOTS:
        if asked.path.startswith(root):
            return _json_route(asked, root)
    if asked.path.startswith(("/v1/projects/", "/v1beta1/projects/")):
        path = "/v1/" + asked.path.split("/", 2)[2]
        found = _router().match(asked.method, path)
        return found[0].rpc.name if found else ""
    words = asked.path.split("/", 2)
    kind = "object" if len(words) > 2 and words[2] else "bucket" if words[1] else "service"
    more = next((name for name in asked.query if (kind, asked.method, name) in XML_ROUTES), "")
    return f"XML {asked.method} {kind} {more}".strip()


def _json_route(asked: Asked, root: str) -> str:
    words = asked.path[len(root) :].rstrip("/").split("/")
    for method, base, path, _ in JSON_ROUTES:
        form = path.split("/")
        if (method, base, len(form)) == (asked.method, root, len(words)) and all(
            expected in ("*", word) for expected, word in zip(form, words, strict=True)
        ):
            return f"{method} {base}{path}"
    return ""
