"""What every request passes first: Host and Origin, faults, and who is asking."""

from __future__ import annotations

import ipaddress
from typing import Any, Protocol
from urllib.parse import unquote_to_bytes, urlsplit

from emulator import method_override, presented
from emulator.cloud import ServerSettings
from emulator.errors import ApiError, error_body
from emulator.faults import Faults, Meeting, from_header
from emulator.forced_failures import HEADERS as FORCED_HEADERS
from emulator.forced_failures import forced
from emulator.interference import interfere
from emulator.retry_tests import RetryTests
from emulator.tokens import ANONYMOUS, Caller, Tokens
from emulator.web import App, ClientGoneError, Message, Receive, Scope, Send, answer_json, header

# Hosts that were let in, so that each is looked at once.
REMEMBERED = 64
LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]"})
# cloud.google.com/apis/docs/system-parameters: X-Goog-User-Project
NO_PAYER = (
    "Caller does not have required permission to use project {payer}. Grant the caller the "
    "roles/serviceusage.serviceUsageConsumer role, or a custom role with the "
    "serviceusage.services.use permission, by visiting https://console.developers.google.com/"
    "iam-admin/iam/project?project={payer} and then retry."
)
# These are asked before there is a token, or by people who have none.
OPEN_PATHS = frozenset({"/token", "/_emulator/health", "/oauth2/v1/certs"})
OPEN_FOLDERS = ("/robot/v1/metadata/",)
# Tests ask these of a server of their own; with --require-auth they are for its accounts alone.
TEST_PATHS = frozenset({"/retry_test", "/retry_tests"})
TEST_FOLDERS = ("/_emulator/", "/retry_test/")
ASKED_BY_ALL = ("/token", "/oauth2/v1/certs", "/retry_test", *OPEN_FOLDERS, *TEST_FOLDERS)
OF_BROWSERS = frozenset({b"origin", b"sec-fetch-site"})
TEST_HEADERS = frozenset({b"x-emulator-fault", b"x-retry-test-id", *FORCED_HEADERS})
# Of every answer. What browsers show of it has an origin of its own, which is not let in: a stored
# page may run its scripts, and they can do no more here than those of any other site.
SAFE_HEADERS = [
    (b"content-security-policy", b"sandbox allow-scripts; frame-ancestors 'none'"),
    (b"x-content-type-options", b"nosniff"),
]


class Entrance(Protocol):
    """What Cloud Storage knows of a request at the door (storage/entrance.py)."""

    def proves(self, scope: Scope) -> bool:
        """Whether it proves itself by what is checked behind the door: signed requests do."""
        ...

    def is_xml(self, scope: Scope) -> bool:
        """Whether it is one of the XML API."""
        ...

    def may_be_public(self, scope: Scope) -> bool:
        """Whether it reads what everybody might be allowed to read."""
        ...

    async def refuse(self, scope: Scope, send: Send, error: ApiError) -> None:
        """Answers it with a refusal, in XML."""
        ...


