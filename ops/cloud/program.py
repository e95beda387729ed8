"""How every call names this program to Google."""

from __future__ import annotations

from functools import cache
from typing import Any


@cache
def user_agent() -> str:
    """`ops/VERSION`: how every call names the program (RFC 9110, 10.1.5)."""
    from importlib.metadata import version

    return f"ops/{version('ops')}"


def name_the_program(transport: Any) -> None:
    """Set the user agent of a generated client, which has no option for it, and of its polling."""
    transport._session.headers["user-agent"] = user_agent()
    polling = getattr(transport, "operations_client", None)
    if polling is not None:
        polling.transport._session.headers["user-agent"] = user_agent()
