"""What every request passes first: Host and Origin, faults, and who is asking."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

from emulator.cloud import ServerSettings
from emulator.errors import ApiError, error_body
from emulator.faults import Faults, Meeting, from_header
from emulator.forced_failures import HEADERS as FORCED_HEADERS
from emulator.forced_failures import forced
from emulator.interference import interfere
from emulator.retry_tests import RetryTests
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
OPEN_PATHS = ("/token", "/_emulator/health", "/robot/v1/metadata/", "/oauth2/v1/certs")
# Tests ask these of a server of their own; with --require-auth they are for its accounts alone.
TEST_PATHS = ("/_emulator/", "/retry_test")
TEST_HEADERS = frozenset({b"x-emulator-fault", b"x-retry-test-id", *FORCED_HEADERS})


class Door:
    """An ASGI app that lets requests through to another, with `scope["caller"]` set."""

    def __init__(
        self,
        app: App,
        settings: ServerSettings,
        tokens: Tokens,
        faults: Faults,
        retry_tests: RetryTests,
        authenticates: Callable[[Scope], bool] = lambda _: False,
    ) -> None:
        """`authenticates` tells the requests that `app` itself knows the caller of: signed ones."""
        self._app = app
        self._tokens = tokens
        self._faults = faults
        self._retry_tests = retry_tests
        self._authenticates = authenticates
        self._projects = settings.projects
        self._require_auth = settings.require_auth
        self._any_address = not settings.is_loopback
        self._hosts = LOOPBACK | {
            urlsplit(settings.base_url).netloc.rsplit(":", 1)[0],
            *settings.allowed_hosts,
        }
        self._origins = {f"http://{host}:{settings.port}" for host in self._hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            self._check_host(scope)
            _check_query(scope)
            proved = self._authenticates(scope)
            if not proved:  # a page that has a signature may use it
                self._check_origin(scope)
            if self._needs_caller(scope, proved):
                scope["caller"] = self._tokens.caller(header(scope, b"authorization"))
                self._check_payer(scope)
            meeting = self._met(scope)
        except ApiError as error:
            await answer_json(send, error.http_code, _refusal(error))
            return
        if meeting is None:
            await self._app(scope, receive, send)
        else:
            await interfere(self._app, meeting, scope, receive, send)

    def _needs_caller(self, scope: Scope, proved: bool) -> bool:
        """Whether a request has to say by its token who sends it.

        With --require-auth also one that asks for a fault, wherever it goes.
        """
        if self._require_auth and any(key in TEST_HEADERS for key, _ in scope["headers"]):
            return True
        is_open = OPEN_PATHS if self._require_auth else OPEN_PATHS + TEST_PATHS
        return not proved and not scope["path"].startswith(is_open)

    def _met(self, scope: Scope) -> Meeting | None:
        """The fault that a request meets: its own, that of its retry test, or a scripted one."""
        method, path = scope["method"], scope["path"]
        if asked := header(scope, b"x-emulator-fault"):
            fault = from_header(asked)
            return Meeting(fault, lambda: None) if fault.meets(method, path) else None
        if test := header(scope, b"x-retry-test-id"):
            raw_path = scope["raw_path"].partition(b"?")[0].decode("latin-1")
            if meeting := self._retry_tests.take(test, method, raw_path):
                return meeting
        if forced_one := forced(scope):
            return Meeting(forced_one, lambda: None)
        return self._faults.take(method, path)

    def _check_host(self, scope: Scope) -> None:
        """Raises PERMISSION_DENIED for a name that is not the server's: DNS may lead it here."""
        hosts = [value.decode("latin-1") for key, value in scope["headers"] if key == b"host"]
        host = hosts[0] if len(hosts) == 1 else ""
        name = host if host.endswith("]") else host.rsplit(":", 1)[0]
        if name.lower() not in self._hosts and not (self._any_address and _is_address(name)):
            raise ApiError(
                "PERMISSION_DENIED",
                f"Only requests to {sorted(self._hosts)} are answered (--allow-host adds a name). "
                f"Received: Host {', '.join(hosts)!r}.",
            )
        if not scope["path"].startswith("/"):
            raise ApiError("INVALID_ARGUMENT", f"A path starts with /, not {scope['path']!r}.")

    def _check_origin(self, scope: Scope) -> None:
        origin = header(scope, b"origin")
        if origin is not None and origin not in self._origins:
            raise ApiError(
                "PERMISSION_DENIED",
                f"Web pages of other origins are not answered. Received: Origin {origin!r}.",
            )
        site = header(scope, b"sec-fetch-site")
        if site in ("cross-site", "same-site") and not _is_navigation(scope):
            raise ApiError(
                "PERMISSION_DENIED",
                f"Web pages of other origins are not answered. Received: Sec-Fetch-Site {site!r}.",
            )

    def _check_payer(self, scope: Scope) -> None:
        """The project that the calls are billed to must be one of those that exist."""
        payer = header(scope, b"x-goog-user-project")
        if payer and self._projects and payer not in self._projects:
            raise ApiError("PERMISSION_DENIED", NO_PAYER.format(payer=payer), [_payer(payer)])


def _check_query(scope: Scope) -> None:
    """Raises INVALID_ARGUMENT where a query is not UTF-8: two names could not be told apart."""
    raw = scope["query_string"]
    try:
        (unquote_to_bytes(raw) if b"%" in raw else raw).decode()
    except UnicodeDecodeError:
        message = f"The query of the request is not valid UTF-8: {raw.decode('latin-1')!r}."
        raise ApiError("INVALID_ARGUMENT", message) from None


def _is_address(name: str) -> bool:
    """Whether a host is an IP address, which no name server can turn into another."""
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True


def _is_navigation(scope: Scope) -> bool:
    """Whether a browser only goes to an address, so that no page of others sees the answer."""
    return scope["method"] == "GET" and header(scope, b"sec-fetch-mode") == "navigate"


def _payer(project: str) -> dict[str, Any]:
    return {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": "USER_PROJECT_DENIED",
        "domain": "googleapis.com",
        "metadata": {"consumer": f"projects/{project}"},
    }


def _refusal(error: ApiError) -> dict[str, Any]:
    """Both of Google's error forms in one body: nobody knows yet which API is asked."""
    body = error_body(error)
    reasons = {"UNAUTHENTICATED": "authError", "INVALID_ARGUMENT": "invalid"}
    reason = reasons.get(error.status, "forbidden")
    body["error"]["errors"] = [{"message": error.message, "domain": "global", "reason": reason}]
    return body
