"""Uploads without a client: retries, tokens and proxies as Google's clients have them."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from google.api_core import exceptions
from google.auth.credentials import AnonymousCredentials, Credentials

from ops.cloud.session import Session
from ops.cloud.wire import Wire, error_message
from ops.settings import Settings


class Scripted(ThreadingHTTPServer):
    """Answers with one status after the other, and keeps what it was sent."""

    def __init__(self, statuses: list[int]) -> None:
        self.statuses = statuses
        self.seen: list[tuple[str, str, bytes]] = []
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """The next status, with Google's form of an error."""
        server: Any = self.server
        body = self.rfile.read(int(self.headers["content-length"]))
        server.seen.append((self.path, self.headers.get("authorization", ""), body))
        status = server.statuses.pop(0)
        answer = b'{"error": {"message": "the reason"}}'
        self.send_response(status)
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


class Tokens(Credentials):
    """Hands out token-1, token-2, … at every refresh."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.number = 0

    def refresh(self, request: Any) -> None:  # noqa: ARG002
        """The next token."""
        self.number += 1
        self.token = f"token-{self.number}"


@contextmanager
def answering(*statuses: int) -> Iterator[Scripted]:
    """A server that gives these answers."""
    server = Scripted(list(statuses))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def session(plain_settings: Settings) -> Session:
    """A session that only gives retries and time limits."""
    return Session(plain_settings, AnonymousCredentials())  # type: ignore[no-untyped-call]


@pytest.fixture
def plain_settings(tmp_path: Any) -> Settings:
    """Default settings."""
    from ops import settings

    return settings.read({}, {}, tmp_path)


def post(session: Session, wire: Wire, body: bytes = b"x") -> int:
    """The status of the answer that was taken."""
    return int(session.call(wire.send, "POST", "/upload", body, {"content-type": "a/b"}).status)


@pytest.mark.parametrize("passing", [408, 429, 500, 502, 503, 504])
def test_what_may_pass_is_tried_again(session: Session, passing: int) -> None:
    """The same body is sent until the server takes it."""
    with answering(passing, passing, 200) as server:
        status = post(session, Wire(server.url, AnonymousCredentials()), b"photo")  # type: ignore[no-untyped-call]

    assert status == 200
    assert [body for _, _, body in server.seen] == [b"photo"] * 3


@pytest.mark.parametrize("final", [400, 403, 404, 412])
def test_what_does_not_pass_is_answered_at_once(session: Session, final: int) -> None:
    """A refusal is given to the caller, with Google's words in it."""
    with answering(final) as server:
        wire = Wire(server.url, AnonymousCredentials())  # type: ignore[no-untyped-call]
        answer = session.call(wire.send, "POST", "/x", b"", {"content-length": "0"})

    assert (answer.status, error_message(answer)) == (final, "the reason")


def test_a_token_that_expired_is_renewed(session: Session) -> None:
    """On 401 the next token is fetched, and the photo goes again with it."""
    with answering(401, 200) as server:
        status = post(session, Wire(server.url, Tokens()))

    assert status == 200
    assert [token for _, token, _ in server.seen] == ["Bearer token-1", "Bearer token-2"]


def test_a_server_that_is_not_there_is_unavailable(session: Session) -> None:
    """After the retries the error names the server."""
    with answering() as server:
        url = server.url
    wire = Wire(url, AnonymousCredentials())  # type: ignore[no-untyped-call]

    with pytest.raises(exceptions.GoogleAPIError, match=r"127\.0\.0\.1"):
        post(session, wire)


def test_a_proxy_is_used_as_the_variables_say(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """HTTP_PROXY leads the uploads through the proxy, like the calls of Google's clients."""
    with answering(200) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.delenv("NO_PROXY", raising=False)
        status = post(session, Wire("http://storage.test", AnonymousCredentials()))  # type: ignore[no-untyped-call]

    assert status == 200
    assert proxy.seen[0][0] == "http://storage.test/upload"
