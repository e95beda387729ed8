"""Machines and accelerators: which there are with a known price, and which go together."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from typing import Any

from ops.errors import Code, OpsError
from ops.pricing import rates

DEFAULT_TRAINING_MACHINE = "n1-standard-4"
# "Custom models need a machine type, default n1-standard-2": predictions/configure-compute, read
# 2026-08-22.
DEFAULT_SERVING_MACHINE = "n1-standard-2"
SERVING = "serving-"
ACCELERATOR_SHAPE = re.compile(r"([A-Z0-9_]+)(?::([0-9]{1,2}))?")
# NVIDIA T4 on N1: docs.cloud.google.com/compute/docs/gpus, read 2026-08-22.
ACCELERATOR_COUNTS = (1, 2, 4)


@dataclass(frozen=True)
class Machine:
    """A machine with what it computes on; `accelerator` is empty when there is none.

    `is_included` when the accelerator comes with the machine, at its price.
    """

    type: str
    accelerator: str = ""
    accelerator_count: int = 0
    is_included: bool = False

    def spec(self) -> dict[str, Any]:
        """Vertex's `machineSpec`."""
        spec: dict[str, Any] = {"machineType": self.type}
        if self.accelerator:
            spec["acceleratorType"] = self.accelerator
            spec["acceleratorCount"] = self.accelerator_count
        return spec


@cache
def _table() -> dict[str, Any]:
    text = files("ops.pricing").joinpath("machines.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def machine(type: str, accelerator: str = "") -> Machine:
    """The machine, with `NVIDIA_TESLA_T4` or `NVIDIA_TESLA_T4:2` if one is asked for.

    UNKNOWN_PRICE for a machine that has none here; USAGE for what does not go together.
    """
    row = _table().get(type)
    if row is None:
        raise _unknown("machine", type, list(_table()))
    if not accelerator:
        has = str(row.get("has", ""))
        return Machine(type, has, 1 if has else 0, bool(has))
    return _with(type, row, accelerator)


def check_serving(type: str) -> str:
    """The machine type, if the price of serving on it is known; UNKNOWN_PRICE if not."""
    known = [sku.removeprefix(SERVING) for sku in rates.table() if sku.startswith(SERVING)]
    if type in known:
        return type
    raise _unknown("machine", type, known)


def _with(type: str, row: dict[str, Any], accelerator: str) -> Machine:
    found = ACCELERATOR_SHAPE.fullmatch(accelerator)
    name, count = (found[1], int(found[2] or 1)) if found else (accelerator, 1)
    if name == row.get("has") and count == 1:
        return Machine(type, name, 1, is_included=True)
    known = sorted({one for each in _table().values() for one in each.get("takes", [])})
    if name not in {*known, *(each.get("has") for each in _table().values())}:
        raise _unknown("accelerator", name, known)
    if name in row.get("takes", []) and count in ACCELERATOR_COUNTS:
        return Machine(type, name, count)
    fits = [t for t, r in _table().items() if name in r.get("takes", []) or name == r.get("has")]
    takes = " or ".join(row.get("takes", [])) or f"no other than its own {row.get('has')}"
    raise OpsError(
        Code.USAGE,
        f"Machine {type} takes {takes}, in numbers of "
        f"{', '.join(map(str, ACCELERATOR_COUNTS))}. Received: {accelerator}.",
        f"Type --machine {fits[0]} --accelerator {name}",
    )


def _unknown(what: str, received: str, known: list[str]) -> OpsError:
    near = get_close_matches(received, known, n=1, cutoff=0.3) or known
    return OpsError(
        Code.UNKNOWN_PRICE,
        f"The price of {what} {received!r} is not known, and is not guessed "
        f"(known: {', '.join(known)}).",
        f"Type --{what} {near[0]}",
    )
