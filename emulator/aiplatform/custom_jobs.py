"""Custom jobs: created, found, cancelled, deleted. How one goes on is in `custom_run.py`."""

from __future__ import annotations

from typing import Any

from emulator.aiplatform import (
    custom_run,
    custom_spec,
    named_resources,
    names,
    resources,
)
from emulator.cloud import Cloud
from emulator.logging import entries

Body = dict[str, Any]
LIFE = custom_run.LIFE


def create_custom_job(cloud: Cloud, request: Body) -> Body:
    """CreateCustomJob: the job itself, PENDING; it goes on beside the requests."""
    location = names.location(request["parent"])
    sent = request.get("customJob", {})
    resources.require_fields("custom_job", sent, ("display_name", "job_spec"))
    resources.require_label_form("custom_job", sent.get("labels", {}))
    spec = custom_spec.checked(sent["jobSpec"], "custom_job.job_spec")
    named_resources.check(cloud, location, spec)
    name = f"{location.name}/customJobs/{names.new_id()}"
    body = insert(cloud, name, {**sent, "jobSpec": spec})
    cloud.jobs.spawn(custom_run.go_on(cloud, name), name)
    return body


def insert(cloud: Cloud, name: str, wanted: Body) -> Body:
    """A new job of that name, PENDING; joins the caller's transaction."""
    with cloud.store.transaction():
        body = LIFE.insert(cloud, name, wanted)
        entries.service(cloud, name, "Waiting for job to be provisioned.")
    return body


def cancel_custom_job(cloud: Cloud, request: Body) -> Body:
    """CancelCustomJob: from now on it can only end as cancelled, however soon it ends."""
    name = request["name"]
    if LIFE.cancel(cloud, name) is not None:
        cloud.jobs.cancel(names.last(name))
    return {}


def delete_custom_job(cloud: Cloud, request: Body) -> Body:
    """DeleteCustomJob; refused while it runs."""
    name = request["name"]
    operation = LIFE.delete(cloud, name)
    cloud.jobs.discard(names.last(name))
    return operation
