"""What every request passes first: Host and Origin, faults, and who is asking."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import urlsplit

from emulator.cloud import ServerSettings
from emulator.errors import ApiError, error_body
from emulator.faults import Fault, Faults, fill_disk
from emulator.tokens import Tokens
from emulator.web import App, Receive, Scope, Send, answer_json, header

LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]"})
# cloud.google.com/apis/docs/system-parameters: X-Goog-User-Project
NO_PAYER = (
    "Caller does not have required permission to use project {payer}. Grant the caller the "
    "roles/serviceusage.serviceUsageConsumer role, or a custom role with the "
    "serviceusage.services.use permission, by visiting https://console.developers.google.com/"
    "iam-admin/iam/project?project={payer} and then retry."
)
# These are asked before there is a token, or by people who have none.
OPEN_PATHS = ("/token", "/_emulator/")


class Door:
    """An ASGI app that lets requests through to another, with `scope["caller"]` set."""

    def __init__(self, app: App, settings: ServerSettings, tokens: Tokens, faults: Faults) -> None:
        self._app = app
        self._tokens = tokens
        self._faults = faults
        self._projects = settings.projects
        self._hosts = LOOPBACK | {urlsplit(settings.base_url).netloc.rsplit(":", 1)[0]}
        self._origins = {f"http://{host}:{settings.port}" for host in self._hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            self._check_sender(scope)
            fault = self._faults.take(scope["method"], scope["path"])
            if fault is not None and await _happens(fault, receive, send):
                return
            if not scope["path"].startswith(OPEN_PATHS):
                scope["caller"] = self._tokens.caller(header(scope, b"authorization"))
                self._check_payer(scope)
        except ApiError as error:
            await answer_json(send, error.http_code, _refusal(error))
            return
        await self._app(scope, receive, send)

    def _check_sender(self, scope: Scope) -> None:
        host = header(scope, b"host") or ""
        name = host if host.endswith("]") else host.rsplit(":", 1)[0]
        if name.lower() not in self._hosts:
            raise ApiError(
                "PERMISSION_DENIED",
                f"Only requests to {sorted(self._hosts)} are answered. Received: Host {host!r}.",
            )
        origin = header(scope, b"origin")
        if origin is not None and origin not in self._origins:
            raise ApiError(
                "PERMISSION_DENIED",
                f"Web pages of other origins are not answered. Received: Origin {origin!r}.",
            )

    def _check_payer(self, scope: Scope) -> None:
        """The project that the calls are billed to must be one of those that exist."""
        payer = header(scope, b"x-goog-user-project")
        if payer and self._projects and payer not in self._projects:
            raise ApiError("PERMISSION_DENIED", NO_PAYER.format(payer=payer), [_payer(payer)])


def _payer(project: str) -> dict[str, Any]:
    return {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": "USER_PROJECT_DENIED",
        "domain": "googleapis.com",
        "metadata": {"consumer": f"projects/{project}"},
    }


async def _happens(fault: Fault, receive: Receive, send: Send) -> bool:
    """Whether the fault took the place of an answer."""
    if fault.delay_seconds:
        await asyncio.sleep(fault.delay_seconds)
    if fault.disk_full:
        fill_disk()
    if fault.reset:
        _transport(receive).abort()
        return True
    if fault.status:
        await answer_json(send, fault.status, _scripted(fault.status))
        return True
    return False


def _transport(receive: Receive) -> Any:
    """The connection of a request: uvicorn hands out a bound method of the cycle that owns it."""
    return receive.__self__.transport  # type: ignore[attr-defined]


def _scripted(status: int) -> dict[str, Any]:
    message = f"A scripted fault answers {status}."
    reason = {"message": message, "domain": "global", "reason": "backendError"}
    return {"error": {"code": status, "message": message, "errors": [reason]}}


def _refusal(error: ApiError) -> dict[str, Any]:
    """Both of Google's error forms in one body: nobody knows yet which API is asked."""
    body = error_body(error)
    reason = {"UNAUTHENTICATED": "authError"}.get(error.status, "forbidden")
    body["error"]["errors"] = [{"message": error.message, "domain": "global", "reason": reason}]
    return body
