"""What a writer asked for and what the server acknowledged, a line each, on disk before it goes on.

A *key* is one thing that can be looked up again; its *state* is what was told of it (None: it is
gone). A `begin` without an end is what was on its way when the server died: it may be there, whole,
or not at all.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

State = Mapping[str, Any] | None


@dataclass(frozen=True)
class Pending:
    """One request on its way: to which key, and what that key's state is if it is carried out."""

    number: int
    key: str
    want: State


class Journal:
    """Appends lines; those that end a request are on disk (fsync) when the call returns."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("ab", buffering=0)
        self._numbers = count()
        self._lock = threading.Lock()

    def begin(self, key: str, want: State) -> Pending:
        """A request is about to be sent."""
        with self._lock:
            number = next(self._numbers)
        self._write({"at": "begin", "op": number, "key": key, "state": want})
        return Pending(number, key, want)

    def end(self, pending: Pending, state: State, also: Mapping[str, State] | None = None) -> None:
        """The server has acknowledged it; `also` are other keys that came to be with it."""
        lines = [{"at": "also", "key": key, "state": value} for key, value in (also or {}).items()]
        self._write(*lines, {"at": "end", "op": pending.number, "key": pending.key, "state": state})
        os.fsync(self._file.fileno())

    def settled(self, pending: Pending, state: State) -> None:
        """It was not answered, and this is what the server then had."""
        self._write({"at": "settled", "op": pending.number, "key": pending.key, "state": state})

    def refused(self, pending: Pending, why: str) -> None:
        """The server has answered with an error, so that nothing may have changed."""
        self._write({"at": "refused", "op": pending.number, "key": pending.key, "why": why})
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Lets go of the file."""
        self._file.close()

    def _write(self, *lines: Mapping[str, Any]) -> None:
        self._file.write(b"".join(json.dumps(line).encode() + b"\n" for line in lines))


@dataclass
class Known:
    """What a journal says: the state of each key, and what was on its way at the end."""

    held: dict[str, State] = field(default_factory=dict)
    pending: dict[int, Pending] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)
    # The keys of lines read since `changed` was last emptied.
    changed: set[str] = field(default_factory=set)
    # What was never answered, carried out or not.
    unanswered: list[State] = field(default_factory=list)
    acknowledged: int = 0
    read_bytes: int = 0

    def read(self, path: Path) -> None:
        """Takes in the lines that have come since the last time."""
        with path.open("rb") as file:
            file.seek(self.read_bytes)
            text = file.read()
        whole = text[: text.rfind(b"\n") + 1]
        self.read_bytes += len(whole)
        for line in whole.splitlines():
            self._take(json.loads(line))

    def wants(self, key: str) -> list[State]:
        """What a key may have become by requests that were not answered."""
        return [one.want for one in self.pending.values() if one.key == key]

    def _take(self, line: Mapping[str, Any]) -> None:
        key, state = line["key"], line.get("state")
        self.changed.add(key)
        if line["at"] == "begin":
            self.pending[line["op"]] = Pending(line["op"], key, state)
            return
        if line["at"] != "also":
            begun = self.pending.pop(line["op"])
            self.acknowledged += line["at"] == "end"
            if line["at"] == "settled":
                self.unanswered.append(begun.want)
        if line["at"] == "refused":
            self.refused.append(f"{key}: {line['why']}")
        elif not _older(state, self.held.get(key)):
            self.held[key] = state


def _older(state: State, held: State) -> bool:
    """Whether an acknowledgement of one of several writers came behind that of a later write."""
    if state is None or held is None:
        return False
    return int(state.get("generation", 0)) < int(held.get("generation", 0))
