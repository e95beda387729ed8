"""Regions: which there are, and which have AutoML for images (regions.toml)."""

from __future__ import annotations

import tomllib
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from typing import Any

from ops.errors import Code, OpsError


@cache
def _table() -> dict[str, Any]:
    text = files("ops.pricing").joinpath("regions.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def names() -> list[str]:
    """Every region of Vertex AI."""
    return list(_table()["regions"])


def known(region: str) -> bool:
    """Whether Vertex AI has this region; a multi-region such as `us` is none."""
    return region in names()


def has_automl(region: str) -> bool:
    """Whether the region has AutoML for images."""
    return region in with_automl()


def with_automl() -> list[str]:
    """The regions that have AutoML for images."""
    return list(_table()["automl_image"])


def check(region: str) -> None:
    """UNKNOWN_REGION when Vertex AI has no such region."""
    known: list[str] = _table()["regions"]
    if region in known:
        return
    near = get_close_matches(region, known, n=3) or ["us-central1", "europe-west4"]
    raise OpsError(
        Code.UNKNOWN_REGION,
        f"{region!r} is not a region of Vertex AI.",
        f"Type --region with one like {', '.join(near)}.",
    )


def check_automl(region: str) -> None:
    """REGION_WITHOUT_AUTOML when the region has no AutoML for images."""
    check(region)
    offered = with_automl()
    if region in offered:
        return
    raise OpsError(
        Code.REGION_WITHOUT_AUTOML,
        f"Region {region} has no AutoML for images; {' and '.join(offered)} have.",
        f"Type --region {offered[0]} (data set, model and endpoint are in one region).",
    )
