"""Certificates that anybody may read: what checks signatures and id tokens of accounts here."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from emulator.cloud import Cloud
from emulator.iam import keys, service_accounts


def routes(cloud: Cloud) -> list[Route]:
    """Where key files say that certificates are: an account's, and those that sign id tokens."""

    async def of_account(request: Request) -> JSONResponse:
        account = service_accounts.find(cloud, request.path_params["account"])
        if account is None:
            return JSONResponse({}, 404)
        found = keys.listed(cloud, account, [])
        return JSONResponse({key.id: key.certificate for key in found})

    async def of_tokens(_: Request) -> JSONResponse:
        own = service_accounts.find(cloud, service_accounts.own_email(cloud))
        mine = keys.listed(cloud, own, []) if own is not None else []
        found = {key.id: key.certificate for key in mine} | keys.system_certificates(cloud)
        return JSONResponse(found)

    return [
        Route("/robot/v1/metadata/x509/{account}", of_account, methods=["GET"]),
        Route("/oauth2/v1/certs", of_tokens, methods=["GET"]),
    ]
