"""What a fault does to a request: an answer in its place, a cut on the way in or out, a wait."""

from __future__ import annotations

import asyncio
import re
import socket
import struct
from contextlib import suppress
from dataclasses import replace
from typing import Any

from emulator import job_faults
from emulator.faults import Fault, Meeting, fill_disk
from emulator.web import App, Header, Message, Receive, Scope, Send, answer_json, header

# google/rpc/code.proto, and cloud.google.com/storage/docs/json_api/v1/status-codes
STATUSES = {
    400: ("INVALID_ARGUMENT", "invalid"),
    401: ("UNAUTHENTICATED", "authError"),
    403: ("PERMISSION_DENIED", "forbidden"),
    404: ("NOT_FOUND", "notFound"),
    408: ("DEADLINE_EXCEEDED", "requestTimeout"),
    409: ("ABORTED", "conflict"),
    412: ("FAILED_PRECONDITION", "conditionNotMet"),
    429: ("RESOURCE_EXHAUSTED", "rateLimitExceeded"),
    500: ("INTERNAL", "backendError"),
    501: ("UNIMPLEMENTED", "notImplemented"),
    503: ("UNAVAILABLE", "backendError"),
    504: ("DEADLINE_EXCEEDED", "gatewayTimeout"),
}
RANGE_START = re.compile(r"bytes (\d{1,18})-")
# On a full disk what is there can still be read and deleted (store/space.py).
WRITES = frozenset({"POST", "PUT", "PATCH"})
FLUSH_SECONDS = 0.01
CLOSE_SECONDS = 5


class CutError(ConnectionResetError):
    """The connection was ended on purpose; nothing more can be said on it."""


async def interfere(app: App, meeting: Meeting, scope: Scope, receive: Receive, send: Send) -> None:
    """Passes a request on to `app` as its fault has it, or answers in its place."""
    fault = meeting.fault
    if fault.disk_full and scope["method"] in WRITES:
        fill_disk()
    if fault.job == "quota":
        fault = replace(fault, status=429, message=fault.message or job_faults.QUOTA)
    elif fault.job:
        job_faults.ask(fault, scope["path"])
    if fault.after_request_bytes >= 0:
        await _on_the_way_in(app, meeting, scope, receive, send)
    elif fault.after_answer_bytes >= 0 or fault.corrupt:
        await _on_the_way_out(app, meeting, scope, receive, send)
    else:
        await asyncio.sleep(fault.delay_seconds)
        if not await _take_its_place(fault, receive, send):
            await app(scope, receive, send)


async def _take_its_place(fault: Fault, receive: Receive, send: Send) -> bool:
    """Whether the fault was the answer."""
    if fault.reset or fault.close:
        await _end(receive, reset=fault.reset)
        return True
    if fault.status:
        await answer_json(send, fault.status, error(fault), _retry_after(fault))
    return bool(fault.status)


def error(fault: Fault) -> dict[str, Any]:
    """The body of a scripted status, in both of Google's forms."""
    status, reason = STATUSES.get(fault.status, ("UNKNOWN", "backendError"))
    message = fault.message or f"A scripted fault answers {fault.status}."
    errors = [{"message": message, "domain": "global", "reason": reason}]
    return {"error": {"code": fault.status, "message": message, "status": status, "errors": errors}}


def _retry_after(fault: Fault) -> list[Header]:
    if fault.retry_after_seconds < 0:
        return []
    return [(b"retry-after", str(fault.retry_after_seconds).encode())]


