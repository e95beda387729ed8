"""The server's side of the wire to its prediction servers: one pooled client, bytes as they are."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx

# "Shared public endpoints: timeout 60 s" (Choose an endpoint type, read 2026-08-22).
TIMEOUT_SECONDS = 60.0
HEALTH_TIMEOUT_SECONDS = 2.0


@cache
def client() -> httpx.AsyncClient:
    """The one client of this process; no proxy stands between it and its own machine."""
    import httpx

    logging.getLogger("httpx").setLevel(logging.WARNING)  # else a line for every health look
    limits = httpx.Limits(max_connections=64, max_keepalive_connections=16)
    return httpx.AsyncClient(limits=limits, timeout=TIMEOUT_SECONDS, trust_env=False)


async def get_health(port: int, route: str) -> bool:
    """Whether the server on this port answers 200."""
    import httpx

    try:
        url = f"http://127.0.0.1:{port}{route}"
        answer = await client().get(url, timeout=HEALTH_TIMEOUT_SECONDS)
    except httpx.HTTPError:
        return False
    return answer.status_code == 200


@dataclass(frozen=True)
class Answered:
    """A prediction server's answer; `retry_seconds` says when to ask again, if it says so."""

    status: int
    content: bytes
    retry_seconds: int | None = None


async def post(port: int, route: str, body: bytes) -> Answered:
    """The answer to a prediction request. httpx.HTTPError when there is none."""
    headers = {"content-type": "application/json"}
    url = f"http://127.0.0.1:{port}{route}"
    answer = await client().post(url, content=body, headers=headers)
    later = answer.headers.get("retry-after", "")
    return Answered(answer.status_code, answer.content, int(later) if later.isdigit() else None)
