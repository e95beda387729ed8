"""Batch prediction jobs: created, found, cancelled, deleted. How one goes on: `batch_run.py`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from emulator.aiplatform import (
    batch_formats,
    batch_instances,
    batch_run,
    listing,
    models,
    names,
    resources,
)
from emulator.aiplatform.batch_results import TITLE
from emulator.aiplatform.filters import Test
from emulator.aiplatform.list_schemas import ListSchema
from emulator.cloud import Cloud
from emulator.errors import ApiError

Body = dict[str, Any]
LIFE = batch_run.LIFE
MESSAGE = "batch_prediction_job"
REQUIRED = ("display_name", "model", "input_config", "output_config")
UNSUPPORTED = ("unmanagedContainerModel", "generateExplanation")


def create_batch_prediction_job(cloud: Cloud, request: Body) -> Body:
    """CreateBatchPredictionJob: the job itself, PENDING; it goes on beside the requests."""
    location = names.location(request["parent"])
    sent = request.get("batchPredictionJob", {})
    resources.require_fields(MESSAGE, sent, REQUIRED)
    resources.require_label_form(MESSAGE, sent.get("labels", {}))
    _check_files(sent)
    name = f"{location.name}/batchPredictionJobs/{names.new_id()}"
    with cloud.store.transaction():
        model = models.require(cloud, sent["model"])
        _check_model(location, model, sent)
        own = {"modelVersionId": model["versionId"], TITLE: model.get("displayName", "")}
        body = LIFE.insert(cloud, name, {**sent, **own})
    cloud.jobs.spawn(batch_run.follow(cloud, name), name)
    return body


def _check_files(sent: Body) -> None:
    """What is read and written is JSONL in Cloud Storage; the rest is not in the local cloud."""
    for key in UNSUPPORTED:
        if sent.get(key):
            raise ApiError("UNIMPLEMENTED", f"The local cloud has no batch prediction with {key}.")
    source, target = sent["inputConfig"], sent["outputConfig"]
    if not source.get("gcsSource", {}).get("uris"):
        field = f"{MESSAGE}.input_config.gcs_source.uris"
        raise resources.field_errors([(field, "Must not be empty.")])
    for uri in source["gcsSource"]["uris"]:
        if not uri.startswith("gs://") or not uri.removeprefix("gs://").partition("/")[0]:
            field = f"{MESSAGE}.input_config.gcs_source.uris"
            raise resources.field_errors([(field, f"Expected gs://BUCKET/… Received: {uri!r}.")])
    prefix = target.get("gcsDestination", {}).get("outputUriPrefix", "")
    if not prefix.startswith("gs://") or not prefix.removeprefix("gs://").partition("/")[0]:
        field = f"{MESSAGE}.output_config.gcs_destination.output_uri_prefix"
        raise resources.field_errors([(field, f"Expected gs://BUCKET/… Received: {prefix!r}.")])
    for given, formats, field in (
        (source.get("instancesFormat"), batch_formats.FORMATS, "input_config.instances_format"),
        (target.get("predictionsFormat"), ("jsonl",), "output_config.predictions_format"),
    ):
        if given not in formats:
            message = f"Expected {' or '.join(formats)}. Received: {given!r}."
            raise resources.field_errors([(f"{MESSAGE}.{field}", message)])
    batch_instances.check(sent.get("instanceConfig", {}), source["instancesFormat"])


def _check_model(location: names.Location, model: Body, sent: Body) -> None:
    """The model is in the job's region, and has the rows and machines that its kind needs."""
    if names.location(model["name"]) != location:
        message = "The Model and the BatchPredictionJob must be in the same location."
        raise ApiError("INVALID_ARGUMENT", message)
    machine = sent.get("dedicatedResources", {}).get("machineSpec", {}).get("machineType")
    if models.is_automl(model):
        if sent["inputConfig"]["instancesFormat"] != "jsonl":
            raise ApiError("INVALID_ARGUMENT", "Instances of an AutoML image model are jsonl.")
        if sent.get("instanceConfig"):
            message = "instance_config applies to models with a container of their own."
            raise ApiError("INVALID_ARGUMENT", message)
        if "dedicatedResources" in sent:
            message = f"Model {model['name']} does not support DEDICATED_RESOURCES."
            raise ApiError("INVALID_ARGUMENT", message)
    elif not machine:
        field = f"{MESSAGE}.dedicated_resources.machine_spec.machine_type"
        raise resources.field_errors([(field, "Required for a model with its own container.")])


def get_batch_prediction_job(cloud: Cloud, request: Body) -> Body:
    """GetBatchPredictionJob."""
    return LIFE.require(cloud, request["name"])


def list_batch_prediction_jobs(cloud: Cloud, request: Body) -> Body:
    """ListBatchPredictionJobs."""
    location = names.location(request["parent"])
    rows = resources.children(cloud, LIFE.kind, location.name)
    by_model = {"model_display_name": partial(_of_model, cloud)}
    schema = ListSchema("batchPredictionJobs", relations=by_model)
    return listing.page("batchPredictionJobs", rows, request, schema)


def _of_model(cloud: Cloud, wanted: str) -> Test:
    """The test `model_display_name="…"`; a model that has gone has no name."""

    def passes(body: Mapping[str, Any]) -> bool:
        try:
            return bool(models.require(cloud, body["model"]).get("displayName", "") == wanted)
        except ApiError:
            return wanted == ""

    return passes


def cancel_batch_prediction_job(cloud: Cloud, request: Body) -> Body:
    """CancelBatchPredictionJob: from now on it can only end as cancelled, however soon it ends."""
    LIFE.cancel(cloud, request["name"])
    return {}


def delete_batch_prediction_job(cloud: Cloud, request: Body) -> Body:
    """DeleteBatchPredictionJob; refused while it runs. What it wrote stays in its bucket."""
    return LIFE.delete(cloud, request["name"])
