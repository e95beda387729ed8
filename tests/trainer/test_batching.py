"""`trainer.batching`: photos of many requests shared out, each answer at its own place."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest

from trainer.batching import Batcher, BusyError, Encoded, Outcome, Ticket
from trainer.errors import PhotoError

SECONDS = 20


@dataclass
class Echo:
    """A scorer whose score is the photo's own number; it waits at its gate, if it has one."""

    most: int = 1
    linger_seconds: float = 0.0
    gate: threading.Event | None = None
    calls: list[tuple[list[bytes], bool]] = field(default_factory=list)
    begun: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def score(self, photos: Sequence[Encoded], alone: bool) -> list[Outcome]:
        """The numbers."""
        self.calls.append(([photo() for photo in photos], alone))
        self.begun.release()
        if self.gate is not None:
            assert self.gate.wait(SECONDS)
        return [np.array([float(photo())], np.float32) for photo in photos]


def photos(*numbers: int) -> list[Encoded]:
    """Photos that are nothing but a number."""
    return [lambda number=number: b"%d" % number for number in numbers]  # type: ignore[misc]


def scored(batcher: Batcher, *numbers: int) -> Callable[[], list[float]]:
    """What waits for the answers of a request that is submitted now."""
    done = threading.Event()
    ticket = batcher.submit(photos(*numbers), done.set)

    def answers() -> list[float]:
        assert done.wait(SECONDS)
        return numbers_of(ticket)

    return answers


def numbers_of(ticket: Ticket) -> list[float]:
    """A finished request's answers."""
    return [float(one[0]) for one in ticket.outcomes if isinstance(one, np.ndarray)]


def held(most: int = 1, waiting: int = 100) -> tuple[Batcher, Echo, Callable[[], list[float]]]:
    """A batcher whose one worker is busy with photo 0 until its gate opens."""
    echo = Echo(most, gate=threading.Event())
    batcher = Batcher([echo], waiting)
    first = scored(batcher, 0)
    assert echo.begun.acquire(timeout=SECONDS)
    return batcher, echo, first


def opened(echo: Echo) -> None:
    """Lets the worker go on for good."""
    assert echo.gate is not None
    echo.gate.set()


def test_every_answer_is_at_its_own_place_of_its_own_request() -> None:
    """Forty requests of one to nine photos, three workers: each has its own numbers, in order."""
    batcher = Batcher([Echo(), Echo(most=4), Echo()], 1000)
    wanted = [list(range(start, start + start % 9 + 1)) for start in range(0, 400, 10)]

    answers = [scored(batcher, *numbers) for numbers in wanted]

    assert [one() for one in answers] == wanted


def test_photos_are_taken_from_the_requests_in_turn() -> None:
    """One photo that comes after five of another request is second, not sixth."""
    batcher, echo, _ = held()
    many, one = scored(batcher, 1, 2, 3, 4, 5), scored(batcher, 9)
    opened(echo)

    assert (many(), one()) == ([1, 2, 3, 4, 5], [9])
    assert [call[0][0] for call in echo.calls] == [b"0", b"1", b"9", b"2", b"3", b"4", b"5"]


def test_what_waits_is_scored_together() -> None:
    """Six photos of three requests, four at once: a call of four, then one of two."""
    batcher, echo, _ = held(most=4)
    requests = [scored(batcher, 1, 2), scored(batcher, 3, 4), scored(batcher, 5, 6)]
    opened(echo)

    assert [one() for one in requests] == [[1, 2], [3, 4], [5, 6]]
    assert [len(call[0]) for call in echo.calls] == [1, 4, 2]


def test_only_a_photo_with_the_machine_to_itself_is_alone() -> None:
    """The first is; those that come while it is scored are not, except the last of them."""
    batcher, echo, first = held()
    rest = scored(batcher, 1, 2)
    opened(echo)

    assert (first(), rest()) == ([0], [1, 2])
    assert [call[1] for call in echo.calls] == [True, False, True]


def test_beyond_its_bound_the_queue_takes_nothing() -> None:
    """With three of three waiting a fourth is refused at once, and told when to come again."""
    batcher, echo, first = held(waiting=3)
    waiting = scored(batcher, 1, 2, 3)

    with pytest.raises(BusyError) as refusal:
        batcher.submit(photos(4), lambda: None)

    assert refusal.value.retry_seconds >= 1
    assert batcher.is_full
    opened(echo)
    assert (first(), waiting()) == ([0], [1, 2, 3])
    assert scored(batcher, 4)() == [4]


def test_a_request_larger_than_the_queue_is_taken_when_nothing_waits() -> None:
    """Five photos where three may wait: answered, not refused for ever."""
    assert scored(Batcher([Echo()], 3), 1, 2, 3, 4, 5)() == [1, 2, 3, 4, 5]


def test_what_nobody_wants_any_more_is_not_scored() -> None:
    """A dropped request leaves the queue, its photos are never begun, and it is never finished."""
    batcher, echo, first = held(waiting=2)
    finished: list[str] = []
    ticket = batcher.submit(photos(7, 8), lambda: finished.append("dropped"))

    batcher.drop(ticket)

    assert batcher.waiting == 0
    last = scored(batcher, 1, 2)
    opened(echo)
    assert (first(), last()) == ([0], [1, 2])
    assert [call[0] for call in echo.calls] == [[b"0"], [b"1"], [b"2"]]
    assert finished == []


def test_a_scorer_that_fails_fails_its_photos_and_goes_on() -> None:
    """The error is each photo's outcome; the next request is answered by the same worker."""

    class Choosy(Echo):
        def score(self, photos: Sequence[Encoded], alone: bool) -> list[Outcome]:
            if photos[0]() == b"13":
                raise MemoryError("full")
            return super().score(photos, alone)

    batcher, done = Batcher([Choosy()], 10), threading.Event()
    ticket = batcher.submit(photos(13), done.set)

    assert done.wait(SECONDS)
    assert repr(ticket.outcomes) == "[MemoryError('full')]"
    assert scored(batcher, 1)() == [1]


def test_a_photo_without_bytes_spoils_no_other() -> None:
    """What an encoded photo raises reaches the scorer, which answers it in its place."""

    class Reader(Echo):
        def score(self, photos: Sequence[Encoded], alone: bool) -> list[Outcome]:
            try:
                return super().score(photos, alone)
            except PhotoError as error:
                return [error]

    def broken() -> bytes:
        raise PhotoError("not base64")

    batcher, done = Batcher([Reader()], 10), threading.Event()
    ticket = batcher.submit([*photos(1), broken, *photos(2)], done.set)

    assert done.wait(SECONDS)
    assert numbers_of(ticket) == [1, 2]
    assert isinstance(ticket.outcomes[1], PhotoError)


def test_a_closed_batcher_ends_its_workers() -> None:
    """Both threads end; what was being scored is answered first."""
    before = set(threading.enumerate())
    batcher, echo, first = held()
    (worker,) = set(threading.enumerate()) - before

    batcher.close()
    opened(echo)

    assert first() == [0]
    worker.join(SECONDS)
    assert not worker.is_alive()
