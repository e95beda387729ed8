"""What a custom job's spec names has to be there when the job is asked for."""

from __future__ import annotations

from typing import Any

from emulator.aiplatform import names, persistent_resources
from emulator.aiplatform.tensorboard_nouns import TENSORBOARD
from emulator.cloud import Cloud
from emulator.errors import ApiError

Body = dict[str, Any]


def check(cloud: Cloud, location: names.Location, spec: Body) -> None:
    """Raises for a persistent resource or a tensorboard that is not there, or is elsewhere."""
    persistent_resources.check_job(cloud, location, spec)
    board = spec.get("tensorboard")
    if not board:
        return
    TENSORBOARD.require(cloud, board)
    if names.location(board) != location:
        raise ApiError("INVALID_ARGUMENT", f"The Tensorboard {board} must be in {location.name}.")
