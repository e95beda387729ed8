"""Vertex AI's message types, read once for everybody who needs them."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from emulator.rpc import Types

TABLES = Path(__file__).parent / "tables"
PREFIX = "google.cloud.aiplatform.v1."


@cache
def vertex_types() -> Types:
    """The types of the tables beside this file."""
    return Types(TABLES / "types.binpb")


def canonical(message: str, value: dict[str, Any]) -> dict[str, Any]:
    """A JSON object as the named message prints it: camelCase, enums by name, no empty fields.

    It may come in camelCase or snake_case. INVALID_ARGUMENT for a field the message has not.
    """
    return vertex_types().canonical(PREFIX + message, value)
