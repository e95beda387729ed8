"""A training pipeline whose task is a custom job: data out, job run, model in."""

from __future__ import annotations

import asyncio
from typing import Any

from emulator.aiplatform import (
    custom_data,
    custom_jobs,
    custom_run,
    custom_spec,
    model_artifacts,
    models,
    named_resources,
    names,
    resources,
    results,
)
from emulator.aiplatform.lifecycles import CANCELLED, OWNER, TRAINING_PIPELINE
from emulator.aiplatform.training_inputs import DEFINITION_PREFIX
from emulator.cloud import Cloud

Body = dict[str, Any]
DEFINITION = f"{DEFINITION_PREFIX}custom_task_1.0.0.yaml"
FIELD = "training_pipeline"
# The job of a pipeline, named before it is made, so that it is made once.
JOB = "_job"
LIFE = TRAINING_PIPELINE


def is_custom(body: Body) -> bool:
    """Whether a pipeline's task is a custom job."""
    return bool(body["trainingTaskDefinition"] == DEFINITION)


def inputs(cloud: Cloud, location: names.Location, sent: Body) -> Body:
    """The checked task inputs of a pipeline that somebody asks for."""
    spec = custom_spec.checked(sent.get("trainingTaskInputs"), f"{FIELD}.training_task_inputs")
    named_resources.check(cloud, location, spec)
    if config := sent.get("inputDataConfig"):
        custom_data.check(cloud, location, config)
    if asked := sent.get("modelToUpload"):
        _check_model(asked, spec)
    elif sent.get("modelId") or sent.get("parentModel"):
        message = "Required when model_id or parent_model is set."
        raise resources.field_errors([(f"{FIELD}.model_to_upload", message)])
    return spec


def _check_model(asked: Body, spec: Body) -> None:
    problems = []
    if not asked.get("displayName"):
        problems.append((f"{FIELD}.model_to_upload.display_name", "Required field is not set."))
    if not asked.get("containerSpec", {}).get("imageUri"):
        field = f"{FIELD}.model_to_upload.container_spec.image_uri"
        problems.append((field, "Required field is not set."))
    if not asked.get("artifactUri") and not custom_spec.output_uri(spec):
        field = f"{FIELD}.training_task_inputs.base_output_directory"
        problems.append((field, "Required when the model to upload has no artifact_uri."))
    if problems:
        raise resources.field_errors(problems)


def new_job(name: str) -> Body:
    """What a new pipeline of that name keeps beside its fields."""
    return {JOB: f"{names.location(name).name}/customJobs/{names.new_id()}"}


async def advance(cloud: Cloud, name: str) -> None:
    """The pipeline's job has ended, and the pipeline with it. ApiError fails the pipeline."""
    job = cloud.resources.require(name)[JOB]
    if cloud.resources.get(job) is None:
        data = await asyncio.to_thread(custom_data.export, cloud, cloud.resources.require(name))
        if not _submit(cloud, name, job, data):
            return
    ended = await custom_run.follow(cloud, job)
    await asyncio.to_thread(_conclude, cloud, name, ended)


def _submit(cloud: Cloud, name: str, job: str, data: Body) -> bool:
    """Whether the job is there now; not where the pipeline was cancelled before."""
    with cloud.store.transaction():
        body = cloud.resources.require(name)
        if body["state"] == "PIPELINE_STATE_CANCELLING":
            LIFE.end(cloud, body, "CANCELLED", error=CANCELLED)
            return False
        wanted = {
            "displayName": f"{body['displayName']}-custom-job",
            "jobSpec": body["trainingTaskInputs"],
            "labels": body.get("labels", {}),
            OWNER: name,
            **data,
        }
        custom_jobs.insert(cloud, job, wanted)
        LIFE.mark_running(cloud, name, trainingTaskMetadata={"backingCustomJob": job})
    return True


def cancel_job(cloud: Cloud, body: Body) -> None:
    """The job of a pipeline that is being cancelled is cancelled too, if it was submitted."""
    job = body.get(JOB)
    if job is not None and cloud.resources.get(job) is not None:
        custom_jobs.cancel_custom_job(cloud, {"name": job})


def _conclude(cloud: Cloud, name: str, job: Body) -> None:
    """State and model are there together or not at all."""
    with cloud.store.transaction():
        body = cloud.resources.require(name)
        at = job["endTime"]
        if body["state"] == "PIPELINE_STATE_CANCELLING" or job["state"] == "JOB_STATE_CANCELLED":
            LIFE.end(cloud, body, "CANCELLED", at, error=CANCELLED)
        elif job["state"] == "JOB_STATE_FAILED":
            LIFE.end(cloud, body, "FAILED", at, error=job["error"])
        else:
            LIFE.end(cloud, body, "SUCCEEDED", at, **_model(cloud, body))


def _model(cloud: Cloud, body: Body) -> Body:
    """`modelToUpload` as it was uploaded. FAILED_PRECONDITION for a folder that holds no model."""
    asked = body.get("modelToUpload")
    if not asked:
        return {}
    folder = f"{custom_spec.output_uri(body['trainingTaskInputs'])}/model"
    uri = asked.get("artifactUri") or folder
    model_artifacts.check(cloud, body["name"], uri, asked["containerSpec"]["imageUri"])
    model = results.upload(cloud, body, models.custom(asked, artifactUri=uri))
    return {"modelToUpload": resources.public(model)}
