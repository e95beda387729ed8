"""A job whose image nobody here knows: pending as on Google, until its image cannot be pulled."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from emulator.aiplatform import component_code, custom_spec
from emulator.cloud import Cloud
from emulator.errors import ApiError
from emulator.jobs import engines

Body = dict[str, Any]
POLL_SECONDS = 0.05


async def wait(cloud: Cloud, body: Body, is_unwanted: Callable[[], bool]) -> None:
    """Returns when the job is unwanted. NOT_FOUND, with what to do, when the time is up."""
    created = datetime.fromisoformat(body["createTime"])
    deadline = created + timedelta(seconds=cloud.settings.image_pull_seconds)
    while cloud.clock.now() < deadline:
        if is_unwanted():
            return
        await asyncio.sleep(POLL_SECONDS)
    raise ApiError("NOT_FOUND", f"{_what(body)} {advice(body)}")


def _what(body: Body) -> str:
    return f"Failed to pull the image {custom_spec.image(body['jobSpec'])}: it is not known here."


def advice(body: Body) -> str:
    """Which option of the server makes a job like this one run."""
    if component_code.SOURCE in body:
        return component_code.ADVICE
    if "pythonPackageSpec" in custom_spec.primary(body["jobSpec"]):
        return "Start the server with --run-user-code to run uploaded Python packages here."
    image = custom_spec.image(body["jobSpec"])
    return (
        f"Start the server with --engine 'train:{engines.without_tag(image)}=COMMAND' to say which "
        "command stands for it; a container's own command is never executed."
    )
