"""The cost reports that teardowns left: `.ops/<stack>/<time of its bucket>/cost-report.json`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ops.settings import Settings

REPORT = "cost-report.json"


@dataclass(frozen=True)
class Kept:
    """A report of a stack that is gone: `at` is when it was taken down, in UTC.

    `at_least` when something was not on record.
    """

    path: Path
    at: str
    google_usd: float
    billed_usd: float
    at_least: bool

    def as_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return {**vars(self), "path": str(self.path)}


def newest_first(settings: Settings) -> list[Kept]:
    """What was kept of this stack on this machine; one that cannot be read is left out."""
    paths = (settings.state_dir / settings.stack).glob(f"*/{REPORT}")
    found = [kept for path in paths if (kept := _read(path)) is not None]
    return sorted(found, key=lambda kept: kept.at, reverse=True)


def _read(path: Path) -> Kept | None:
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        return Kept(
            path,
            str(said["at"]),
            float(said["google_usd"]),
            float(said["billed_usd"]),
            bool(said.get("at_least")),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None
