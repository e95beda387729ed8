"""How a pipeline job goes on: its graph walked until every task has ended; taken up any time."""

from __future__ import annotations

import asyncio
import copy
import logging
from typing import Any

from emulator import metering
from emulator.aiplatform import custom_run, names, pipeline_metadata, pipeline_tasks
from emulator.aiplatform.lifecycles import CANCELLED, PIPELINE_JOB
from emulator.aiplatform.pipeline_graph import TASKS, Walk
from emulator.cloud import Cloud
from emulator.errors import ApiError
from emulator.operations import status
from emulator.resourcemanager import projects

LOG = logging.getLogger("emulator.aiplatform")
Body = dict[str, Any]
LIFE = PIPELINE_JOB
POLL_SECONDS = 0.2


def take_up(cloud: Cloud) -> None:
    """Every job that has not ended is followed again, and its tasks with it."""
    for name in LIFE.unfinished(cloud):
        cloud.jobs.spawn(follow(cloud, name), name)


async def follow(cloud: Cloud, name: str) -> None:
    """The job is in a final state, and so are its tasks."""
    try:
        await _advance(cloud, name)
    except ApiError as problem:
        await asyncio.to_thread(_fail, cloud, name, problem)
    except Exception as said:
        LOG.exception("pipeline job %s failed", name)
        unknown = ApiError("INTERNAL", f"Internal error: {said!r}")
        await asyncio.to_thread(_fail, cloud, name, unknown)


async def _advance(cloud: Cloud, name: str) -> None:
    LIFE.mark_running(cloud, name)
    followed: set[str] = set()
    while True:
        body = await asyncio.to_thread(_step, cloud, name)
        if LIFE.is_final(body):
            return
        for record in body[TASKS].values():
            job = record.get("job")
            if job is not None and job not in followed:
                followed.add(job)
                cloud.jobs.spawn(custom_run.go_on(cloud, job), job)
        await asyncio.sleep(POLL_SECONDS)


def _step(cloud: Cloud, name: str) -> Body:
    """The job after one walk; what it began is stored with it. Blocks."""
    with cloud.store.transaction():
        body = cloud.resources.require(name)
        if LIFE.is_final(body):
            return body
        before = copy.deepcopy(body.get(TASKS))
        is_cancelling = body["state"] == LIFE.state("CANCELLING")
        walk = Walk(cloud, body, may_begin=not is_cancelling)
        if is_cancelling:
            walk.cancel()
        state = walk.root()
        if body[TASKS] != before:
            contexts = pipeline_metadata.record(cloud, body, state)
            body["jobDetail"] = {**contexts, "taskDetails": _details(body)}
            body = LIFE.store(cloud, body)
        return body if state not in pipeline_tasks.ENDED else _conclude(cloud, body, state)


def _conclude(cloud: Cloud, body: Body, state: str) -> Body:
    """The final state and the bill are there together."""
    metering.record_pipeline_run(cloud, body)
    at = body[TASKS][""].get("endTime", "")
    if body["state"] == LIFE.state("CANCELLING") or state == "CANCELLED":
        return LIFE.end(cloud, body, "CANCELLED", at, error=CANCELLED)
    if state == "SUCCEEDED":
        return LIFE.end(cloud, body, "SUCCEEDED", at)
    failed = [
        one["name"] for one in body[TASKS].values() if one["state"] == "FAILED" and one["name"]
    ]
    location = names.location(body["name"])
    job = names.last(body["name"])
    number = projects.number(cloud, location.project)
    message = (
        f"The DAG failed because some tasks failed. The failed tasks are: [{', '.join(failed)}].; "
        f"Job (project_id = {location.project}, job_id = {job}) is failed due to the above error.; "
        f"Failed to handle the job: {{project_number = {number}, job_id = {job}}}"
    )
    return LIFE.end(cloud, body, "FAILED", at, error={"code": 9, "message": message})


def _fail(cloud: Cloud, name: str, problem: ApiError) -> None:
    with cloud.store.transaction():
        body = cloud.resources.get(name)
        if body is not None and not LIFE.is_final(body):
            Walk(cloud, body, may_begin=False).cancel()
            LIFE.end(cloud, body, "FAILED", error=status(problem))


def _details(body: Body) -> list[Body]:
    """`taskDetails`: every record as clients see it, the whole pipeline's own first."""
    records = body[TASKS]
    return [_detail(body, record, records) for record in records.values()]


def _detail(body: Body, record: Body, records: dict[str, Body]) -> Body:
    path, name = record["path"], body["name"]
    parent = path.rpartition("/")[0]
    detail: Body = {
        "taskId": pipeline_tasks.task_id(name, path),
        "taskName": record["name"] or names.last(name),
        "state": record["state"],
        **{key: record[key] for key in ("createTime", "startTime", "endTime") if key in record},
    }
    if path:
        detail["parentTaskId"] = pipeline_tasks.task_id(name, parent if parent in records else "")
        detail["taskUniqueName"] = path.replace("/", ".")
    if "job" in record:
        detail["executorDetail"] = {"containerDetail": {"mainJob": record["job"]}}
    if "error" in record:
        detail["error"] = record["error"]
    for key in ("inputs", "outputs"):
        if found := record.get(key, {}).get("artifacts"):
            detail[key] = {one: {"artifacts": _artifacts(many)} for one, many in found.items()}
    return detail


def _artifacts(found: list[Body]) -> list[Body]:
    return [
        {
            "displayName": one.get("name", ""),
            "uri": one["uri"],
            "metadata": one.get("metadata", {}),
            **{
                key: one["type"][key]
                for key in ("schemaTitle", "schemaVersion")
                if key in one.get("type", {})
            },
        }
        for one in found
    ]
