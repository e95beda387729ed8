"""Prediction servers: started, waited for, kept alive, found again after a restart."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from emulator.aiplatform import automl_job
from emulator.aiplatform.prediction_client import get_health
from emulator.aiplatform.serving_spec import server_spec
from emulator.cloud import Cloud
from emulator.errors import ApiError
from emulator.jobs.spec import read_json

LOG = logging.getLogger("emulator.aiplatform")
Body = dict[str, Any]
JOB_PREFIX = "serve-"
START_SECONDS = 300.0
POLL_SECONDS = 0.05
# A server that dies is started again; one that cannot stay up, ever less often.
FIRST_PAUSE_SECONDS = 0.2
LAST_PAUSE_SECONDS = 30.0


def job_id(endpoint: str, deployed_id: str) -> str:
    """The job of one deployed model: ids are the client's choice and unique per endpoint only."""
    digest = hashlib.sha256(endpoint.encode()).hexdigest()[:12]
    return f"{JOB_PREFIX}{digest}-{deployed_id}"


@dataclass(frozen=True)
class Address:
    """Where a prediction server listens."""

    port: int
    health: str
    predict: str


def address(cloud: Cloud, endpoint: str, deployed_id: str) -> Address | None:
    """Where the server of a deployed model listens, or None while it has not been launched."""
    spec = read_json(cloud.jobs.path(job_id(endpoint, deployed_id)) / "spec.json")
    if spec is None:
        return None
    said = spec["environment"]
    port = int(said["AIP_HTTP_PORT"])
    return Address(port, said["AIP_HEALTH_ROUTE"], said["AIP_PREDICT_ROUTE"])


async def healthy(
    cloud: Cloud, endpoint: str, deployed: Body, is_unwanted: Callable[[], bool]
) -> Address:
    """The address of a server that answers 200 on its health route, launched if it was not.

    ApiError when the process ends first, does not get healthy in five minutes, or is no longer
    wanted.
    """
    job = job_id(endpoint, deployed["id"])
    if cloud.jobs.ending(job) is not None:
        await asyncio.to_thread(cloud.jobs.remove, job)
    if cloud.jobs.was_launched(job):
        cloud.jobs.relaunch(job)
    else:
        cloud.jobs.launch(await asyncio.to_thread(server_spec, cloud, job, endpoint, deployed))
    found = address(cloud, endpoint, deployed["id"])
    assert found is not None
    deadline = time.monotonic() + START_SECONDS
    while not await get_health(found.port, found.health):
        if is_unwanted():
            raise ApiError("CANCELLED", "The deployment was cancelled.")
        if cloud.jobs.ending(job) is not None or not cloud.jobs.is_alive(job):
            said = automl_job.last_words(cloud.jobs.path(job))
            raise ApiError("INTERNAL", f"The prediction server ended before it was ready. {said}")
        if time.monotonic() > deadline:
            raise ApiError("DEADLINE_EXCEEDED", "The prediction server is not healthy after 300 s.")
        await asyncio.sleep(POLL_SECONDS)
    return found


def keep(cloud: Cloud, endpoint: str, deployed: Body) -> None:
    """While the model is deployed, its server is started again whenever it ends."""
    cloud.jobs.spawn(_keep(cloud, endpoint, deployed), f"serving {deployed['id']}")


async def _keep(cloud: Cloud, endpoint: str, deployed: Body) -> None:
    job = job_id(endpoint, deployed["id"])
    pause = FIRST_PAUSE_SECONDS
    while is_deployed(cloud, endpoint, deployed["id"]):
        try:
            await healthy(
                cloud, endpoint, deployed, lambda: not is_deployed(cloud, endpoint, deployed["id"])
            )
            pause = FIRST_PAUSE_SECONDS
            await cloud.jobs.finished(job)
        except ApiError as problem:
            LOG.warning("%s: %s", job, problem.message)
        if is_deployed(cloud, endpoint, deployed["id"]):
            await asyncio.to_thread(cloud.jobs.remove, job)
            await asyncio.sleep(pause)
            pause = min(pause * 2, LAST_PAUSE_SECONDS)


def is_deployed(cloud: Cloud, endpoint: str, deployed_id: str) -> bool:
    """Whether the endpoint still has this model."""
    body = cloud.resources.get(endpoint) or {}
    return any(one["id"] == deployed_id for one in body.get("deployedModels", []))
