"""What is due by the clock: each schedule's next run, begun once and planned anew with it."""

from __future__ import annotations

import asyncio
import json
import logging
from datetime import datetime
from typing import Any

from emulator.aiplatform import cron, pipeline_jobs
from emulator.aiplatform.lifecycles import PIPELINE_JOB
from emulator.clock import timestamp
from emulator.cloud import Cloud
from emulator.errors import ApiError

LOG = logging.getLogger("emulator.aiplatform")
Body = dict[str, Any]
KIND = "aiplatform.Schedule"
POLL_SECONDS = 0.25
# A full disk, say: what is due is due when it has room again.
LONGEST_PAUSE_SECONDS = 30.0


def first_from(body: Body, now: datetime) -> datetime:
    """The moment behind which the first run may be: now, or a start that is yet to come."""
    return max(now, datetime.fromisoformat(body["startTime"]))


def planned(body: Body, behind: datetime) -> Body:
    """The schedule with its next run behind a moment; COMPLETED where there is none."""
    found = cron.parse(body["cron"]).next_after(behind)
    started, most = int(body.get("startedRunCount", 0)), int(body.get("maxRunCount", 0))
    is_over = "endTime" in body and found and found > datetime.fromisoformat(body["endTime"])
    if found is None or is_over or (most and started >= most):
        rest = {key: value for key, value in body.items() if key != "nextRunTime"}
        return {**rest, "state": "COMPLETED"}
    return {**body, "nextRunTime": timestamp(found)}


def take_up(cloud: Cloud) -> None:
    """Schedules are looked at as long as the server runs."""
    cloud.jobs.spawn(_watch(cloud), "schedules")


async def _watch(cloud: Cloud) -> None:
    pause = POLL_SECONDS
    while True:
        try:
            for name in _due(cloud):
                if job := _begin(cloud, name):
                    pipeline_jobs.follow(cloud, job)
            pause = POLL_SECONDS
        except Exception:
            LOG.exception("schedules: tried again in %s s", pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
        await asyncio.sleep(pause)


def _due(cloud: Cloud) -> list[str]:
    now = timestamp(cloud.clock.now())
    with cloud.store.read() as db:
        rows = db.execute(
            "SELECT name FROM resources WHERE kind = ?"
            " AND json_extract(body, '$.nextRunTime') <= ? ORDER BY seq",
            (KIND, now),
        ).fetchall()
    return [name for (name,) in rows]


def _begin(cloud: Cloud, name: str) -> str:
    """The name of the pipeline job that has begun; empty where it waits, is skipped or refused.

    Runs that were missed while no server ran are one run, unless the schedule catches up.
    """
    with cloud.store.transaction():
        body = cloud.resources.require(name)
        now, due = cloud.clock.now(), body["nextRunTime"]
        is_full = _is_full(cloud, body)
        if is_full and body.get("allowQueueing"):
            return ""
        job = ""
        if not is_full:
            job, said = _run(cloud, body)
            started = int(body.get("startedRunCount", 0)) + 1
            response = {"scheduledRunTime": due, "runResponse": said}
            body |= {"startedRunCount": str(started), "lastScheduledRunResponse": response}
        moment = datetime.fromisoformat(due)
        behind = moment if body.get("catchUp") else max(moment, now)
        cloud.resources.replace(name, planned(body, behind))
        return job


def _is_full(cloud: Cloud, body: Body) -> bool:
    """Whether as many of the schedule's runs go on as may."""
    most = int(body.get("maxConcurrentActiveRunCount", 0))
    if not most:
        return False
    with cloud.store.read() as db:
        rows = db.execute(
            "SELECT body FROM resources WHERE kind = ?"
            " AND json_extract(body, '$.scheduleName') = ?",
            (PIPELINE_JOB.kind, body["name"]),
        ).fetchall()
    return sum(not PIPELINE_JOB.is_final(json.loads(text)) for (text,) in rows) >= most


def _run(cloud: Cloud, body: Body) -> tuple[str, str]:
    """The job's name, and what the schedule says of the run: the name, or why there is none."""
    asked = dict(body["createPipelineJobRequest"])
    asked.pop("pipelineJobId", None)
    try:
        job = pipeline_jobs.insert(cloud, asked, scheduleName=body["name"])
    except ApiError as problem:
        return "", f"{problem.status}: {problem.message}"
    return job["name"], job["name"]
