"""Lists of what the local cloud never has: empty, so that a clean-up script gets through."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request

from emulator.aiplatform import names
from emulator.cloud import Cloud

Body = dict[str, Any]


def list_none(_: Cloud, request: Body) -> Body:
    """An empty page of a collection that nothing can be created in."""
    names.location(request["parent"])
    return {}


async def list_specialist_pools(_: Cloud, variables: dict[str, str], __: Request) -> Body:
    """ListSpecialistPools: an empty page."""
    names.location(variables["parent"])
    return {}
