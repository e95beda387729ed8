"""A run of the fuzz: scenarios of valid requests, each then sent again with something changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.emulator.fuzz import (
    other_calls,
    routes,
    storage_calls,
    storage_more,
    vertex_calls,
    vertex_jobs,
    vertex_more,
)
from tests.emulator.fuzz.target import Asked, Target
from tests.emulator.fuzz.values import Draw, mutant

MUTANTS = 12
GENERATED = 6
KEPT_NAMES = 200
HEADS = [
    b"GET / HTTP/1.1\r\nHost: localhost\r\n", b"GET /storage/v1/b?project=p HTTP/1.1\r\n", b"",
    b"POST /upload/storage/v1/b/x/o HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n",
    b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n", b"GET http://localhost/x HTTP/1.1\r\n",
    b"PUT /x/y HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n", b"\x16\x03\x01\x02\x00",
    b"CONNECT localhost:80 HTTP/1.1\r\nHost: localhost\r\n\r\n", b"GET //x HTTP/1.0\r\n\r\n",
]  # fmt: skip
SCENARIOS: list[Callable[[Draw, Target], None]] = [
    *storage_calls.SCENARIOS,
    *storage_more.SCENARIOS,
    *vertex_calls.SCENARIOS,
    *vertex_jobs.SCENARIOS,
    *vertex_more.SCENARIOS,
]


@dataclass(frozen=True)
class Seen:
    """Names of what was made: resources of Vertex AI, buckets; the newest of each."""

    resources: list[str]
    buckets: list[str]

    def note(self, scenario: list[Asked]) -> None:
        """Keeps the names in these requests."""
        for asked in scenario:
            if asked.path.startswith("/v1/projects/"):
                self.resources.append(asked.path.removeprefix("/v1/").partition(":")[0])
            elif asked.path.startswith("/storage/v1/b/"):
                self.buckets.append(asked.path.split("/")[4])
        del self.resources[:-KEPT_NAMES], self.buckets[:-KEPT_NAMES]


def run(url: str, examples: int, number: int) -> Target:
    """What came of so many examples from this seed."""
    target = Target(url, routes.route_of)
    seen = Seen([], [])

    @seed(number)
    @settings(
        max_examples=examples, deadline=None, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(st.data(), st.integers(0, len(SCENARIOS) - 1))
    def example(data: st.DataObject, place: int) -> None:
        one(data.draw, target, SCENARIOS[place], seen)

    for scenario in SCENARIOS:  # each at least once, however few the examples
        _once(number, scenario, target, seen)
    example()
    return target


def _once(
    number: int, scenario: Callable[[Draw, Target], None], target: Target, seen: Seen
) -> None:
    @seed(number)
    @settings(
        max_examples=1, deadline=None, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(st.data())
    def example(data: st.DataObject) -> None:
        one(data.draw, target, scenario, seen)

    example()


def one(draw: Draw, target: Target, scenario: Callable[[Draw, Target], None], seen: Seen) -> None:
    """One scenario, its mutants, some requests of any RPC, and some bytes."""
    target.scenario.clear()
    scenario(draw, target)
    seen.note(target.scenario)
    asked_before = list(target.scenario)
    for _ in range(MUTANTS):
        target.any("mutated", mutant(draw, draw(st.sampled_from(asked_before))))
    for _ in range(GENERATED):
        target.any("generated Vertex AI", vertex_calls.generated(draw, seen.resources))
        target.any("generated storage", storage_calls.generated(draw, seen.buckets))
        target.any("generated other APIs", other_calls.generated(draw))
    target.raw(draw(st.sampled_from(HEADS)) + draw(st.binary(max_size=200)))
