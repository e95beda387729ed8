"""A proxy in front of the local cloud that kills the client at one exact request.

`ops` finds its server through `server.json`; the proxy writes one of its own that leads to itself.
"""

import http.client
import json
import os
import re
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

from tests.ops.steps import Step, steps

HOP_BY_HOP = frozenset({"connection", "transfer-encoding", "keep-alive", "content-length"})
OBJECT_NAME = re.compile(rb'"name": ?"([^"]+)"')
ASKED_BY_POST = (":predict", "/entries:list")
READS = frozenset({"GET", "HEAD"})


@dataclass
class CuttingProxy:
    """Counts the requests that change something; kills `victim` around number `at`.

    `wanted` names that request by what it asks for instead, whatever number it then has.
    `arrives` says whether that request still reaches the server (its answer never comes back).
    """

    server: str
    seen: list[str] = field(default_factory=list)
    at: int = 0
    wanted: Step | None = None
    busy: int = 0
    arrives: bool = True
    victim: int = 0
    port: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def forget(self) -> None:
        """Count from the start, and kill nobody."""
        self.seen.clear()
        self.at = self.victim = 0
        self.wanted = None

    def lead(self, data: Path, own: Path) -> None:
        """Stand in front of the server of `data`, for those whose data folder is `own`."""
        found = json.loads((data / "server.json").read_text())
        self.server = found["url"]
        url = f"http://127.0.0.1:{self.port}"
        (own / "server.json").write_text(json.dumps({**found, "port": self.port, "url": url}))

    @property
    def killed_at(self) -> Step:
        """The step at which the victim died, from what was really asked."""
        return steps(self.seen[: self.at])[-1]

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Count a request as under way for the block."""
        with self.lock:
            self.busy += 1
        try:
            yield
        finally:
            with self.lock:
                self.busy -= 1

    def number_of(self, method: str, path: str, body: bytes = b"") -> int:
        """This request's number among those that change something; 0 for a read.

        An upload is seen with the object's name, which is in its body.
        """
        if method in READS or path.partition("?")[0].endswith(ASKED_BY_POST):
            return 0
        named = OBJECT_NAME.search(body[:2000]) if "/upload/" in path else None
        object_name = f" {named[1].decode()}" if named else ""
        with self.lock:
            self.seen.append(f"{method} {unquote(urlsplit(path).path)}{object_name}")
            if self.wanted and steps(self.seen)[-1] == self.wanted:
                self.at = len(self.seen)
            return len(self.seen)

    def cuts(self, number: int, arrived: bool) -> bool:
        """Whether the client was killed now."""
        if number == 0 or number != self.at or arrived != self.arrives:
            return False
        os.kill(self.victim, signal.SIGKILL)
        return True

    def forwarded(
        self, method: str, path: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, list[tuple[str, str]], bytes]:
        """The server's status, headers and body."""
        target = urlsplit(self.server)
        assert target.hostname is not None
        connection = http.client.HTTPConnection(target.hostname, target.port, timeout=60)
        connection.request(method, path, body, headers | {"Host": target.netloc})
        answer = connection.getresponse()
        read = answer.read()
        connection.close()
        return answer.status, answer.getheaders(), read


def handler(proxy: CuttingProxy) -> type[BaseHTTPRequestHandler]:
    """What speaks HTTP for the proxy."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def pass_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            with proxy.at_work():
                self.pass_on_or_cut(body)

        def pass_on_or_cut(self, body: bytes) -> None:
            number = proxy.number_of(self.command, self.path, body)
            if proxy.cuts(number, arrived=False):
                self.close_connection = True
                return
            status, headers, answer = proxy.forwarded(
                self.command, self.path, dict(self.headers.items()), body
            )
            if proxy.cuts(number, arrived=True):
                self.close_connection = True
                return
            self.reply(status, headers, answer)

        def reply(self, status: int, headers: list[tuple[str, str]], answer: bytes) -> None:
            self.send_response_only(status)
            for name, value in headers:
                if name.lower() not in HOP_BY_HOP:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = pass_on  # noqa: N815

    return Handler


class Server(ThreadingHTTPServer):
    """A server whose clients may vanish."""

    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of a client that was killed; anything else is shown."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


@contextmanager
def cutting_proxy(data: Path, own: Path) -> Iterator[CuttingProxy]:
    """A proxy to the server of `data`; `own` becomes the data folder that leads to the proxy."""
    proxy = CuttingProxy("")
    server = Server(("127.0.0.1", 0), handler(proxy))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    proxy.port = server.server_address[1]
    own.mkdir(parents=True)
    proxy.lead(data, own)
    try:
        yield proxy
    finally:
        server.shutdown()
        server.server_close()
