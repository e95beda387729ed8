"""A company's proxy with its own certificate authority; Google's names lead to the local cloud.

It asks for a name (here: of the command), takes CONNECT for Google's documented hosts only, ends
TLS as they would, and hands each request to the server. Everything else that it is asked for is
refused and put down in `strays`.
"""

import re
import ssl
import sys
import threading
from base64 import b64decode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import trustme

from tests.ops.cutting_proxy import HOP_BY_HOP, Server

TLS_PORT = 443
PASSWORD = "swordfish"
# Where the hosts are documented: the discovery documents' rootUrl, and for Vertex AI
# cloud.google.com/vertex-ai/docs/reference/rest#service-endpoint (a host for each region).
HOSTS = {
    "storage.googleapis.com": "Cloud Storage",
    "REGION-aiplatform.googleapis.com": "Vertex AI",
    "cloudresourcemanager.googleapis.com": "Resource Manager",
    "serviceusage.googleapis.com": "Service Usage",
    "logging.googleapis.com": "Cloud Logging",
    "oauth2.googleapis.com": "OAuth 2.0",
    "iamcredentials.googleapis.com": "IAM Credentials",
    "sts.googleapis.com": "Security Token Service",
    "cloudbilling.googleapis.com": "Cloud Billing",
    "cloudquotas.googleapis.com": "Cloud Quotas",
    "orgpolicy.googleapis.com": "Organization Policy",
    "artifactregistry.googleapis.com": "Artifact Registry",
    "cloudbuild.googleapis.com": "Cloud Build",
    "billingbudgets.googleapis.com": "Cloud Billing Budget",
    "iam.googleapis.com": "Identity and Access Management",
    "monitoring.googleapis.com": "Cloud Monitoring",
    "openidconnect.googleapis.com": "OpenID Connect",
}
# Doctor looks whether Terraform's registry answers; it is refused here, as with no network.
REGISTRY_LOOK = "CONNECT registry.terraform.io:443"
VERTEX = re.compile(r"[a-z]+-[a-z]+[0-9]+-aiplatform\.googleapis\.com")


@dataclass(frozen=True)
class Exchange:
    """One request as it left `ops`, and the status it was answered with."""

    command: str
    host: str
    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    status: int


@dataclass(frozen=True)
class Fault:
    """What the next requests of a form get in place of an answer: a status, or 0 for a reset."""

    pattern: str
    status: int
    times: int = 1

    def meets(self, line: str) -> bool:
        """Whether it is meant for this request (`METHOD host/path`)."""
        return re.search(self.pattern, line) is not None


