"""The dated rate table: data in rates.toml, read once."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from ops.errors import Code, OpsError

AUTOML_TRAINING = "automl-image-training"
AUTOML_DEPLOYED = "automl-image-deployed"
AUTOML_BATCH = "automl-image-batch"
STORAGE = "storage-standard"
IMAGES = "storage-images"
BUILD = "build-e2-standard-2"


@dataclass(frozen=True)
class Rate:
    """What one unit costs, where, since when this is known, and from where."""

    sku: str
    usd: float
    unit: str
    regions: tuple[str, ...]
    read: str
    source: str


@cache
def table() -> dict[str, Rate]:
    """Every rate, by SKU."""
    text = files("ops.pricing").joinpath("rates.toml").read_text(encoding="utf-8")
    rows = tomllib.loads(text)
    return {
        sku: Rate(sku, row["usd"], row["unit"], tuple(row["regions"]), row["read"], row["source"])
        for sku, row in rows.items()
    }


def rate(sku: str, region: str) -> Rate:
    """The rate of a SKU in a region; UNKNOWN_PRICE when the table has none."""
    found = table().get(sku)
    if found is not None and region in found.regions:
        return found
    known = ", ".join(found.regions) if found else "no region"
    raise OpsError(
        Code.UNKNOWN_PRICE,
        f"The price of {sku} in {region} is not known (known: {known}).",
        "Type --region us-central1, whose prices are known.",
    )
