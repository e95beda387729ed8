"""Prediction servers: started, waited for, kept alive, found again after a restart."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import socket
import time
from collections.abc import Callable
from typing import Any

from emulator.aiplatform import automl_job, models
from emulator.aiplatform.prediction_client import get_health
from emulator.aiplatform.training_inputs import AUTOML_TASK
from emulator.cloud import Cloud
from emulator.errors import ApiError
from emulator.jobs import JobSpec, engines
from emulator.jobs.spec import read_json
from emulator.resourcemanager import projects

LOG = logging.getLogger("emulator.aiplatform")
Body = dict[str, Any]
JOB_PREFIX = "serve-"
HEALTH_ROUTE = "/health"
PREDICT_ROUTE = "/predict"
START_SECONDS = 300.0
POLL_SECONDS = 0.05
# A server that dies is started again; one that cannot stay up, ever less often.
FIRST_PAUSE_SECONDS = 0.2
LAST_PAUSE_SECONDS = 30.0


def job_id(endpoint: str, deployed_id: str) -> str:
    """The job of one deployed model: ids are the client's choice and unique per endpoint only."""
    digest = hashlib.sha256(endpoint.encode()).hexdigest()[:12]
    return f"{JOB_PREFIX}{digest}-{deployed_id}"


def port(cloud: Cloud, endpoint: str, deployed_id: str) -> int | None:
    """Where the server of a deployed model listens, or None while it has not been launched."""
    spec = read_json(cloud.jobs.path(job_id(endpoint, deployed_id)) / "spec.json")
    return None if spec is None else int(spec["environment"]["AIP_HTTP_PORT"])


async def healthy(
    cloud: Cloud, endpoint: str, deployed: Body, is_unwanted: Callable[[], bool]
) -> int:
    """The port of a server that answers 200 on its health route, launched if it was not.

    ApiError when the process ends first, does not get healthy in five minutes, or is no longer
    wanted.
    """
    job = job_id(endpoint, deployed["id"])
    if cloud.jobs.ending(job) is not None:
        await asyncio.to_thread(cloud.jobs.remove, job)
    if cloud.jobs.was_launched(job):
        cloud.jobs.relaunch(job)
    else:
        cloud.jobs.launch(_spec(cloud, job, models.deployed_version(deployed)))
    found = port(cloud, endpoint, deployed["id"])
    assert found is not None
    deadline = time.monotonic() + START_SECONDS
    while not await get_health(found, HEALTH_ROUTE):
        if is_unwanted():
            raise ApiError("CANCELLED", "The deployment was cancelled.")
        if cloud.jobs.ending(job) is not None or not cloud.jobs.is_alive(job):
            said = automl_job.last_words(cloud.jobs.path(job))
            raise ApiError("INTERNAL", f"The prediction server ended before it was ready. {said}")
        if time.monotonic() > deadline:
            raise ApiError("DEADLINE_EXCEEDED", "The prediction server is not healthy after 300 s.")
        await asyncio.sleep(POLL_SECONDS)
    return found


def _spec(cloud: Cloud, job: str, model_name: str) -> JobSpec:
    command = engines.find(cloud.settings.engines, "serve", AUTOML_TASK)
    if command is None:
        raise ApiError(
            "FAILED_PRECONDITION",
            f"No engine serves {AUTOML_TASK}. Install the package with its extra 'train', or start "
            f"the server with --engine 'serve:{AUTOML_TASK}=COMMAND'.",
        )
    model = models.require(cloud, model_name)
    project = model_name.split("/")[1]
    environment = {
        "AIP_HTTP_PORT": str(_free_port()),
        "AIP_HEALTH_ROUTE": HEALTH_ROUTE,
        "AIP_PREDICT_ROUTE": PREDICT_ROUTE,
        "AIP_STORAGE_URI": model[models.ARTIFACTS],
        "AIP_PROJECT_NUMBER": str(projects.number(cloud, project)),
        "STORAGE_EMULATOR_HOST": cloud.settings.base_url,
        "GOOGLE_APPLICATION_CREDENTIALS": str(cloud.settings.data_dir / "service-account.json"),
        "GOOGLE_CLOUD_PROJECT": project,
    }
    return JobSpec(job, command, environment)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


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
