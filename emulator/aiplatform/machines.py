"""Machine types: which there are, which accelerators go with them, and their price."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

TABLE = Path(__file__).with_name("machines.toml")


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads(TABLE.read_text(encoding="utf-8"))


def accelerators_of(machine_type: str) -> tuple[str, ...] | None:
    """The accelerators that a machine type may have, or None for one that Vertex AI has not."""
    for row in _table()["machine"]:
        if re.fullmatch(row["pattern"], machine_type):
            return tuple(row.get("accelerators", ()))
    return None


def serves(machine_type: str) -> bool:
    """Whether predictions can run on a machine type."""
    if accelerators_of(machine_type) is not None:
        return True
    rows = _table()["serving_machine"]
    return any(re.fullmatch(row["pattern"], machine_type) for row in rows)


def usd_per_serving_hour(name: str) -> float | None:
    """The price of serving for an hour on a machine or accelerator in us-central1, if known."""
    price = _table()["usd_per_serving_hour"].get(name)
    return None if price is None else float(price)


def usd_per_hour(name: str) -> float | None:
    """What an hour of a machine type or of one accelerator costs in us-central1, if known."""
    price = _table()["usd_per_hour"].get(name)
    return None if price is None else float(price)
