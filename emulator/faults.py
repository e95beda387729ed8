"""Faults that tests ask for: a status, a cut connection, a delay, a full disk, a job that fails.

https://github.com/googleapis/storage-testbench (README, "Force Failures") is the model. A fault is
asked for by the header X-Emulator-Fault of the request that it meets, by a list that is posted to
`/_emulator/faults`, or by a retry test (`retry_tests.py`).
"""

from __future__ import annotations

import errno
import json
import re
import threading
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, fields, replace
from typing import Any

from emulator.errors import ApiError

JOB_FAULTS = ("", "stockout", "quota", "die")
# What happens, in a fault's own words; the other fields say to whom, when and how often.
EVENTS = ("status", "reset", "close", "cut", "corrupt", "delay_seconds", "disk_full", "job")
# An answer in the place of the server's: no job is created then.
ANSWERS = ("status", "reset", "close")
# What is created by a POST to a collection of this name is a job.
JOBS = frozenset(
    {"trainingPipelines", "customJobs", "hyperparameterTuningJobs", "batchPredictionJobs"}
)
SIZE = re.compile(r"(\d{1,12})([KM]?)")
UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20}
TYPES: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "int": (int,),
    "bool": (bool,),
    "float": (int, float),
}
CONTROL = "/_emulator/"
MAX_DELAY_SECONDS = 3600.0

_disk_full: ContextVar[bool] = ContextVar("disk_full", default=False)


@dataclass(frozen=True)
class Fault:
    """One fault: which requests it meets, what happens to them, how many times.

    Bytes are counted from 0; -1 stands for "not by bytes". Those of a request are counted from the
    start of the upload that its Content-Range names. `answer_status` limits a fault of the answer
    to answers of that status. A `job` fault meets the next job that is created: `quota` refuses it,
    `stockout` finds no machine for it, `die` kills its process `after_seconds` or has it end with
    `exit_code`.
    """

    path_prefix: str = "/"
    method: str = ""
    times: int = 1
    status: int = 0
    retry_after_seconds: int = -1
    reset: bool = False
    close: bool = False
    cut: bool = False
    corrupt: bool = False
    delay_seconds: float = 0.0
    after_request_bytes: int = -1
    after_answer_bytes: int = -1
    answer_status: int = 0
    disk_full: bool = False
    job: str = ""
    after_seconds: float = 0.0
    exit_code: int = -1
    message: str = ""

    def meets(self, method: str, path: str) -> bool:
        """Whether a request is one of those it was written for."""
        if self.job and (method != "POST" or path.rpartition("/")[2] not in JOBS):
            return False
        return path.startswith(self.path_prefix) and self.method in ("", method)


@dataclass(frozen=True)
class Meeting:
    """A fault that a request has met; `give_back` where it did not happen after all."""

    fault: Fault
    give_back: Callable[[], None]


