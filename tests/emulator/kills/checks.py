"""Whether a server has what the journal says, whole, and its folder nothing else."""

from __future__ import annotations

import random
import sqlite3
import time
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from tests.emulator.kills.journal import Known, State
from tests.emulator.kills.wire import (
    PLAIN,
    PROJECT,
    REGION,
    VERSIONED,
    LostError,
    Wire,
    digest,
    look_up,
    matches,
    object_path,
)

# Of the keys that nobody has touched since the last check, so many are looked up again.
SAMPLE = 40
LOOK_SECONDS = 0.1


@dataclass
class Checker:
    """What has been checked so far; `problems` is empty while all is well."""

    folder: Path
    journal: Path
    chance: random.Random
    known: Known = field(default_factory=Known)
    whole: set[tuple[str, str]] = field(default_factory=set)
    blobs: set[str] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)
    checked_keys: int = 0
    sweep_seconds: float = 10

    def check(self, url: str, *, everything: bool = False) -> None:
        """Compares the running, idle server and its folder with the journal."""
        self.known.read(self.journal)
        self.problems += self.known.refused
        wire = Wire(url)
        keys = set(self.known.held) | {one.key for one in self.known.pending.values()}
        if not everything:
            others = sorted(keys - self.known.changed)
            picked = self.chance.sample(others, min(SAMPLE, len(others)))
            keys = (keys & self.known.changed) | set(picked)
        for key in sorted(keys):
            self._check_key(key, wire)
        self.known.changed.clear()
        self._check_lists(wire)
        self.problems += lasting_problems(self.folder, self.sweep_seconds)
        self._check_blobs()
        wire.close()

    def _check_key(self, key: str, wire: Wire) -> None:
        held, wants = self.known.held.get(key), self.known.wants(key)
        if key.startswith("upload/") and held is None and not wants:
            return
        have = look_up(wire, key)
        self.checked_keys += 1
        if not self._allowed(key, have, held, wants):
            self.problems.append(f"{key}: is {have}, acknowledged {held}, on its way {wants}")

    def _allowed(self, key: str, have: State, held: State, wants: list[State]) -> bool:
        if key.startswith("upload/"):
            known = held or wants[0]
            least = held["received"] if held is not None else 0
            return bool(have and known and least <= have["received"] <= known["total"])
        if have and held and have.get("generation", 0) < held.get("generation", 0):
            return False
        return matches(have, held) or any(matches(have, want) for want in wants)

    def _check_lists(self, wire: Wire) -> None:
        for bucket in (PLAIN, VERSIONED):
            for item in wire.pages(f"/storage/v1/b/{bucket}/o", "items"):
                self._expected(f"object/{bucket}/{item['name']}")
                self._check_bytes(wire, item)
        unanswered = self._unanswered()
        for item in wire.pages(f"/storage/v1/b/{VERSIONED}/o", "items", versions="true"):
            key = f"version/{item['name']}#{item['generation']}"
            if key not in self.known.held and item["md5Hash"] not in unanswered:
                self.problems.append(f"{key}: nobody asked for it")
            self._check_bytes(wire, item)
        for item in wire.pages("/storage/v1/b", "items", project=PROJECT):
            if item["name"] not in (PLAIN, VERSIONED):
                self._expected(f"bucket/{item['name']}")
        for collection in ("datasets", "endpoints"):
            for item in wire.pages(f"{REGION}/{collection}", collection):
                self._expected(f"{collection}/{item['displayName']}")

    def _unanswered(self) -> set[str]:
        pending = [one.want for one in self.known.pending.values()]
        wants = [*self.known.unanswered, *pending]
        return {str(want["md5"]) for want in wants if want is not None and "md5" in want}

    def _expected(self, key: str) -> None:
        if self.known.held.get(key) is None and not self.known.wants(key):
            self.problems.append(f"{key}: is listed, and should not be")

    def _check_bytes(self, wire: Wire, item: dict[str, Any]) -> None:
        which = (f"{item['bucket']}/{item['name']}", item["generation"])
        if which in self.whole:
            return
        path = object_path(item["bucket"], item["name"])
        try:
            status, _, body = wire.ask("GET", f"{path}?alt=media&generation={item['generation']}")
        except LostError as error:
            self.problems.append(f"{which}: no whole answer, {error}")
            return
        if status != 200 or digest(body) != item["md5Hash"] or len(body) != int(item["size"]):
            self.problems.append(f"{which}: {status}, {len(body)} bytes of {item['size']}")
        self.whole.add(which)

    def _check_blobs(self) -> None:
        for path in self.folder.glob("blobs/??/*"):
            if path.name not in self.blobs:
                if sha256(path.read_bytes()).hexdigest() != path.name:
                    self.problems.append(f"{path}: the bytes are not those of its name")
                self.blobs.add(path.name)
        self.blobs &= {path.name for path in self.folder.glob("blobs/??/*")}


def lasting_problems(folder: Path, sweep_seconds: float) -> list[str]:
    """What is wrong with the folder and stays so: a start sweeps beside the requests."""
    deadline = time.monotonic() + sweep_seconds
    while (found := folder_problems(folder)) and time.monotonic() < deadline:
        time.sleep(LOOK_SECONDS)
    return found


def folder_problems(folder: Path) -> list[str]:
    """What is wrong with the data folder of an idle server: database, bytes, and what is left."""
    database = sqlite3.connect(f"file:{folder / 'emulator.sqlite'}?mode=ro", uri=True)
    try:
        found = [str(row) for row in database.execute("PRAGMA integrity_check") if row[0] != "ok"]
        found += [f"foreign key: {row}" for row in database.execute("PRAGMA foreign_key_check")]
        used = {row[0] for row in database.execute("SELECT sha256 FROM blob_references")}
        open_uploads = {
            row[0] for row in database.execute("SELECT id FROM uploads WHERE answer IS NULL")
        }
    finally:
        database.close()
    there = {path.name for path in folder.glob("blobs/??/*")}
    found += [f"blob {name}: no row refers to it" for name in sorted(there - used)]
    found += [f"blob {name}: a row refers to it, it is not there" for name in sorted(used - there)]
    found += [f"{path}: left half-written" for path in folder.glob("blobs/tmp/*")]
    uploads = {path.name for path in folder.glob("uploads/*")}
    return found + [f"upload {name}: belongs to none" for name in sorted(uploads - open_uploads)]
