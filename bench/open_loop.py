"""Requests at a fixed rate, whatever becomes of them: what a server meets that is too slow.

Every request has a key of its own, and what its photo's answer has to be is known beforehand, byte
by byte, so that an answer to another request is seen.
"""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

KEY = b"KEY"
NO_ANSWER = 0


def body_of(photo: bytes, key: bytes = KEY) -> bytes:
    """A request of one photo in the form for custom models."""
    encoded = base64.b64encode(photo)
    return b'{"instances": [{"key": "' + key + b'", "b64": "' + encoded + b'"}]}'


@dataclass(frozen=True)
class Answered:
    """What became of one request; `right` says that an answer of 200 is that request's own."""

    status: int
    seconds: float
    right: bool = True
    retry_after: str = ""


@dataclass
class OpenLoop:
    """`rate` requests a second for `seconds`, of these photos in turn, to one server."""

    port: int
    route: str
    photos: Sequence[bytes]
    rate: float
    seconds: float
    at_quarters: Callable[[], object] = lambda: None
    answers: list[Answered] = field(default_factory=list)
    _idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = field(default_factory=list)
    _known: list[bytes] = field(default_factory=list)

    def run(self) -> list[Answered]:
        """What became of each request."""
        asyncio.run(self._run())
        return self.answers

    async def _run(self) -> None:
        for photo in self.photos:
            status, _, content = await self._sent(body_of(photo))
            assert status == 200, content[:300]
            self._known.append(content)
        assert len(set(self._known)) == len(self.photos), "two photos have the same answer"
        count, started = int(self.rate * self.seconds), time.monotonic()
        tasks = []
        for number in range(count):
            await asyncio.sleep(max(0.0, started + number / self.rate - time.monotonic()))
            tasks.append(asyncio.create_task(self._ask(number)))
            if (number + 1) * 4 // count > number * 4 // count:
                self.at_quarters()
        await asyncio.gather(*tasks)
        for _, writer in self._idle:
            writer.close()

    async def _ask(self, number: int) -> None:
        place, key, started = number % len(self.photos), b"%d" % number, time.monotonic()
        try:
            status, later, content = await self._sent(body_of(self.photos[place], key))
        except (OSError, EOFError):
            self.answers.append(Answered(NO_ANSWER, time.monotonic() - started))
            return
        right = status != 200 or content == self._known[place].replace(KEY, key)
        self.answers.append(Answered(status, time.monotonic() - started, right, later))

    async def _sent(self, body: bytes) -> tuple[int, str, bytes]:
        """Status, Retry-After and content of one request, over a connection that is kept alive."""
        if self._idle:
            reader, writer = self._idle.pop()
        else:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        head = f"POST {self.route} HTTP/1.1\r\nHost: a\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        answer = await reader.readuntil(b"\r\n\r\n")
        headers = dict(
            line.lower().split(": ", 1) for line in answer.decode().split("\r\n")[1:] if line
        )
        content = await reader.readexactly(int(headers["content-length"]))
        if headers.get("connection") == "close":
            writer.close()
        else:
            self._idle.append((reader, writer))
        return int(answer[9:12]), headers.get("retry-after", ""), content
