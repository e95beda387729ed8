"""Which permission a method needs: `permissions.toml`, and a rule for Vertex AI's many."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

# Sections of the file that are no lists of hand-written methods.
BY_RULE = frozenset({"vertex", "accounts", "storage", "http"})
VERBS = "BatchCreate|Create|Get|List|Update|Delete|Import|Upload|Export|Cancel|Restore"
TABLE = Path(__file__).with_name("permissions.toml")


def of_method(method: str) -> list[str]:
    """The permissions that a method by Google's name needs, all of them; KeyError without one."""
    return methods()[method]


@cache
def of_rpc(rpc: str) -> str | None:
    """The permission that an RPC of Vertex AI needs; None where none can be told."""
    named: str | None = table()["vertex"].get(rpc)
    found = re.fullmatch(f"({VERBS})(.+)", rpc)
    if named or found is None:
        return named
    verb, noun = (part[0].lower() + part[1:] for part in found.groups())
    many = noun if noun.endswith("s") else re.sub("y$", "ie", noun) + "s"
    return f"aiplatform.{many}.{verb}"


def account_field(rpc: str) -> list[str]:
    """The path in an RPC's request to the account that a job runs as; empty for most."""
    path: str = table()["accounts"].get(rpc, "")
    return path.split(".") if path else []


@cache
def methods() -> dict[str, list[str]]:
    """Every hand-written method with its permissions."""
    found: dict[str, list[str]] = {}
    for section, rows in table().items():
        if section not in BY_RULE:
            found |= rows
    return found


@cache
def table() -> dict[str, Any]:
    """The file."""
    return tomllib.loads(TABLE.read_text(encoding="utf-8"))