class Door:
    """An ASGI app that lets requests through to another, with `scope["caller"]` set."""

    def __init__(
        self,
        app: App,
        settings: ServerSettings,
        tokens: Tokens,
        faults: Faults,
        retry_tests: RetryTests,
        storage: Entrance,
    ) -> None:
        self._app = app
        self._tokens = tokens
        self._faults = faults
        self._retry_tests = retry_tests
        self._storage = storage
        self._projects = settings.projects
        self._require_auth = settings.require_auth
        self._any_address = not settings.is_loopback
        self._hosts = LOOPBACK | {
            urlsplit(settings.base_url).netloc.rsplit(":", 1)[0],
            *settings.allowed_hosts,
        }
        self._known_hosts: set[str] = set()
        self._origins = {f"http://{host}:{settings.port}" for host in self._hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        send = _safe(send)
        try:
            self._check_host(scope)
            query = _readable_query(scope)
            names = {name for name, _ in scope["headers"]}
            proved = self._storage.proves(scope)
            if not proved and not names.isdisjoint(OF_BROWSERS):
                self._check_origin(scope)  # a page that has a signature may use it
            if method_override.HEADER in names and self._is_overridden(scope):
                await method_override.override(scope, receive)
                query = _readable_query(scope)
            of_test = not names.isdisjoint(TEST_HEADERS)
            if self._needs_caller(scope, proved, of_test):
                scope["caller"] = self._caller(scope, query, of_test)
                self._check_payer(scope)
            meeting = self._met(scope, of_test)
        except ApiError as error:
            await self._refuse(scope, send, error)
            return
        except ClientGoneError:
            return
        if meeting is None:
            await self._app(scope, receive, send)
        else:
            await interfere(self._app, meeting, scope, receive, send)

    def _is_overridden(self, scope: Scope) -> bool:
        return scope["method"] == "POST" and not self._storage.is_xml(scope)

    async def _refuse(self, scope: Scope, send: Send, error: ApiError) -> None:
        if self._storage.is_xml(scope):
            await self._storage.refuse(scope, send, error)
        else:
            await answer_json(send, error.http_code, _refusal(error))

    def _caller(self, scope: Scope, query: bytes, of_test: bool) -> Caller:
        said = presented.authorization(scope, query)
        is_silent = said is None and self._require_auth and not of_test
        if is_silent and self._storage.may_be_public(scope):
            return ANONYMOUS
        return self._tokens.caller(said)

    def _needs_caller(self, scope: Scope, proved: bool, of_test: bool) -> bool:
        """Whether a request has to say by its token who sends it.

        With --require-auth also one that asks for a fault, wherever it goes.
        """
        if self._require_auth and of_test:
            return True
        path = scope["path"]
        if proved or not path.startswith(ASKED_BY_ALL):
            return not proved
        is_open = path in OPEN_PATHS or path.startswith(OPEN_FOLDERS)
        is_for_tests = path in TEST_PATHS or path.startswith(TEST_FOLDERS)
        return not (is_open or (is_for_tests and not self._require_auth))

    def _met(self, scope: Scope, of_test: bool) -> Meeting | None:
        """The fault that a request meets: its own, that of its retry test, or a scripted one."""
        method, path = scope["method"], scope["path"]
        if not of_test:
            return self._faults.take(method, path)
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
        if host not in self._known_hosts:
            self._check_name(host, hosts)
        if not scope["path"].startswith("/"):
            raise ApiError("INVALID_ARGUMENT", f"A path starts with /, not {scope['path']!r}.")

    def _check_name(self, host: str, hosts: list[str]) -> None:
        before, _, after = host.rpartition(":")
        name = before if before and after.isascii() and after.isdigit() else host
        if name.lower() not in self._hosts and not (self._any_address and _is_address(name)):
            raise ApiError(
                "PERMISSION_DENIED",
                f"Only requests to {sorted(self._hosts)} are answered (--allow-host adds a name). "
                f"Received: Host {', '.join(hosts)!r}.",
            )
        if len(self._known_hosts) < REMEMBERED:
            self._known_hosts.add(host)

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


def _safe(send: Send) -> Send:
    """Sends answers that no browser takes for pages of the server's own."""

    def send_safely(message: Message) -> Any:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", ()), *SAFE_HEADERS]
        return send(message)

    return send_safely


def _readable_query(scope: Scope) -> bytes:
    """The query unquoted. INVALID_ARGUMENT where it is no UTF-8: two names could not be told."""
    raw: bytes = scope["query_string"]
    query = unquote_to_bytes(raw) if b"%" in raw else raw
    try:
        query.decode()
    except UnicodeDecodeError:
        message = f"The query of the request is not valid UTF-8: {raw.decode('latin-1')!r}."
        raise ApiError("INVALID_ARGUMENT", message) from None
    return query


def _is_address(name: str) -> bool:
    """Whether a host is an IP address, which no name server can turn into another."""
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True


def _is_navigation(scope: Scope) -> bool:
    """Whether a browser goes to an address in a window, so that no other page has the answer.

    In a frame, which other pages hold, nothing is shown.
    """
    return (
        scope["method"] == "GET"
        and header(scope, b"sec-fetch-mode") == "navigate"
        and header(scope, b"sec-fetch-dest") == "document"
    )


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
