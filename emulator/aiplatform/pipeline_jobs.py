"""Pipeline jobs: created, found, cancelled, deleted, one by one or many. How one goes on: run."""

from __future__ import annotations

from typing import Any

from emulator.aiplatform import (
    listing,
    names,
    pipeline_metadata,
    pipeline_run,
    pipeline_spec,
    pipeline_values,
    resources,
)
from emulator.aiplatform.lifecycles import PIPELINE_JOB
from emulator.cloud import Cloud
from emulator.errors import ApiError

Body = dict[str, Any]
LIFE = PIPELINE_JOB
# BatchDeletePipelineJobsRequest.names (SDK 2.7.0).
MAX_BATCH = 32


def create_pipeline_job(cloud: Cloud, request: Body) -> Body:
    """CreatePipelineJob: the job itself, PENDING; it goes on beside the requests."""
    body = insert(cloud, request)
    follow(cloud, body["name"])
    return body


def insert(cloud: Cloud, request: Body, **more: Any) -> Body:
    """A new job, PENDING, with the client's id or a new one; joins the caller's transaction."""
    location = names.location(request["parent"])
    sent = {key: value for key, value in request.get("pipelineJob", {}).items() if key[:1] != "_"}
    pipeline_spec.checked(sent)
    pipeline_values.root_values(sent)
    asked = request.get("pipelineJobId", "")
    if asked and not pipeline_spec.ID.fullmatch(asked):
        message = f'Must match {pipeline_spec.ID.pattern}. Received: "{asked}".'
        raise resources.field_errors([("pipeline_job_id", message)])
    name = f"{location.name}/pipelineJobs/{asked or names.new_id()}"
    sent.pop("jobDetail", None)
    sent["displayName"] = sent.get("displayName") or names.last(name)
    with cloud.store.transaction():
        if cloud.resources.get(name) is not None:
            raise ApiError("ALREADY_EXISTS", f'{LIFE.noun} "{name}" already exists')
        return LIFE.insert(cloud, name, {**sent, **more})


def follow(cloud: Cloud, name: str) -> None:
    """The job goes on beside the requests; call it in the event loop."""
    cloud.jobs.spawn(pipeline_run.follow(cloud, name), name)


def get_pipeline_job(cloud: Cloud, request: Body) -> Body:
    """GetPipelineJob."""
    return pipeline_metadata.refreshed(cloud, LIFE.require(cloud, request["name"]))


def list_pipeline_jobs(cloud: Cloud, request: Body) -> Body:
    """ListPipelineJobs; `jobDetail` is "not available in the list view"."""
    location = names.location(request["parent"])
    rows = [
        {key: value for key, value in row.items() if key != "jobDetail"}
        for row in resources.children(cloud, LIFE.kind, location.name)
    ]
    return listing.page("pipelineJobs", rows, request)


def cancel_pipeline_job(cloud: Cloud, request: Body) -> Body:
    """CancelPipelineJob: it can only end as cancelled, and every task that runs is ended."""
    LIFE.cancel(cloud, request["name"])
    return {}


def delete_pipeline_job(cloud: Cloud, request: Body) -> Body:
    """DeletePipelineJob; refused while it runs. Its tasks' custom jobs stay."""
    return LIFE.delete(cloud, request["name"])


def batch_cancel_pipeline_jobs(cloud: Cloud, request: Body) -> Body:
    """BatchCancelPipelineJobs: all of them or none."""
    wanted = _batch(request)
    with cloud.store.transaction():
        for name in wanted:
            LIFE.cancel(cloud, name)
        found = [resources.public(LIFE.require(cloud, name)) for name in wanted]
        metadata = resources.typed("BatchCancelPipelineJobsOperationMetadata", {})
        response = resources.typed("BatchCancelPipelineJobsResponse", {"pipelineJobs": found})
        return cloud.operations.done(request["parent"], metadata, response)


def batch_delete_pipeline_jobs(cloud: Cloud, request: Body) -> Body:
    """BatchDeletePipelineJobs: all of them or none."""
    wanted = _batch(request)
    with cloud.store.transaction():
        found = [resources.public(LIFE.require(cloud, name)) for name in wanted]
        for name in wanted:
            LIFE.delete(cloud, name)
        metadata = resources.typed("DeleteOperationMetadata", {})
        response = resources.typed("BatchDeletePipelineJobsResponse", {"pipelineJobs": found})
        return cloud.operations.done(request["parent"], metadata, response)


def _batch(request: Body) -> list[str]:
    """The names of a batch. INVALID_ARGUMENT for none, too many, or one of another place."""
    resources.require_fields("", request, ("names",))
    wanted: list[str] = request["names"]
    problems = []
    if len(wanted) > MAX_BATCH:
        problems.append(("names", f"A maximum of {MAX_BATCH} PipelineJobs may be sent."))
    for name in wanted:
        if names.parent(name) != request["parent"]:
            problems.append(("names", f'"{name}" is not in {request["parent"]}.'))
    if problems:
        raise resources.field_errors(problems)
    return wanted
