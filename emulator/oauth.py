"""`POST /token`: the token endpoint that the local key file names."""

from __future__ import annotations

from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from emulator.tokens import RefusedError, Tokens

LIMIT_BYTES = 1 << 16


def routes(tokens: Tokens) -> list[Route]:
    """The one OAuth route."""

    async def token(request: Request) -> JSONResponse:
        body = (await request.body())[:LIMIT_BYTES].decode("latin-1")
        try:
            return JSONResponse(tokens.exchange(dict(parse_qsl(body))))
        except RefusedError as refusal:
            return JSONResponse(
                {"error": refusal.error, "error_description": refusal.description}, 400
            )

    return [Route("/token", token, methods=["POST"])]
