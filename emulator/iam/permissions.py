"""Which permission a method needs: `permissions.toml`, and a rule for Vertex AI's many."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

TABLE = Path(__file__).with_name("permissions.toml")


def of_method(method: str) -> list[str]:
    """The permissions that a method by Google's name needs, all of them; KeyError without one."""
    return methods()[method]


@cache
def methods() -> dict[str, list[str]]:
    """Every hand-written method with its permissions."""
    found: dict[str, list[str]] = {}
    for section, rows in table().items():
        if section not in ("storage", "vertex"):
            found |= rows
    return found


@cache
def table() -> dict[str, Any]:
    """The file."""
    return tomllib.loads(TABLE.read_text(encoding="utf-8"))
