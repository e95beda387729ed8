"""The server's application asked directly: whoever goes away, comes late, or comes too much."""

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.trainer.test_batching import Echo
from trainer.answering import Served
from trainer.batching import Batcher
from trainer.serving_app import App
from trainer.serving_limits import Limits

Message = dict[str, Any]
SECONDS = 20.0


class Numbers:
    """What a server knows of its model: one label, whose score is the number in a photo."""

    labels = ("number",)
    multi_label = False


def application(gate: threading.Event | None = None, **limits: int) -> tuple[App, Batcher]:
    """An application whose model waits at its gate."""
    bounds = Limits(**limits)
    batcher = Batcher([Echo(gate=gate)], bounds.max_waiting_photos)
    app = App("/health", "/predict", bounds)
    app.ready(Served(Numbers(), batcher))  # type: ignore[arg-type]
    return app, batcher


def body_of(*numbers: int) -> bytes:
    """A request whose photos are numbers."""
    from tests.trainer.served import instance

    return json.dumps({"instances": [instance(b"%d" % number) for number in numbers]}).encode()


class Client:
    """One request, sent whole; it goes away when its `leaves` is set."""

    def __init__(self, body: bytes, length: int | None = None) -> None:
        self.sent: list[Message] = []
        self.leaves = asyncio.Event()
        self._body: bytes | None = body
        self._length = len(body) if length is None else length

    async def ask(self, app: App) -> tuple[int, dict[str, str], Any]:
        """Status, headers and content of the answer; status 0 where there is none."""
        headers = [(b"content-length", b"%d" % self._length)]
        scope = {"type": "http", "path": "/predict", "method": "POST", "headers": headers}
        await app(scope, self._receive, self._send)
        if not self.sent:
            return 0, {}, None
        start, end = self.sent
        told = {name.decode(): value.decode() for name, value in start["headers"]}
        return start["status"], told, json.loads(end["body"])

    async def _receive(self) -> Message:
        if self._body is not None:
            body, self._body = self._body, None
            return {"type": "http.request", "body": body, "more_body": False}
        await self.leaves.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        self.sent.append(message)


def ran(work: Callable[[], Awaitable[Any]]) -> Any:
    """What comes of a coroutine, in reasonable time."""

    async def bounded() -> Any:
        async with asyncio.timeout(SECONDS):
            return await work()

    return asyncio.run(bounded())


async def until(holds: Callable[[], bool]) -> None:
    """Returns when it holds."""
    while not holds():
        await asyncio.sleep(0.001)


def test_who_goes_away_takes_the_waiting_photos_along() -> None:
    """Three of four photos wait for the first; when the client leaves, none does."""
    gate = threading.Event()
    app, batcher = application(gate)

    async def work() -> tuple[Any, Any]:
        leaving, staying = Client(body_of(1, 2, 3, 4)), Client(body_of(7))
        gone = asyncio.create_task(leaving.ask(app))
        await until(lambda: batcher.waiting == 3)
        stays = asyncio.create_task(staying.ask(app))
        await until(lambda: batcher.waiting == 4)
        leaving.leaves.set()
        answer = await gone
        assert batcher.waiting == 1
        gate.set()
        return answer, await stays

    gone, stays = ran(work)

    assert gone[0] == 0
    assert stays[2]["predictions"][0]["scores"] == [7.0]


def test_beyond_the_queue_a_503_comes_at_once() -> None:
    """While two of two photos wait a third is told to come again, before its body is read."""
    gate = threading.Event()
    app, batcher = application(gate, max_waiting_photos=2)

    async def work() -> tuple[Any, Any]:
        first = asyncio.create_task(Client(body_of(1, 2, 3)).ask(app))
        await until(lambda: batcher.waiting == 2)
        unread = Client(b"never read")
        refused = await unread.ask(app)
        assert unread._body is not None
        gate.set()
        return await first, refused

    first, refused = ran(work)

    assert [one["scores"] for one in first[2]["predictions"]] == [[1.0], [2.0], [3.0]]
    assert (refused[0], refused[1]["retry-after"]) == (503, "1")
    assert "too many photos are waiting" in refused[2]["error"]


def test_what_requests_hold_is_bounded_in_bytes() -> None:
    """A body held for its answer leaves no room for the next; when it is answered there is room."""
    gate = threading.Event()
    body = body_of(1)
    app, _ = application(gate, max_held_bytes=len(body) + 10)

    async def work() -> list[int]:
        first = asyncio.create_task(Client(body).ask(app))
        await until(lambda: app._held_bytes == len(body))
        # One says its length beforehand, the other does not.
        refused = [(await Client(body, length).ask(app))[0] for length in (len(body), 0)]
        gate.set()
        return [*refused, (await first)[0], (await Client(body).ask(app))[0]]

    assert ran(work) == [503, 503, 200, 200]


def test_an_answer_that_does_not_come_is_not_waited_for() -> None:
    """After its seconds the request ends with 504, and its photos leave the queue."""
    gate = threading.Event()
    app, batcher = application(gate, answer_seconds=1)

    status, _, content = ran(lambda: Client(body_of(1, 2)).ask(app))
    gate.set()

    assert (status, content) == (504, {"error": "there was no answer in 1 s"})
    assert batcher.waiting == 0


def test_a_draining_server_answers_what_it_has_and_takes_no_more() -> None:
    """What is being scored is answered; new requests and half a body have 503; then it is idle."""
    gate = threading.Event()
    app, batcher = application(gate)

    async def work() -> tuple[Any, ...]:
        half = Client(b"")
        half._body = None
        taken = asyncio.create_task(Client(body_of(5)).ask(app))
        reading = asyncio.create_task(half.ask(app))
        await until(lambda: batcher._running == 1 and len(app._reading) == 1)
        app.drain()
        refused = await Client(body_of(6)).ask(app), await reading
        busy = app.is_idle
        gate.set()
        return await taken, *refused, busy

    taken, new, half, was_idle = ran(work)

    assert taken[2]["predictions"][0]["scores"] == [5.0]
    assert [(one[0], one[1]["connection"]) for one in (new, half)] == [(503, "close")] * 2
    assert (was_idle, app.is_idle) == (False, True)


def test_a_failure_of_the_server_is_told_in_json(caplog: pytest.LogCaptureFixture) -> None:
    """What nobody expected is a 500 that names it, and is logged."""
    app, _ = application()
    app.ready(None)  # type: ignore[arg-type]
    app.served = object()  # type: ignore[assignment]

    status, _, content = ran(lambda: Client(body_of(1)).ask(app))

    assert (status, "AttributeError" in content["error"]) == (500, True)
    assert "a request failed" in caplog.text


def test_explanations_are_refused_where_there_are_none() -> None:
    """A server without an explainer says so; nothing is scored."""
    app, _ = application()
    body = json.dumps({**json.loads(body_of(1)), "parameters": {"explain": {}}}).encode()

    status, _, content = ran(lambda: Client(body).ask(app))

    assert (status, content) == (400, {"error": "this server gives no explanations"})