class Faults:
    """The faults still to happen, first asked for first met."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, scripts: list[dict[str, Any]]) -> None:
        """Adds faults as they come in JSON. INVALID_ARGUMENT for a field that is not one."""
        faults = [from_json(script) for script in scripts]
        with self._lock:
            self._waiting.extend(faults)

    def take(self, method: str, path: str) -> Meeting | None:
        """The fault that this request meets, counted down, or None.

        Requests to `/_emulator/` meet only what was written for them, so that a fault of every
        path can still be asked about, and forgotten.
        """
        if not self._waiting:
            return None
        own = CONTROL if path.startswith(CONTROL) else ""
        with self._lock:
            places = [
                at
                for at, one in enumerate(self._waiting)
                if one.meets(method, path) and one.path_prefix.startswith(own)
            ]
            if not places:
                return None
            fault, at = self._waiting[places[0]], places[0]
            left = fault.times - 1
            self._waiting[at : at + 1] = [replace(fault, times=left)] * (left > 0)
        return Meeting(fault, lambda: self._put_back(fault))

    def _put_back(self, fault: Fault) -> None:
        with self._lock:
            for place, waiting in enumerate(self._waiting):
                if replace(waiting, times=fault.times) == fault:
                    self._waiting[place] = replace(waiting, times=waiting.times + 1)
                    return
            self._waiting.insert(0, replace(fault, times=1))

    def waiting(self) -> list[dict[str, Any]]:
        """What has not yet happened, as it would be asked for; what was not said is not told."""
        with self._lock:
            return [_told(fault) for fault in self._waiting]

    def clear(self) -> None:
        """Forgets every fault."""
        with self._lock:
            self._waiting.clear()


def from_header(text: str) -> Fault:
    """The fault that a header asks for: JSON, or words such as `503 retry-after=1`."""
    if text.lstrip().startswith("{"):
        try:
            return from_json(json.loads(text))
        except (ValueError, RecursionError):
            raise ApiError("INVALID_ARGUMENT", f"X-Emulator-Fault is no JSON: {text!r}") from None
    return from_json(dict(_word(word) for word in text.split()))


def from_json(script: dict[str, Any]) -> Fault:
    """A fault from its JSON form. INVALID_ARGUMENT for a field or a value that cannot be."""
    for name, value in script.items():
        kinds = _KINDS.get(name)
        if kinds is None:
            known = ", ".join(_KINDS)
            raise ApiError(
                "INVALID_ARGUMENT", f"A fault is an object of {known}. Received: {name!r}"
            )
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            raise ApiError("INVALID_ARGUMENT", f"Invalid value for a fault's {name}: {value!r}")
    fault = Fault(**script)
    _check(fault)
    return fault


def _check(fault: Fault) -> None:
    """Raises INVALID_ARGUMENT for values that no fault can have."""
    if not any(getattr(fault, name) for name in EVENTS):
        raise ApiError("INVALID_ARGUMENT", f"A fault says what happens: {', '.join(EVENTS)}.")
    if fault.job and any(getattr(fault, name) for name in ANSWERS):
        message = f"A fault of a job has no {', '.join(ANSWERS)} beside it: ask for two faults."
        raise ApiError("INVALID_ARGUMENT", message)
    if fault.status and not 400 <= fault.status <= 599:
        raise ApiError("INVALID_ARGUMENT", f"A fault's status is an error, not {fault.status}.")
    for seconds in (fault.delay_seconds, fault.after_seconds):
        if not 0 <= seconds <= MAX_DELAY_SECONDS:
            raise ApiError("INVALID_ARGUMENT", f"A fault waits up to an hour, not {seconds} s.")
    if fault.times < 1:
        raise ApiError("INVALID_ARGUMENT", f"A fault happens at least once, not {fault.times}.")
    if fault.job not in JOB_FAULTS:
        known = ", ".join(JOB_FAULTS[1:])
        raise ApiError("INVALID_ARGUMENT", f"A fault's job is {known}. Received: {fault.job!r}")


def _word(word: str) -> tuple[str, Any]:
    """A word of the header's short form as a field and its value."""
    name, _, value = word.partition("=")
    if name.isdigit() and not value:
        return "status", int(name)
    if name in ("reset", "close", "cut", "corrupt", "disk-full") and not value:
        return name.replace("-", "_"), True
    if name in ("slow", "after") and (seconds := _seconds(value)) is not None:
        return ("delay_seconds" if name == "slow" else "after_seconds"), seconds
    if name in ("retry-after", "exit-code") and value.isdigit():
        return ("retry_after_seconds" if name == "retry-after" else "exit_code"), int(value)
    if name in ("after-request", "after-answer") and (size := SIZE.fullmatch(value)):
        return f"{name.replace('-', '_')}_bytes", int(size[1]) * UNITS[size[2]]
    if name == "job" and value:
        return name, value
    raise ApiError("INVALID_ARGUMENT", f"X-Emulator-Fault has no word {word!r}.")


def _seconds(text: str) -> float | None:
    return float(text) if re.fullmatch(r"\d{1,6}(\.\d+)?", text) else None


def _told(fault: Fault) -> dict[str, Any]:
    plain = vars(Fault())
    return {
        name: value
        for name, value in vars(fault).items()
        if value != plain[name] or name in ("path_prefix", "times")
    }


_KINDS = {field.name: TYPES[str(field.type)] for field in fields(Fault)}


def fill_disk() -> None:
    """Makes every write of bytes or rows by this request fail as on a full disk."""
    _disk_full.set(True)


def check_disk() -> None:
    """Raises OSError (ENOSPC) where `fill_disk` was called; blobs and rows ask first."""
    if _disk_full.get():
        raise OSError(errno.ENOSPC, "No space left on device")
