"""Photos of many requests shared out over workers, a bounded number of them waiting.

Each worker is a thread with a scorer of its own: an interpreter a core for LiteRT, which is fastest
with one thread and one photo at a time; a single one that takes many photos at once for a
SavedModel. Photos are taken from the requests in turn, so that one does not wait for all of a
thousand that came before it. Every outcome is written into its own request, at its own place.
"""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    from trainer.models.network import Floats

Encoded: TypeAlias = Callable[[], bytes]
"""Gives a photo's bytes, in the worker that scores it; raises PhotoError if there are none."""

Outcome: TypeAlias = "Floats | Exception"
"""One photo's scores `(labels,)`, or what was wrong with it."""

# How far a new measurement moves what is known of a photo's time.
FRESHNESS = 0.1


class Scorer(Protocol):
    """What one worker scores with.

    `most` photos at once; once it has been busy it waits `linger_seconds` for more of them.
    """

    most: int
    linger_seconds: float

    def score(self, photos: Sequence[Encoded], alone: bool) -> list[Outcome]:
        """An outcome for each; `alone` if no other photo is waiting or being scored."""


class BusyError(Exception):
    """Too many photos are waiting; `retry_seconds` says when there may be room, at least 1."""

    def __init__(self, retry_seconds: int) -> None:
        super().__init__(f"too many photos are waiting; try again in {retry_seconds} s")
        self.retry_seconds = retry_seconds


@dataclass(eq=False)
class Ticket:
    """One request's photos and, as they come, their outcomes.

    `finished` is called at most once, in a worker, when the last one is there.
    """

    photos: Sequence[Encoded]
    finished: Callable[[], object]
    outcomes: list[Outcome | None] = field(init=False)
    taken: int = 0
    answered: int = 0
    dropped: bool = False

    def __post_init__(self) -> None:
        self.outcomes = [None] * len(self.photos)

    @property
    def untaken(self) -> int:
        """How many photos no worker has begun."""
        return len(self.photos) - self.taken


Place: TypeAlias = tuple[Ticket, int]


class Batcher:
    """Workers, and the queue between them and the requests."""

    def __init__(
        self,
        scorers: Sequence[Scorer],
        most_waiting: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._most_waiting, self._clock = most_waiting, clock
        self._changed = threading.Condition()
        self._queue: deque[Ticket] = deque()
        self._waiting = self._running = 0
        self._seconds_a_photo = 0.0
        self._closed = False
        self._threads = [
            threading.Thread(target=self._work, args=(scorer,), name=f"scorer-{place}", daemon=True)
            for place, scorer in enumerate(scorers)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def waiting(self) -> int:
        """How many photos no worker has begun."""
        return self._waiting

    @property
    def is_full(self) -> bool:
        """Whether not even one more photo would be taken."""
        return self._waiting >= self._most_waiting

    @property
    def retry_seconds(self) -> int:
        """How long the photos that wait now will take, in whole seconds, at least 1."""
        return max(1, math.ceil(self._waiting * self._seconds_a_photo / len(self._threads)))

    def submit(self, photos: Sequence[Encoded], finished: Callable[[], object]) -> Ticket:
        """The ticket of a request's photos, at least one. Raises BusyError if there is no room.

        A request of more photos than may ever wait is taken when nothing else waits.
        """
        ticket = Ticket(photos, finished)
        with self._changed:
            if self._waiting and self._waiting + len(photos) > self._most_waiting:
                raise BusyError(self.retry_seconds)
            self._queue.append(ticket)
            self._waiting += len(photos)
            self._changed.notify(len(photos))
        return ticket

    def drop(self, ticket: Ticket) -> None:
        """Nobody wants these answers any more: what no worker has begun is not begun."""
        with self._changed:
            ticket.dropped = True
            if ticket.untaken:
                self._queue.remove(ticket)
                self._waiting -= ticket.untaken

    def close(self) -> None:
        """The workers end when they have scored what they have begun; the rest is left."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _work(self, scorer: Scorer) -> None:
        lingers = False
        while (places := self._take(scorer, lingers)) is not None:
            alone = len(places) == 1 and self._running == 1 and not self._waiting
            started = self._clock()
            outcomes = _scored(scorer, [ticket.photos[place] for ticket, place in places], alone)
            self._give(places, outcomes, self._clock() - started)
            lingers = len(places) > 1

    def _take(self, scorer: Scorer, lingers: bool) -> list[Place] | None:
        """Photos for one call of the scorer, at least one; None when the batcher is closed."""
        with self._changed:
            places: list[Place] = []
            while not places:
                self._changed.wait_for(lambda: self._queue or self._closed)
                if lingers and scorer.linger_seconds:
                    self._changed.wait_for(
                        lambda: self._waiting >= scorer.most or self._closed, scorer.linger_seconds
                    )
                if self._closed:
                    return None
                places = self._next(scorer.most)
            self._running += len(places)
            return places

    def _next(self, most: int) -> list[Place]:
        """Up to `most` photos, one of each request in turn."""
        places: list[Place] = []
        while self._queue and len(places) < most:
            ticket = self._queue.popleft()
            places.append((ticket, ticket.taken))
            ticket.taken += 1
            if ticket.untaken:
                self._queue.append(ticket)
        self._waiting -= len(places)
        return places

    def _give(self, places: list[Place], outcomes: list[Outcome], seconds: float) -> None:
        told = []
        with self._changed:
            self._running -= len(places)
            measured = seconds / len(places)
            known = self._seconds_a_photo or measured
            self._seconds_a_photo = known + FRESHNESS * (measured - known)
            for (ticket, place), outcome in zip(places, outcomes, strict=True):
                ticket.outcomes[place] = outcome
                ticket.answered += 1
                if ticket.answered == len(ticket.photos) and not ticket.dropped:
                    told.append(ticket)
        for ticket in told:
            ticket.finished()


def _scored(scorer: Scorer, photos: list[Encoded], alone: bool) -> list[Outcome]:
    """The scorer's outcomes; one that fails as a whole has that failure for every photo."""
    try:
        return scorer.score(photos, alone)
    except Exception as error:
        return [error] * len(photos)
