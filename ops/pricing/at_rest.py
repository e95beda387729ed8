"""What a stack costs a month while nothing runs in it, by the dated rate table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ops.errors import OpsError
from ops.pricing import rates
from ops.pricing.estimate import Cost

HOURS_A_MONTH = 730.0
BUCKET, REPOSITORY = "google_storage_bucket", "google_artifact_registry_repository"
STORED = {BUCKET: (rates.STORAGE, "photos and models"), REPOSITORY: (rates.IMAGES, "images")}
# The state of a whole stack had 53,669 bytes (2026-11-22); its bucket keeps fifty older versions.
STATE_GIB = 51 * 53_669 / 1024**3


@dataclass(frozen=True)
class AtRest:
    """Dollars a month: `now` as it is made, empty; `stored` what one GiB more of each costs.

    `unknown` names what has no price in the table for this region.
    """

    now: tuple[Cost, ...]
    stored: tuple[Cost, ...]
    unknown: tuple[str, ...]

    @property
    def usd(self) -> float:
        """The sum of `now`."""
        return sum(cost.usd for cost in self.now)

    def as_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "usd_per_month": round(self.usd, 6),
            "now": [cost.as_json() for cost in self.now],
            "stored": [cost.as_json() for cost in self.stored],
            "unknown": list(self.unknown),
        }


def of(types: Iterable[str], region: str) -> AtRest:
    """The cost of resources of these Terraform types, in a region.

    Bucket and image repository are billed by what is stored in them. The others have no price:
    APIs, accounts, permissions, identity pools, quota requests, budgets and channels.
    """
    stored: list[Cost] = []
    now: list[Cost] = []
    unknown: list[str] = []
    for type_ in sorted({*types} & set(STORED)):
        sku, what = STORED[type_]
        try:
            rate = rates.rate(sku, region)
        except OpsError:
            unknown.append(what)
            continue
        stored.append(Cost(f"each GiB of {what}", _units(rate, 1.0), rate))
        if sku == rates.STORAGE:
            now.append(Cost("Terraform's state", _units(rate, STATE_GIB), rate))
    return AtRest(tuple(now), tuple(stored), tuple(unknown))


def _units(rate: rates.Rate, gib: float) -> float:
    """So many GiB for a month, in the rate's own unit."""
    return gib * HOURS_A_MONTH if rate.unit.endswith("hour") else gib
