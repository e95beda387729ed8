"""What a supervisor is told, and what it says at the end."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from emulator.clock import timestamp

GRACE_SECONDS = 10.0
# Names a job must not inherit: they would lead it to somebody's real cloud.
FOREIGN_PREFIXES = (
    "GOOGLE_", "CLOUDSDK_", "GCLOUD_", "GCP_", "AIP_", "CLOUD_ML_", "GCS_MOUNT",
    "API_ENDPOINT_OVERRIDE", "FSSPEC_GCS_", "FSSPEC_GS_",
)  # fmt: skip


@dataclass(frozen=True)
class JobSpec:
    """One command to supervise; `timeout_seconds` None is for servers, which have no end.

    `dies` is a fault that was asked for: `afterSeconds`, and `exitCode` or -1 for a SIGKILL.
    """

    id: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    timeout_seconds: float | None = None
    grace_seconds: float = GRACE_SECONDS
    dies: Mapping[str, Any] | None = None

    def to_json(self) -> dict[str, Any]:
        """The content of `spec.json`; the environment is the whole one, ours over the server's."""
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(FOREIGN_PREFIXES) and not name.endswith("_EMULATOR_HOST")
        }
        return {
            "id": self.id,
            "command": list(self.command),
            "environment": inherited | dict(self.environment),
            "timeoutSeconds": self.timeout_seconds,
            "graceSeconds": self.grace_seconds,
            "dies": self.dies,
        }


@dataclass(frozen=True)
class Ending:
    """How a job ended.

    `reason` is `exited`, `timeout`, `cancelled`, `not_started` (the command is not there) or
    `lost` (its supervisor is gone without a word: killed, or the machine restarted).
    """

    reason: str
    code: int | None = None
    message: str = ""
    started: float = 0.0
    ended: float = 0.0

    @property
    def at(self) -> str:
        """When it ended, as Google prints times; empty where nobody was there to see it."""
        return timestamp(datetime.fromtimestamp(self.ended, UTC)) if self.ended else ""

    @property
    def is_success(self) -> bool:
        """Whether the command came to its own end with exit code 0."""
        return self.reason == "exited" and self.code == 0


def read_json(path: Path) -> dict[str, Any] | None:
    """The object in a file written by rename, or None where there is none yet."""
    try:
        value: dict[str, Any] = json.loads(path.read_text())
    except FileNotFoundError:
        return None
    return value


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """The file is there whole or not at all, also after loss of power."""
    partial = path.with_suffix(".partial")
    with partial.open("w") as file:
        json.dump(value, file)
        file.flush()
        os.fsync(file.fileno())
    partial.rename(path)
