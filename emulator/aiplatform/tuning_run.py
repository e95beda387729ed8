"""How a tuning job goes on: trials begun up to the limit, watched, judged; taken up at any point.

A trial and its job are stored at once, and what a trial reported lies in its job's folder, so that
a server that was killed between any two steps finds where it was.
"""

from __future__ import annotations

import asyncio
import logging

from emulator.aiplatform import custom_run, tuning_trials
from emulator.aiplatform.lifecycles import CANCELLED, TUNING_JOB
from emulator.cloud import Cloud
from emulator.errors import ApiError
from emulator.logging import entries
from emulator.operations import status

LOG = logging.getLogger("emulator.aiplatform")
LIFE = TUNING_JOB
POLL_SECONDS = 0.2


def take_up(cloud: Cloud) -> None:
    """Every job that has not ended is followed again, and its trials with it."""
    for name in LIFE.unfinished(cloud):
        cloud.jobs.spawn(follow(cloud, name), name)


async def follow(cloud: Cloud, name: str) -> None:
    """The job is in a final state, and so are its trials."""
    try:
        await _advance(cloud, name)
        problem = None
    except ApiError as said:
        problem = said
    except Exception as said:
        LOG.exception("tuning job %s failed", name)
        problem = ApiError("INTERNAL", f"Internal error: {said!r}")
    await asyncio.to_thread(_conclude, cloud, name, problem)


async def _advance(cloud: Cloud, name: str) -> None:
    """Every trial has ended, and no other is to begin."""
    followed: set[str] = set()
    while True:
        await asyncio.to_thread(tuning_trials.look, cloud, name)
        active = tuning_trials.active(cloud.resources.require(name))
        for job in {trial["customJob"] for trial in active} - followed:
            followed.add(job)
            cloud.jobs.spawn(custom_run.go_on(cloud, job), job)
        if await asyncio.to_thread(tuning_trials.begin, cloud, name):
            continue
        if not tuning_trials.active(cloud.resources.require(name)):
            return
        await asyncio.sleep(POLL_SECONDS)


def _conclude(cloud: Cloud, name: str, problem: ApiError | None) -> None:
    """The final state; where the search itself failed, the trials that go on are cancelled."""
    with cloud.store.transaction():
        body = cloud.resources.get(name)
        if body is None or LIFE.is_final(body):
            return
        failure = status(problem) if problem else body.get(tuning_trials.FAILURE)
        good = [one for one in body.get("trials", []) if one["state"] == "SUCCEEDED"]
        if not good and failure is None:
            failure = {"code": 3, "message": "No trial has succeeded."}
        at = max((one.get("endTime", "") for one in body.get("trials", [])), default="")
        if problem is not None:
            tuning_trials.cancel_all(cloud, body)
            at = ""
        if body["state"] == LIFE.state("CANCELLING"):
            LIFE.end(cloud, body, "CANCELLED", at, error=CANCELLED)
            entries.service(cloud, name, "Job is cancelled.")
        elif failure is not None:
            LIFE.end(cloud, body, "FAILED", at, error=failure)
            entries.service(cloud, name, failure["message"], "ERROR")
        else:
            LIFE.end(cloud, body, "SUCCEEDED", at)
            entries.service(cloud, name, "Job completed successfully.")
