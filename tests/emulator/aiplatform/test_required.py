"""The list of RPCs that must work, against the handlers and Google's own list."""

from __future__ import annotations

import json
import tomllib
from typing import Any

from emulator.aiplatform.handlers import HANDLERS, RAW_HANDLERS
from emulator.rpc_tables import VERTEX_FOLDER

REQUIRED = VERTEX_FOLDER.parent / "required.toml"


def table() -> dict[str, Any]:
    """The file, whole."""
    return tomllib.loads(REQUIRED.read_text())


def names(part: dict[str, list[str]]) -> set[str]:
    """`Service.Rpc` of one table."""
    return {f"{service}.{rpc}" for service, rpcs in part.items() for rpc in rpcs}


def test_every_required_rpc_has_a_handler() -> None:
    """A 501 for an RPC that image classification touches is a failure."""
    required = names(table()["required"])

    assert {one for one in required if one.split(".")[1] not in _handled()} == set()


def test_every_rpc_of_these_services_is_required_or_left_out_with_a_reason() -> None:
    """Nothing is forgotten, and nothing said to be missing works."""
    listed = table()
    rows = json.loads((VERTEX_FOLDER / "routes.json").read_text())
    known = {row["rpc"] for row in rows if row["service"] in listed["required"]}
    required = {one.split(".")[1] for one in names(listed["required"])}

    assert required | set(listed["left_out"]) == known
    assert not required & set(listed["left_out"])
    assert all(listed["left_out"].values())
    assert not set(listed["left_out"]) & _handled()


def _handled() -> set[str]:
    return {*HANDLERS, *RAW_HANDLERS}
