"""Retry tests, as https://github.com/googleapis/storage-testbench has them ("Retry Test API").

A test lists, by method, what happens to the next requests that carry its id in X-Retry-Test-Id; a
client library's own retry suite makes one, runs, and asks whether all of it happened.
"""

from __future__ import annotations

import re
import threading
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from emulator.errors import ApiError
from emulator.faults import Fault, Meeting
from emulator.retry_methods import NAMES, name_of

# A suite that never deletes its tests must not fill the memory.
KEPT = 10_000
MAX_INSTRUCTIONS = 1_000
BROKEN_STREAM_BYTES = 4
INSERT, GET = "storage.objects.insert", "storage.objects.get"

Build = Callable[[str, "re.Match[str]"], Fault | None]


def _status(_: str, found: re.Match[str]) -> Fault:
    code = int(found[1])
    return Fault(status=code, message=f"Retry Test: Caused a {code}")


def _status_after(method: str, found: re.Match[str]) -> Fault | None:
    if method != INSERT:
        return None
    message = "Fault injected during a resumable upload"
    return Fault(status=int(found[1]), after_request_bytes=int(found[2]) << 10, message=message)


def _broken_after(method: str, found: re.Match[str]) -> Fault | None:
    return Fault(close=True, after_answer_bytes=int(found[1]) << 10) if method == GET else None


def _short(method: str, found: re.Match[str]) -> Fault | None:
    if method != INSERT:
        return None
    return Fault(cut=True, after_answer_bytes=int(found[1]), answer_status=200)


def _stall(method: str, found: re.Match[str]) -> Fault:
    seconds, size = float(found[1]), int(found[2]) << 10
    if method == INSERT:
        return Fault(delay_seconds=seconds, after_request_bytes=size)
    return Fault(delay_seconds=seconds, after_answer_bytes=size)


# The instructions that HTTP heeds; a Build gives None where one does not apply to a method.
_FORMS: list[tuple[str, Build]] = [
    (r"return-([45]\d\d)", _status),
    (r"return-reset-connection", lambda *_: Fault(reset=True)),
    (
        r"return-broken-stream",
        lambda *_: Fault(close=True, after_answer_bytes=BROKEN_STREAM_BYTES),
    ),
    (r"return-([45]\d\d)-after-(\d{1,9})K", _status_after),
    (r"return-broken-stream-after-(\d{1,9})K", _broken_after),
    (r"return-broken-stream-final-chunk-after-(\d{1,9})B", _short),
    (r"stall-for-(\d{1,3})s-after-(\d{1,9})K", _stall),
]
# Instructions that storage-testbench takes and heeds only over gRPC.
_UNHEEDED = re.compile(
    r"redirect-(send-token|send-handle-and-token|expect-token)-[a-z-]+|"
    r"return-\d{3}-if-dp-enforced|return-unreachable-buckets-[A-Za-z0-9,_-]+"
)
FORMS = [(re.compile(form), build) for form, build in _FORMS]


class RetryTests:
    """The retry tests of one server; they live as long as its process."""

    def __init__(self) -> None:
        self._tests: OrderedDict[str, dict[str, Any]] = OrderedDict()
        self._lock = threading.Lock()

    def create(self, body: dict[str, Any]) -> dict[str, Any]:
        """A new test. INVALID_ARGUMENT for a method or an instruction that nobody knows."""
        instructions = _checked(body.get("instructions"))
        transport = str(body.get("transport", "HTTP")).upper()
        if transport not in ("HTTP", "GRPC"):
            raise _invalid(f"The requested transport <{transport}>")
        key = uuid4().hex
        test = {
            "id": key,
            "instructions": {method: deque(texts) for method, texts in instructions.items()},
            "transport": transport,
        }
        with self._lock:
            self._tests[key] = test
            while len(self._tests) > KEPT:
                self._tests.popitem(last=False)
            return _resource(test)

    def get(self, key: str) -> dict[str, Any]:
        """A test and what of it has not happened yet. NOT_FOUND without one."""
        with self._lock:
            return _resource(self._require(key))

    def list(self) -> dict[str, Any]:
        """Every test."""
        with self._lock:
            return {"retry_test": [_resource(test) for test in self._tests.values()]}

    def delete(self, key: str) -> None:
        """Forgets a test. NOT_FOUND without one."""
        with self._lock:
            self._require(key)
            del self._tests[key]

    def clear(self) -> None:
        """Forgets every test."""
        with self._lock:
            self._tests.clear()

    def take(self, key: str, method: str, path: str) -> Meeting | None:
        """What happens to a request that names this test, or None. NOT_FOUND without the test."""
        name = name_of(method, path)
        with self._lock:
            test = self._require(key)
            waiting = test["instructions"].get(name)
            if not waiting or test["transport"] != "HTTP":
                return None
            fault = _fault(name, waiting[0])
            if fault is None:
                return None
            text = waiting.popleft()
        return Meeting(fault, lambda: waiting.appendleft(text))

    def _require(self, key: str) -> dict[str, Any]:
        test = self._tests.get(key)
        if test is None:
            raise ApiError("NOT_FOUND", f"Retry Test {key} does not exist.")
        return test


def _resource(test: dict[str, Any]) -> dict[str, Any]:
    left = {method: list(texts) for method, texts in test["instructions"].items()}
    return {
        "id": test["id"],
        "instructions": left,
        "completed": not any(left.values()),
        "transport": test["transport"],
    }


def _checked(instructions: object) -> dict[str, list[str]]:
    """The instructions of a new test. INVALID_ARGUMENT where one is not an instruction."""
    if not isinstance(instructions, dict):
        raise ApiError("INVALID_ARGUMENT", "instructions is not defined")
    for method, texts in instructions.items():
        if method not in NAMES:
            raise _invalid(f"The requested method <{method}> for fault injection")
        if not isinstance(texts, list) or len(texts) > MAX_INSTRUCTIONS:
            raise _invalid(f"The list of instructions of <{method}>")
        for text in texts:
            if not isinstance(text, str) or not _is_known(text):
                raise _invalid(f"The fault injection request <{text}>")
    return instructions


def _is_known(text: str) -> bool:
    return any(form.fullmatch(text) for form, _ in FORMS) or bool(_UNHEEDED.fullmatch(text))


def _fault(method: str, text: str) -> Fault | None:
    for form, build in FORMS:
        if found := form.fullmatch(text):
            return build(method, found)
    return None


def _invalid(what: str) -> ApiError:
    return ApiError("INVALID_ARGUMENT", f"{what} is invalid.")
