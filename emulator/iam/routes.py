"""IAM Credentials: where a service account may be used from, which Google's libraries ask."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

# "No bounds", as google.auth._regional_access_boundary_utils reads it.
ANYWHERE = {"locations": [], "encodedLocations": "0x0"}


def routes() -> list[Route]:
    """`GET projects/-/serviceAccounts/ADDRESS/allowedLocations`."""

    async def allowed_locations(_: Request) -> JSONResponse:
        return JSONResponse(ANYWHERE)

    path = "/v1/projects/{project}/serviceAccounts/{address}/allowedLocations"
    return [Route(path, allowed_locations, methods=["GET"])]
