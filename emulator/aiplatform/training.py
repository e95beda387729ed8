"""How a training pipeline goes on: prepare, launch, follow, conclude; taken up at any point.

The state is in the store and in the job's folder alone, so that a server that was killed between
any two steps finds where it was: no `spec.json`, not launched; `exit.json`, not concluded.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from emulator.aiplatform import automl_job, custom_pipelines, names, resources
from emulator.aiplatform.lifecycles import CANCELLED, TRAINING_PIPELINE
from emulator.aiplatform.results import collect
from emulator.cloud import Cloud
from emulator.errors import ApiError
from emulator.jobs import Ending
from emulator.metering import record_training
from emulator.operations import status

LOG = logging.getLogger("emulator.aiplatform")
Body = dict[str, Any]
LIFE = TRAINING_PIPELINE


def job_id(name: str) -> str:
    """The job of a pipeline has its id."""
    return names.last(name)


def take_up(cloud: Cloud) -> None:
    """Every pipeline that has not ended is followed again."""
    for name in LIFE.unfinished(cloud):
        cloud.jobs.spawn(follow(cloud, name), name)


async def follow(cloud: Cloud, name: str) -> None:
    """The pipeline is in a final state."""
    try:
        if custom_pipelines.is_custom(cloud.resources.require(name)):
            await custom_pipelines.advance(cloud, name)
        else:
            await _advance(cloud, name)
    except ApiError as problem:
        _fail(cloud, name, problem)
    except Exception as problem:
        LOG.exception("training pipeline %s failed", name)
        _fail(cloud, name, ApiError("INTERNAL", f"Internal error: {problem!r}"))
    await asyncio.to_thread(cloud.jobs.clear, job_id(name))


async def _advance(cloud: Cloud, name: str) -> None:
    job = job_id(name)
    body = cloud.resources.require(name)
    if not cloud.jobs.was_launched(job):
        spec = await asyncio.to_thread(automl_job.prepare, cloud, body)
        if LIFE.is_cancelling(cloud, name):
            conclude(cloud, name, Ending("cancelled"))
            return
        cloud.jobs.launch(spec)
    else:
        cloud.jobs.relaunch(job)
    LIFE.mark_running(cloud, name)
    ending = await cloud.jobs.finished(job, lambda: LIFE.is_cancelling(cloud, name))
    await asyncio.to_thread(conclude, cloud, name, ending)


def conclude(cloud: Cloud, name: str, ending: Ending) -> None:
    """State, model, evaluation and usage are there together or not at all."""
    with cloud.store.transaction():
        body = cloud.resources.require(name)
        if LIFE.is_final(body):
            return
        if body["state"] == LIFE.state("CANCELLING"):
            ended = LIFE.end(cloud, body, "CANCELLED", ending.at, error=CANCELLED)
            _bill(cloud, ended, automl_job.node_hours_spent(cloud, ending))
            return
        if not ending.is_success:
            raise automl_job.failure(cloud, job_id(name), ending)
        outcome = automl_job.outcome(cloud, body, ending)
        model = collect(cloud, body)
        ended = LIFE.end(
            cloud,
            body,
            "SUCCEEDED",
            ending.at,
            trainingTaskMetadata=outcome.to_json(),
            modelToUpload=resources.public(model),
        )
        _bill(cloud, ended, outcome.milli_node_hours / 1000)


def _bill(cloud: Cloud, body: Body, node_hours: float) -> None:
    is_mobile = body["trainingTaskInputs"]["modelType"].startswith("MOBILE_")
    record_training(cloud, body, is_mobile=is_mobile, node_hours=node_hours)


def _fail(cloud: Cloud, name: str, problem: ApiError) -> None:
    """The pipeline has failed, or is cancelled where somebody had asked for that."""
    with cloud.store.transaction():
        body = cloud.resources.get(name)
        if body is None or LIFE.is_final(body):
            return
        if body["state"] == LIFE.state("CANCELLING"):
            conclude(cloud, name, Ending("cancelled"))
            return
        ending = cloud.jobs.ending(job_id(name))
        at = ending.at if ending else ""
        LIFE.end(cloud, body, "FAILED", at, error=status(problem))