class _Intake:
    """A request's body up to the byte where the fault happens, then the client is gone."""

    def __init__(self, fault: Fault, scope: Scope, receive: Receive) -> None:
        self._receive = receive
        self._delay_seconds = fault.delay_seconds
        self._ends = bool(fault.status or fault.reset or fault.close)
        span = header(scope, b"content-range") or ""
        start = RANGE_START.match(span)
        self._left = fault.after_request_bytes - (int(start[1]) if start else 0)
        self._asks = span.startswith("bytes *")
        self.happened = False

    async def receive(self) -> Message:
        if self.happened and self._ends:
            return {"type": "http.disconnect"}
        message = await self._receive()
        body = message.get("body", b"")
        if self.happened or self._asks or message["type"] != "http.request":
            return message
        if len(body) < self._left or not (body or self._left <= 0):
            self._left -= len(body)
            return message
        self.happened = True
        await asyncio.sleep(self._delay_seconds)
        if not self._ends:
            return message
        return {**message, "body": body[: max(0, self._left)], "more_body": True}


async def _on_the_way_in(
    app: App, meeting: Meeting, scope: Scope, receive: Receive, send: Send
) -> None:
    fault = meeting.fault
    intake = _Intake(fault, scope, receive)
    ends = bool(fault.status or fault.reset or fault.close)

    async def answer_unless_cut(message: Message) -> None:
        if not (intake.happened and ends):
            await send(message)

    try:
        await app(scope, intake.receive, answer_unless_cut)
    except Exception:
        if not (intake.happened and ends):
            raise
    if not intake.happened:
        meeting.give_back()
    elif ends:
        await _take_its_place(fault, receive, send)


class _Output:
    """An answer up to the byte where the fault happens."""

    def __init__(self, fault: Fault, receive: Receive, send: Send) -> None:
        self._fault = fault
        self._receive = receive
        self._send = send
        self._left = max(0, fault.after_answer_bytes)
        self._applies = True
        self.happened = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            wanted = self._fault.answer_status
            self._applies = not wanted or message["status"] == wanted
            if self._applies and self._fault.cut:
                message = {**message, "headers": _shortened(message["headers"], self._left)}
        elif self._applies and not (self.happened and not self._fault.cut):
            message = await self._met(message)
        await self._send(message)

    async def _met(self, message: Message) -> Message:
        body = bytes(message.get("body", b""))
        if self._fault.corrupt and body:
            self.happened = True
            return {**message, "body": bytes([body[0] ^ 0xFF]) + body[1:]}
        if len(body) < self._left or not (body or self.happened):
            self._left -= len(body)
            return message
        self.happened = True
        part, self._left = body[: self._left], 0
        if self._fault.cut:
            return {**message, "body": part}
        if self._fault.reset or self._fault.close:
            await self._send({**message, "body": part, "more_body": True})
            await _end(self._receive, reset=self._fault.reset)
            raise CutError
        await self._send({**message, "body": part, "more_body": True})
        await asyncio.sleep(self._fault.delay_seconds)
        return {**message, "body": body[len(part) :]}


async def _on_the_way_out(
    app: App, meeting: Meeting, scope: Scope, receive: Receive, send: Send
) -> None:
    output = _Output(meeting.fault, receive, send)
    with suppress(CutError):
        await app(scope, receive, output.send)
    if not output.happened:
        meeting.give_back()


def _shortened(headers: list[Header], limit: int) -> list[Header]:
    """Headers whose Content-Length is at most `limit`."""
    return [
        (key, str(min(int(value), limit)).encode() if key == b"content-length" else value)
        for key, value in headers
    ]


async def _end(receive: Receive, *, reset: bool) -> None:
    """Ends the connection once what was said is on its way: RST with `reset`, else FIN."""
    transport = getattr(getattr(receive, "__self__", None), "transport", None)
    if transport is None:  # no network in between: the app is called in this process
        raise CutError
    while transport.get_write_buffer_size() and not transport.is_closing():
        await asyncio.sleep(FLUSH_SECONDS)
    if reset:
        peer = transport.get_extra_info("socket")
        if peer is not None:
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
    else:
        transport.close()
    with suppress(TimeoutError):  # the server is to know of it before this request is over
        async with asyncio.timeout(CLOSE_SECONDS):
            while (await receive())["type"] != "http.disconnect":
                pass
