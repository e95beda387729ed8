"""What something costs: one pure function for estimates and for actuals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ops.pricing import rates
from ops.pricing.machines import Machine

SECONDS_PER_HOUR = 3600.0
BYTES_PER_GIB = 1024**3
SPOT = "Spot training, priced on demand (no spot price is on record),"


@dataclass(frozen=True)
class Cost:
    """So many units at a dated rate."""

    what: str
    quantity: float
    rate: rates.Rate

    @property
    def usd(self) -> float:
        """Dollars, not rounded."""
        return self.quantity * self.rate.usd

    def as_json(self) -> dict[str, Any]:
        """Plain JSON; quantities and dollars are rounded to a millionth."""
        return {
            "what": self.what,
            "quantity": round(self.quantity, 6),
            "unit": self.rate.unit,
            "usd_per_unit": self.rate.usd,
            "usd": round(self.usd, 6),
            "rate_read": self.rate.read,
            "source": self.rate.source,
        }


@dataclass(frozen=True)
class Estimate:
    """What Google would ask: at once or at most (`costs`), and for every hour it stays."""

    costs: tuple[Cost, ...] = ()
    hourly: tuple[Cost, ...] = ()

    @property
    def usd(self) -> float:
        """The most that `costs` come to."""
        return total_usd(self.costs)

    @property
    def usd_per_hour(self) -> float:
        """What it goes on costing."""
        return total_usd(self.hourly)

    def as_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "usd": round(self.usd, 6),
            "usd_per_hour": round(self.usd_per_hour, 6),
            "costs": [cost.as_json() for cost in self.costs],
            "hourly": [cost.as_json() for cost in self.hourly],
        }


def cost(what: str, sku: str, quantity: float, region: str) -> Cost:
    """So many units of a SKU in a region; UNKNOWN_PRICE when the table has no rate."""
    return Cost(what, quantity, rates.rate(sku, region))


def total_usd(costs: Sequence[Cost]) -> float:
    """The sum in dollars."""
    return sum(item.usd for item in costs)


def automl_training(node_hours: float, region: str) -> Cost:
    """Training, by node hours used (or, before, by the budget)."""
    return cost("AutoML training", rates.AUTOML_TRAINING, node_hours, region)


def automl_deployed(node_hours: float, region: str) -> Cost:
    """A deployed AutoML model, by hours times nodes, with or without traffic."""
    return cost("AutoML model deployed", rates.AUTOML_DEPLOYED, node_hours, region)


def automl_batch(node_hours: float, region: str) -> Cost:
    """Batch prediction with an AutoML model, by node hours."""
    return cost("AutoML batch prediction", rates.AUTOML_BATCH, node_hours, region)


def custom_training(
    seconds: float, machine: Machine, region: str, *, spot: bool = False
) -> tuple[Cost, ...]:
    """Custom training, by the time that its machine runs: the machine, then its accelerators.

    With `spot` it is the most: no spot price is on record, so that of the same machine on demand.
    """
    hours = seconds / SECONDS_PER_HOUR
    on = f"{SPOT} on" if spot else "Training on"
    costs = [cost(f"{on} {machine.type}", f"training-{machine.type}", hours, region)]
    if machine.accelerator and not machine.is_included:
        sku = f"training-{machine.accelerator}"
        quantity = hours * machine.accelerator_count
        costs.append(cost(f"{on} {machine.accelerator}", sku, quantity, region))
    return tuple(costs)


def image_build(seconds: float, region: str) -> Cost:
    """A build of a container image, by the minutes that its machine works."""
    return cost("Building the trainer's image", rates.BUILD, seconds / 60, region)


def custom_deployed(node_hours: float, machine_type: str, region: str) -> Cost:
    """A deployed custom model, by hours times nodes, with or without traffic."""
    return cost(f"Model deployed on {machine_type}", f"serving-{machine_type}", node_hours, region)


def deployed(node_hours: float, machine_type: str, region: str) -> Cost:
    """A deployed model: on a machine, or AutoML's nodes where `machine_type` is empty."""
    if machine_type:
        return custom_deployed(node_hours, machine_type, region)
    return automl_deployed(node_hours, region)


def stored(size_bytes: int, hours: float, region: str) -> Cost:
    """Stored objects, by GiB hours."""
    return cost("Storage", rates.STORAGE, size_bytes / BYTES_PER_GIB * hours, region)


def cents_up(usd: float) -> float:
    """Dollars rounded up to a cent: a cap of this much is enough."""
    return math.ceil(round(usd * 100, 6)) / 100


def amount(usd: float) -> str:
    """Dollars and cents; what is under a cent but not nothing has all its digits: $0.0001."""
    return f"${usd:g}" if 0 < usd < 0.01 else f"${usd:.2f}"


def over(usd: float, cap_usd: float) -> bool:
    """Whether a cost is above a cap, by more than floating point makes of it."""
    return usd > cap_usd + 1e-9


def seconds_for(usd: float, usd_per_hour: float) -> int:
    """How many whole seconds a cap in dollars buys at an hourly rate."""
    return int(usd / usd_per_hour * SECONDS_PER_HOUR)