@dataclass
class GoogleProxy:
    """What went through, by the name of the command; faults are used up."""

    server: str
    authority: trustme.CA = field(default_factory=trustme.CA)
    exchanges: list[Exchange] = field(default_factory=list)
    strays: list[str] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    port: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def variables(self, command: str, folder: Path) -> dict[str, str]:
        """What people behind such a proxy set; the authority's certificate goes to `folder`."""
        url = f"http://{quote(command)}:{PASSWORD}@127.0.0.1:{self.port}"
        bundle = folder / "company-ca.pem"
        self.authority.cert_pem.write_to_path(str(bundle))
        names = ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "CURL_CA_BUNDLE")
        proxied = {"HTTPS_PROXY": url, "HTTP_PROXY": url, "NO_PROXY": ""}
        return {**proxied, **dict.fromkeys(names, str(bundle))}

    def stray(self, what: str) -> None:
        """Put down a request that Google would not be meant by."""
        with self.lock:
            self.strays.append(what)

    def fault(self, line: str) -> Fault | None:
        """The fault that this request meets, once less from now on."""
        with self.lock:
            for place, fault in enumerate(self.faults):
                if fault.meets(line):
                    left = Fault(fault.pattern, fault.status, fault.times - 1)
                    self.faults[place : place + 1] = [left] if left.times else []
                    return fault
        return None

    def certificate(self, host: str) -> ssl.SSLContext:
        """TLS as the host itself, signed by the company's authority."""
        return self._certificate(host)

    def __post_init__(self) -> None:
        self._certificate: Callable[[str], ssl.SSLContext] = lru_cache(self._issue)

    def _issue(self, host: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.authority.issue_cert(host).configure_cert(context)
        return context


def documented(host: str) -> bool:
    """Whether Google documents this host for what `ops` uses."""
    return host in HOSTS or VERTEX.fullmatch(host) is not None


class _Spoken(BaseHTTPRequestHandler):
    """HTTP/1.1 for a proxy; one of its handlers is made for each connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    proxy: GoogleProxy
    host = ""

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


class _Outside(_Spoken):
    """What is said before TLS: CONNECT, and nothing else."""

    def do_CONNECT(self) -> None:
        name = self.name()
        if name is None:
            self.send_response(407)
            self.send_header("Proxy-Authenticate", 'Basic realm="company"')
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        host, _, port = self.path.rpartition(":")
        if not documented(host) or port != str(TLS_PORT):
            self.proxy.stray(f"CONNECT {self.path}")
            self.send_error(403, "Not one of Google's hosts")
            return
        self.send_response_only(200)
        self.end_headers()
        self.close_connection = True
        within = type("Within", (_Within,), {"proxy": self.proxy, "host": host, "by": name})
        try:
            context = self.proxy.certificate(host)
            tunnel = context.wrap_socket(self.connection, server_side=True)
            within(tunnel, self.client_address, self.server)
            tunnel.close()
        except OSError:
            return

    def name(self) -> str | None:
        """Who asks; None without the company's password (RFC 7617)."""
        _, _, sent = self.headers.get("Proxy-Authorization", "").partition(" ")
        name, _, password = b64decode(sent).decode().partition(":")
        return unquote(name) if password == PASSWORD else None

    def plain(self) -> None:
        self.proxy.stray(f"{self.command} {self.path}, in the clear")
        self.send_error(403, "Only https")

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = plain  # noqa: N815


class _Within(_Spoken):
    """What speaks for one of Google's hosts, inside the tunnel."""

    wbufsize = -1
    by = ""

    def setup(self) -> None:
        super().setup()
        address = urlsplit(self.proxy.server)
        assert address.hostname is not None
        self.upstream = HTTPConnection(address.hostname, address.port, timeout=60)

    def pass_on(self) -> None:
        body = _body(self)
        fault = self.proxy.fault(f"{self.command} {self.host}{self.path}")
        if fault is not None and fault.status == 0:
            self.close_connection = True
            return
        answer = _fault_answer(fault.status) if fault else self.forwarded(body)
        self.record(body, answer[0])
        self.reply(*answer)

    def forwarded(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        """The server's answer, in which its address reads as Google's."""
        kept = {k: v for k, v in self.headers.items() if k.lower() not in HOP_BY_HOP}
        own, google = self.proxy.server, f"https://{self.host}"
        sent = kept | {"Host": urlsplit(own).netloc, "Content-Length": str(len(body))}
        self.upstream.request(self.command, self.path, body, sent)
        answer = self.upstream.getresponse()
        text = answer.read()
        if "json" in (answer.getheader("Content-Type") or ""):
            text = text.replace(own.encode(), google.encode())
        named = [(name, value.replace(own, google)) for name, value in answer.getheaders()]
        return answer.status, named, text

    def record(self, body: bytes, status: int) -> None:
        """Put the request on record as it came."""
        headers = {name.lower(): value for name, value in self.headers.items()}
        exchange = (self.host, self.command, self.path, headers, body, status)
        with self.proxy.lock:
            self.proxy.exchanges.append(Exchange(self.by, *exchange))

    def reply(self, status: int, headers: list[tuple[str, str]], answer: bytes) -> None:
        """Hand the answer on."""
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in HOP_BY_HOP:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer)

    def finish(self) -> None:
        self.upstream.close()
        super().finish()

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = pass_on  # noqa: N815


def _body(request: BaseHTTPRequestHandler) -> bytes:
    if request.headers.get("Transfer-Encoding", "").lower() != "chunked":
        return request.rfile.read(int(request.headers.get("Content-Length") or 0))
    parts = []
    while size := int(request.rfile.readline().split(b";")[0], 16):
        parts.append(request.rfile.read(size))
        request.rfile.readline()
    request.rfile.readline()
    return b"".join(parts)


def _fault_answer(status: int) -> tuple[int, list[tuple[str, str]], bytes]:
    """An error as Google's front end answers it when no service was asked."""
    body = f'{{"error": {{"code": {status}, "message": "In a moment.", "status": "UNAVAILABLE"}}}}'
    return status, [("Content-Type", "application/json")], body.encode()


class _Quiet(Server):
    """A server whose clients may vanish, inside TLS too."""

    def handle_error(self, request: object, client_address: Any) -> None:
        """Say nothing of a client that went away; anything else is shown."""
        if not isinstance(sys.exception(), ConnectionError | ssl.SSLError | HTTPException):
            super().handle_error(request, client_address)


@contextmanager
def google_proxy(server: str) -> Iterator[GoogleProxy]:
    """A proxy that hands Google's host names to the server at this address."""
    proxy = GoogleProxy(server)
    outside = type("Outside", (_Outside,), {"proxy": proxy})
    listener = _Quiet(("127.0.0.1", 0), outside)
    proxy.port = int(listener.server_address[1])
    threading.Thread(target=listener.serve_forever, daemon=True).start()
    try:
        yield proxy
    finally:
        listener.shutdown()
        listener.server_close()
