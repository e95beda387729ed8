"""What exists and is in no state, handed to Terraform as import blocks in a file of their own."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ops.cloud.standing import Standing, Wanted

FILE = "recovered.tf.json"


def wanted(plan: Mapping[str, Any]) -> list[Wanted]:
    """What the plan would make, with the values that are known by then."""
    return [
        Wanted(one["address"], one["type"], one["change"].get("after") or {})
        for one in plan.get("resource_changes", [])
        if one.get("mode") == "managed"
        and one["change"].get("actions") == ["create"]
        and not one["change"].get("importing")
    ]


def write(folder: Path, standing: Sequence[Standing]) -> None:
    """The blocks, for the next plan; they do no harm once what they name is in the state."""
    blocks = [{"to": one.address, "id": one.id} for one in standing]
    (folder / FILE).write_text(json.dumps({"import": blocks}, indent=2) + "\n", encoding="utf-8")
