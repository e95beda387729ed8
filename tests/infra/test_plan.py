"""The plan of a full stack on Google, with credentials that are made up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.infra import plan_page


@pytest.fixture(scope="module")
def plan(provider: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The plan, made without a network."""
    del provider
    folder: Path = tmp_path_factory.mktemp("plan") / "infra"
    return plan_page.full_plan(folder)


def test_the_page_lists_the_plan(plan: dict[str, Any]) -> None:
    """docs/infra.md is current (`python -m tests.infra.plan_page`)."""
    assert plan_page.PAGE.read_text() == plan_page.with_plan(plan)


def test_everything_that_takes_labels_has_them(plan: dict[str, Any]) -> None:
    """Bucket, repository, requests and channel say whose they are, so that they can be found."""
    after = {
        one["address"]: one["change"]["after"]
        for one in plan["resource_changes"]
        if one["mode"] == "managed"
    }
    labelled = {
        address: values.get("effective_labels") or values.get("user_labels")
        for address, values in after.items()
        if "effective_labels" in values or "user_labels" in values
    }

    assert len(labelled) == 3
    assert all(found["ops-stack"] == "default" for found in labelled.values())
    assert all(found["ops-owner"] == "ada" for found in labelled.values())


def test_an_offline_plan_asks_nobody(plan: dict[str, Any]) -> None:
    """With the project's number given there is no data source, of which a plan would ask."""
    read = [one["address"] for one in plan["resource_changes"] if one["mode"] == "data"]

    assert read == []
