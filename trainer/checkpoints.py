"""Where an interrupted training goes on from: whole files only, each known by its own hash."""

from __future__ import annotations

import hashlib
import io
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

KIND = b"trainer-checkpoint-1"
KEPT = 2
_NAME = re.compile(r"checkpoint-(\d{6})\.npz")

Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class Checkpoint:
    """Arrays by name, and what else has to be known to go on, as JSON."""

    arrays: Arrays
    facts: Mapping[str, Any]


class BrokenError(ValueError):
    """A file that is not a whole checkpoint of this training; the text says why."""


@dataclass(frozen=True)
class Checkpoints:
    """The checkpoints of one training in a folder; `training` is the digest of what it trains.

    `warn` is told of every file that cannot be used.
    """

    folder: Path
    training: str
    warn: Callable[[str], None]

    def save(self, epoch: int, checkpoint: Checkpoint) -> Path:
        """The file of a checkpoint after so many epochs, complete or absent; older ones go."""
        self.folder.mkdir(parents=True, exist_ok=True)
        payload = _packed(checkpoint, self.training)
        path = self.folder / f"checkpoint-{epoch:06d}.npz"
        draft = path.with_name(path.name + ".part")
        draft.write_bytes(b"%s %s\n" % (KIND, hashlib.sha256(payload).hexdigest().encode()))
        with draft.open("ab") as file:
            file.write(payload)
        draft.replace(path)
        for old in self._files()[KEPT:]:
            old.unlink(missing_ok=True)
        return path

    def newest(self) -> Checkpoint | None:
        """The last whole checkpoint of this training; None if there is none."""
        if self.folder.is_dir():
            for left in sorted(self.folder.glob("*.part")):
                self.warn(f"The checkpoint {left.name} was never finished; it is not used.")
        for path in self._files():
            try:
                return _unpacked(path.read_bytes(), self.training)
            except (BrokenError, OSError) as error:
                self.warn(f"The checkpoint {path.name} is not used: {error}.")
        return None

    def _files(self) -> list[Path]:
        """Newest first."""
        found = self.folder.iterdir() if self.folder.is_dir() else iter(())
        return sorted((path for path in found if _NAME.fullmatch(path.name)), reverse=True)


def _packed(checkpoint: Checkpoint, training: str) -> bytes:
    facts = json.dumps({"training": training, **checkpoint.facts}).encode()
    file = io.BytesIO()
    arrays: dict[str, Any] = {f"array/{name}": value for name, value in checkpoint.arrays.items()}
    np.savez(file, facts=np.frombuffer(facts, np.uint8), **arrays)
    return file.getvalue()


def _unpacked(content: bytes, training: str) -> Checkpoint:
    header, _, payload = content.partition(b"\n")
    kind, _, told = header.partition(b" ")
    if kind != KIND and re.fullmatch(rb"trainer-checkpoint-\d{1,9}", kind):
        known = f"{kind.decode()}; this trainer reads {KIND.decode()}"
        raise BrokenError(f"it is of another version ({known})")
    if kind != KIND:
        raise BrokenError("it is not a checkpoint of this trainer")
    if hashlib.sha256(payload).hexdigest().encode() != told:
        raise BrokenError("it is cut short or was changed (its hash differs)")
    with np.load(io.BytesIO(payload), allow_pickle=False) as held:
        facts = json.loads(held["facts"].tobytes())
        arrays = {name.removeprefix("array/"): held[name] for name in held.files if name != "facts"}
    if facts.pop("training") != training:
        raise BrokenError("it is of a training with other photos, flags or versions")
    return Checkpoint(arrays, facts)
