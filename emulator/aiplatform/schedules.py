"""Schedules: pipeline jobs that begin by the clock. When one is due is in `schedule_run.py`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from emulator.aiplatform import cron, masks, names, pipeline_spec, resources, schedule_run
from emulator.cloud import Cloud
from emulator.errors import ApiError

Body = dict[str, Any]
KIND = schedule_run.KIND
NOUN = "schedule"
REQUIRED = ("display_name", "cron", "max_concurrent_run_count")
MUTABLE = (
    "displayName",
    "cron",
    "startTime",
    "endTime",
    "maxRunCount",
    "maxConcurrentRunCount",
    "maxConcurrentActiveRunCount",
    "allowQueueing",
    "createPipelineJobRequest",
)


def create_schedule(cloud: Cloud, request: Body) -> Body:
    """CreateSchedule: ACTIVE, with the time of its first run."""
    location = names.location(request["parent"])
    sent = request.get("schedule", {})
    _check(location, sent)
    _check_end(cloud, sent)
    now = resources.now(cloud)
    kept = {key: sent[key] for key in MUTABLE if key in sent}
    body = {
        "startTime": now,
        **kept,
        "name": f"{location.name}/schedules/{names.new_id()}",
        "state": "ACTIVE",
        "createTime": now,
        "updateTime": now,
    }
    body = schedule_run.planned(body, schedule_run.first_from(body, cloud.clock.now()))
    cloud.resources.insert(KIND, body["name"], body, location.name)
    return body


def _check(location: names.Location, sent: Body) -> None:
    """Raises INVALID_ARGUMENT, naming each field, for what cannot be scheduled."""
    resources.require_fields(NOUN, sent, REQUIRED)
    asked = sent.get("createPipelineJobRequest")
    if asked is None:
        if "createNotebookExecutionJobRequest" in sent:
            message = "The local cloud schedules pipeline jobs, not notebooks."
            raise ApiError("UNIMPLEMENTED", message)
        field = f"{NOUN}.create_pipeline_job_request"
        raise resources.field_errors([(field, "Required field is not set.")])
    problems = []
    try:
        cron.parse(sent["cron"])
    except ValueError as problem:
        problems.append((f"{NOUN}.cron", str(problem)))
    if int(sent["maxConcurrentRunCount"]) < 1:
        problems.append((f"{NOUN}.max_concurrent_run_count", "Must be at least 1."))
    if asked.get("parent") != location.name:
        message = f"Must be {location.name}. Received: {asked.get('parent', '')!r}."
        problems.append((f"{NOUN}.create_pipeline_job_request.parent", message))
    start, end = sent.get("startTime"), sent.get("endTime")
    if start and end and datetime.fromisoformat(end) <= datetime.fromisoformat(start):
        problems.append((f"{NOUN}.end_time", "Must be behind start_time."))
    if problems:
        raise resources.field_errors(problems)
    pipeline_spec.checked(asked.get("pipelineJob", {}))


def _check_end(cloud: Cloud, sent: Body) -> None:
    """Raises INVALID_ARGUMENT for an end that leaves no time for a run."""
    end = sent.get("endTime")
    if end and datetime.fromisoformat(end) <= cloud.clock.now():
        raise resources.field_errors([(f"{NOUN}.end_time", "Must be in the future.")])


def update_schedule(cloud: Cloud, request: Body) -> Body:
    """UpdateSchedule; the next run is planned anew. "The non-empty fields cannot be unset"."""
    sent = request["schedule"]
    paths = masks.checked(request.get("updateMask", ""), MUTABLE, sent)
    with cloud.store.transaction():
        present = resources.require(cloud, NOUN, sent["name"])
        body = masks.merged(present, sent, paths)
        for field in present.keys() - body.keys():
            message = "A field that is set cannot be unset."
            raise resources.field_errors([(f"{NOUN}.{masks.snake(field)}", message)])
        _check(names.location(sent["name"]), body)
        _check_end(cloud, {path[0]: body.get(path[0]) for path in paths})
        body["updateTime"] = resources.now(cloud)
        if body["state"] == "ACTIVE":
            start = schedule_run.first_from(body, cloud.clock.now())
            body = schedule_run.planned(body, start)
        cloud.resources.replace(body["name"], body)
    return body


def pause_schedule(cloud: Cloud, request: Body) -> Body:
    """PauseSchedule: no new run until it is resumed; those that have begun go on."""
    with cloud.store.transaction():
        body = _unless_completed(cloud, request["name"], "paused")
        if body["state"] == "ACTIVE":
            now = resources.now(cloud)
            body.pop("nextRunTime", None)
            changed = {**body, "state": "PAUSED", "lastPauseTime": now, "updateTime": now}
            cloud.resources.replace(body["name"], changed)
    return {}


def resume_schedule(cloud: Cloud, request: Body) -> Body:
    """ResumeSchedule: from now on, or with `catchUp` with the runs missed since the pause."""
    with cloud.store.transaction():
        body = _unless_completed(cloud, request["name"], "resumed")
        if body["state"] == "PAUSED":
            now = resources.now(cloud)
            body |= {"state": "ACTIVE", "lastResumeTime": now, "updateTime": now}
            body.pop("catchUp", None)
            start = schedule_run.first_from(body, cloud.clock.now())
            if request.get("catchUp"):
                body["catchUp"] = True
                start = datetime.fromisoformat(body["lastPauseTime"])
            body = schedule_run.planned(body, start)
            cloud.resources.replace(body["name"], body)
    return {}


def _unless_completed(cloud: Cloud, name: str, what: str) -> Body:
    body = resources.require(cloud, NOUN, name)
    if body["state"] == "COMPLETED":
        message = f'The Schedule "{name}" is completed and cannot be {what}.'
        raise ApiError("FAILED_PRECONDITION", message)
    return body


def delete_schedule(cloud: Cloud, request: Body) -> Body:
    """DeleteSchedule; the jobs that it began stay."""
    name = request["name"]
    with cloud.store.transaction():
        resources.require(cloud, NOUN, name)
        cloud.resources.delete(name)
        metadata = resources.typed("DeleteOperationMetadata", {})
        return cloud.operations.done(names.parent(name), metadata, resources.EMPTY)
