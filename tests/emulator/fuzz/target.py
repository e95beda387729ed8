"""A server under fuzz: every request is sent, judged and counted; what is wrong is kept."""

from __future__ import annotations

import itertools
import json
import re
import socket
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote, urlsplit
from uuid import uuid4

import httpx

DEADLINE_SECONDS = 15.0
# 501 names a method that is not there; 507 is a full disk, 503 a prediction server that starts.
ANSWERS_ABOVE_500 = (501,)
MAX_FINDINGS = 50


@dataclass(frozen=True)
class Asked:
    """One request: path and query are text as a client would write it, before escaping."""

    method: str
    path: str
    query: dict[str, str] = field(default_factory=dict)
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)

    def content(self) -> bytes:
        """The body as bytes; what is not bytes is JSON."""
        if self.body is None:
            return b""
        if isinstance(self.body, bytes):
            return self.body
        return json.dumps(self.body).encode("utf-8", "surrogatepass")

    def url(self) -> str:
        """Path and query, escaped where they must be."""
        pairs = "&".join(f"{_escaped(key)}={_escaped(text)}" for key, text in self.query.items())
        path = quote(self.path.encode("utf-8", "surrogatepass"), safe="/:%*@!$&'()+,;=~")
        return f"{path}?{pairs}" if pairs else path

    def __str__(self) -> str:
        return f"{self.method} {self.url()[:300]} {self.headers} {self.content()[:300]!r}"


def _escaped(text: str) -> str:
    return quote(text.encode("utf-8", "surrogatepass"), safe="")


class Target:
    """Sends requests of four kinds (valid, mutated, generated, raw) and counts the answers."""

    def __init__(self, url: str, route_of: Callable[[Asked], str]) -> None:
        self.url = url
        self._route_of = route_of
        self.reached: dict[str, set[str]] = {"asked": set(), "accepted": set()}
        self.http = httpx.Client(base_url=url, timeout=DEADLINE_SECONDS)
        self.counts: Counter[tuple[str, str]] = Counter()
        self.findings: list[str] = []
        self.scenario: list[Asked] = []
        self.slowest_seconds = 0.0
        self._numbers = itertools.count(1)
        self._run = uuid4().hex[:6]
        self._alike: set[str] = set()

    def name(self, prefix: str) -> str:
        """A name that nobody has used."""
        return f"{prefix}-{self._run}-{next(self._numbers)}"

    def good(self, method: str, path: str, body: Any = None, **more: Any) -> httpx.Response:
        """The answer to a request that is valid by construction; anything but 2xx is a finding."""
        asked = Asked(method, path, body=body, **more)
        self.scenario.append(asked)
        answer = self._send("valid", asked)
        if answer is None:
            return httpx.Response(599, json={})
        if not 200 <= answer.status_code < 300 and answer.status_code != 308:
            self._found(f"valid request refused: {asked} -> {_told(answer)}")
        return answer

    def any(self, kind: str, asked: Asked) -> None:
        """Sends a request that may be refused, but answered it must be."""
        self._send(kind, asked)

    def _send(self, kind: str, asked: Asked) -> httpx.Response | None:
        headers = {"content-type": "application/json"} if _is_json(asked.body) else {}
        started = time.monotonic()
        try:
            answer = self.http.request(
                asked.method,
                asked.url(),
                content=asked.content(),
                headers=[
                    (key.encode(), text.encode("utf-8", "surrogatepass"))
                    for key, text in {**headers, **asked.headers}.items()
                ],
            )
        except httpx.TimeoutException:
            self._found(f"no answer within {DEADLINE_SECONDS} s: {asked}")
            return None
        except (httpx.InvalidURL, httpx.LocalProtocolError, ValueError):
            self.counts[kind, "not sent"] += 1
            return None
        except httpx.TransportError as error:
            self._found(f"connection lost ({error!r}): {asked}")
            return None
        self.slowest_seconds = max(self.slowest_seconds, time.monotonic() - started)
        self._count(kind, answer.status_code)
        if route := self._route_of(asked):
            self.reached["asked"].add(route)
            if answer.status_code < 400:
                self.reached["accepted"].add(route)
        if answer.status_code >= 500 and answer.status_code not in ANSWERS_ABOVE_500:
            self._found(f"{answer.status_code}: {asked} -> {_told(answer)}")
        return answer

    def raw(self, data: bytes) -> None:
        """Sends bytes that may be no HTTP at all; an answer or the connection's end must come."""
        address = urlsplit(self.url)
        with socket.create_connection((address.hostname, address.port), timeout=5) as connection:
            connection.settimeout(DEADLINE_SECONDS)
            try:
                connection.sendall(data)
                connection.shutdown(socket.SHUT_WR)
                answer = connection.recv(4096)
            except TimeoutError:
                self._found(f"no answer within {DEADLINE_SECONDS} s: {data[:300]!r}")
                return
            except OSError:
                answer = b""
        status = int(answer[9:12]) if answer[9:12].isdigit() else 0
        self._count("raw", status or 400)
        if status >= 500 and status not in ANSWERS_ABOVE_500:
            self._found(f"{status}: raw {data[:300]!r}")

    def _count(self, kind: str, status: int) -> None:
        word = "accepted" if status < 400 else "not there (501)" if status == 501 else "refused"
        self.counts[kind, word] += 1

    def _found(self, text: str) -> None:
        """Keeps what is wrong; of the same request to other names one is enough."""
        alike = re.sub(r"\d+|b'.*'", "", text)[:400]
        if alike not in self._alike and len(self.findings) < MAX_FINDINGS:
            self._alike.add(alike)
            self.findings.append(text)

    def table(self) -> str:
        """What was sent and how it was answered, a line a kind."""
        kinds = sorted({kind for kind, _ in self.counts})
        lines = [
            f"{kind}: " + ", ".join(
                f"{count} {word}" for (of, word), count in sorted(self.counts.items()) if of == kind
            )
            for kind in kinds
        ]  # fmt: skip
        total = sum(self.counts.values())
        lines.append(f"{total} requests, slowest answer {self.slowest_seconds:.2f} s")
        lines.append(f"{len(self.findings)} findings")
        return "\n".join(lines)


def changed(asked: Asked, **fields: Any) -> Asked:
    """The request with other fields."""
    return replace(asked, **fields)


def _is_json(body: Any) -> bool:
    return body is not None and not isinstance(body, bytes)


def _told(answer: httpx.Response) -> str:
    return f"{answer.status_code} {answer.text[:400]}"
