"""What one check of `ops doctor` found, and what it is asked about."""

from __future__ import annotations

import os
from collections.abc import Iterable, MutableMapping
from dataclasses import dataclass, field
from enum import IntEnum

from ops.errors import Code, OpsError
from ops.settings import Settings

AUTOML, CUSTOM, SERVING = "automl", "custom", "serving"
MODES = (AUTOML, CUSTOM, SERVING)


class Level(IntEnum):
    """How it stands, the worst last."""

    OK = 0
    WARNING = 1
    FAILURE = 2


@dataclass(frozen=True)
class Check:
    """One precondition: what was found and, unless it is well, what to type."""

    name: str
    level: Level
    found: str
    fix: str = ""

    def as_json(self) -> dict[str, str]:
        """Plain JSON."""
        level = self.level.name.lower()
        return {"name": self.name, "level": level, "found": self.found, "fix": self.fix}


@dataclass(frozen=True)
class Job:
    """What is going to be run; `mode` is empty when that was not said.

    `accelerator` is Vertex AI's type (`NVIDIA_TESLA_T4`) or empty; `count` is how many of them, or
    of machines where there is none.
    """

    mode: str = ""
    accelerator: str = ""
    count: int = 1
    is_spot: bool = False


@dataclass(frozen=True)
class Case:
    """The settings that are checked, the job they are checked for, and the environment."""

    settings: Settings
    job: Job = Job()
    environ: MutableMapping[str, str] = field(default_factory=lambda: os.environ)


def job(mode: str | None, accelerator: str | None, count: int, is_spot: bool) -> Job:
    """The job as typed; USAGE for what there is not."""
    if mode is not None and mode not in MODES:
        raise OpsError(
            Code.USAGE,
            f"A job is {', '.join(MODES)}. Received: {mode}.",
            "Type --job custom",
        )
    if count < 1:
        raise OpsError(Code.USAGE, f"At least 1 is needed. Received: {count}.", "Type --count 1")
    from ops.pricing import gpus

    name, _, number = (accelerator or "").partition(":")
    wanted = int(number) if number.isdecimal() and number != "0" else count
    implied = CUSTOM if accelerator or is_spot else ""
    return Job(mode or implied, gpus.full_name(name) if name else "", wanted, is_spot)


def worst(checks: Iterable[Check]) -> Level:
    """The worst level."""
    return max((check.level for check in checks), default=Level.OK)


def told(name: str, error: OpsError, level: Level = Level.FAILURE) -> Check:
    """An error as what a check found."""
    return Check(name, level, error.message, error.hint.removeprefix("Type: "))
