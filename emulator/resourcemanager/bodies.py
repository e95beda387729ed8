"""What a request to a hand-written API carries: a JSON object, and only known fields."""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import Request

from emulator.errors import ApiError

Body = dict[str, Any]


async def body_of(request: Request) -> Body:
    """The body as a JSON object; empty is {}. INVALID_ARGUMENT when it is something else."""
    try:
        found = json.loads(await request.body() or b"{}")
    except ValueError as error:
        message = f"Invalid JSON payload received. {error}"
        raise ApiError("INVALID_ARGUMENT", message) from None
    if not isinstance(found, dict):
        raise ApiError("INVALID_ARGUMENT", "Invalid JSON payload received. Not an object.")
    return found


def only(body: Body, *fields: str) -> None:
    """INVALID_ARGUMENT, as Google words it, for a field that the request has not."""
    for name in body:
        if name not in fields:
            message = f'Invalid JSON payload received. Unknown name "{name}": Cannot find field.'
            raise ApiError("INVALID_ARGUMENT", message)
