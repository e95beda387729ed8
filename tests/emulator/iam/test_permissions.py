"""Every RPC, route and request names the permission that it needs."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.routing import Route

from emulator.aiplatform.handlers import HANDLERS, RAW_HANDLERS
from emulator.iam import gate, permissions, roles
from emulator.storage.api import MISSING, ROUTES
from emulator.storage.rights import needs_of

FOLDER = Path(gate.__file__).parents[1]
# Asked before anybody has signed in, by people, or by test suites.
OPEN = re.compile(r"/token|/_emulator/|/retry_tests?(/|$)|/robot/|/oauth2/")
FILLED = {"{rest:path}": "", "{id:uuid}": "00000000-0000-0000-0000-000000000000"}


def required() -> list[str]:
    """The RPCs of Vertex AI that must work, and those that do."""
    table = tomllib.loads((FOLDER / "aiplatform" / "required.toml").read_text())
    named = {rpc for rpcs in table["required"].values() for rpc in rpcs}
    return sorted(named | set(HANDLERS) | set(RAW_HANDLERS))


@pytest.mark.parametrize("rpc", required())
def test_rpcs_of_vertex_ai(rpc: str) -> None:
    """Each has one that some role of Google's holds."""
    assert permissions.of_rpc(rpc) in roles.every_permission()


@pytest.mark.parametrize("rpc", sorted(permissions.table()["vertex"]))
def test_no_exception_for_what_there_is_not(rpc: str) -> None:
    """The list of exceptions names RPCs of the SDK."""
    assert rpc in {row["rpc"] for row in _rows(FOLDER / "aiplatform" / "tables")}


@pytest.mark.parametrize(("method", "root", "path"), [route[:3] for route in ROUTES])
def test_routes_of_cloud_storage(method: str, root: str, path: str) -> None:
    """Each has a line, whose permissions some role holds."""
    named = {need.permission for need in needs_of(f"{method} {root}{path}")}

    assert named <= roles.every_permission()
    assert path not in MISSING


def test_parts_of_the_xml_api() -> None:
    """Each method of an upload in parts has a line."""
    from emulator.storage.xml.api import ROUTES as XML_ROUTES

    parts = {f"xml {method} {sub}" for _, method, sub in XML_ROUTES if sub.startswith("upload")}

    assert parts <= permissions.table()["storage"].keys()


def test_requests_of_the_other_apis(app_routes: list[Route]) -> None:
    """Each route of the server has a line, or is of an API that asks by itself."""
    lacking = []
    for route in app_routes:
        path = route.path
        for name, value in FILLED.items():
            path = path.replace(name, value)
        path = re.sub(r"\{\w+\}", "x", path)
        for method in (route.methods or set()) - {"HEAD"}:
            asked = gate.ELSEWHERE.match(path) or OPEN.match(path) or gate.entry(method, path)
            # These take every method and answer 404 to most: their bindings are looked at below.
            if not asked and len(route.methods or ()) < 5:
                lacking.append(f"{method} {route.path}")

    assert not lacking


@pytest.mark.parametrize(
    "folder", ["cloudquotas/tables", "billing/tables", "billing/budget_tables",
               "artifactregistry/tables", "cloudbuild/tables"],
)  # fmt: skip
def test_typed_apis(folder: str) -> None:
    """Each RPC with a handler has a line."""
    handled = _handled(folder)
    lacking = [
        f"{row['method'].upper()} {path}"
        for row in _rows(FOLDER / folder)
        if row["rpc"] in handled
        for path in _paths(row["uri"])
        if path.startswith(("/v1/projects/", "/v1/billingAccounts"))
        and not gate.entry(row["method"].upper(), path)
    ]

    assert handled and not lacking


def test_methods_of_iam() -> None:
    """Each has a line, and no line is left over."""
    from emulator.iam.routes import TABLE

    assert {row[2] for row in TABLE} == permissions.methods().keys()


def test_permissions_are_google_s() -> None:
    """Whatever the table asks for, some role of Google's holds; so no line is misspelt."""
    asked = {one for many in permissions.methods().values() for one in many}
    for rows in permissions.table()["http"].values():
        asked |= {one for one in rows.values() if one}

    assert asked <= roles.every_permission()


def _rows(folder: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads((folder / "routes.json").read_text())
    return rows


def _paths(uri: str) -> Iterator[str]:
    """A path of the form that a binding has."""
    flat = re.sub(r"\{[^=}]+=([^}]+)\}", r"\1", uri)
    yield re.sub(r"\{\w+\}", "x", flat).replace("locations/*", "locations/global").replace("*", "x")


def _handled(folder: str) -> set[str]:
    from emulator.artifactregistry import routes as registry
    from emulator.billing import routes as billing
    from emulator.cloudbuild import routes as builds
    from emulator.cloudquotas import routes as quotas

    tables: dict[str, Any] = {
        "cloudquotas/tables": quotas.HANDLERS,
        "billing/tables": billing.ACCOUNT_HANDLERS,
        "billing/budget_tables": billing.BUDGET_HANDLERS,
        "artifactregistry/tables": registry.HANDLERS,
        "cloudbuild/tables": builds.HANDLERS,
    }
    return set(tables[folder])
