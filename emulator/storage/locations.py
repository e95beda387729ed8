"""Where buckets may lie, and what kind of location a name is."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from emulator.storage.errors import invalid

TABLE = Path(__file__).with_name("locations.toml")
DEFAULT = "US"
NOT_VALID = "The specified location constraint is not valid."


def placed(sent: dict[str, Any]) -> dict[str, Any]:
    """`location`, `locationType` and `customPlacementConfig` of a new bucket, as Google has them.

    400 for a location that Google does not have, and for a pair that is no pair of regions.
    """
    location = str(sent.get("location") or DEFAULT).upper()
    pair = (sent.get("customPlacementConfig") or {}).get("dataLocations")
    if pair:
        return _pair(location, [name.upper() for name in pair])
    for kind, names in (
        ("region", "regions"),
        ("multi-region", "multi_regions"),
        ("dual-region", "dual_regions"),
    ):
        if location in _table()[names]:
            return {"location": location, "locationType": kind}
    raise invalid(NOT_VALID)


def _pair(location: str, regions: list[str]) -> dict[str, Any]:
    known, within = set(_table()["regions"]), tuple(_table()["codes"].get(location, ()))
    near = all(name.startswith(within) for name in regions) if within else False
    if not near or len(regions) != 2 or regions[0] == regions[1] or not known.issuperset(regions):
        raise invalid(NOT_VALID)
    return {
        "location": location,
        "locationType": "dual-region",
        "customPlacementConfig": {"dataLocations": regions},
    }


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads(TABLE.read_text(encoding="utf-8"))
