"""Training pipelines: created, found, cancelled, deleted. How one goes on is in `training.py`."""

from __future__ import annotations

from typing import Any

from emulator.aiplatform import (
    custom_pipelines,
    models,
    names,
    resources,
    training,
)
from emulator.aiplatform.training_inputs import (
    AUTOML_DEFINITION,
    DEFINITION_PREFIX,
    automl_inputs,
    check_split,
)
from emulator.cloud import Cloud
from emulator.errors import ApiError

Body = dict[str, Any]
LIFE = training.LIFE


def create_training_pipeline(cloud: Cloud, request: Body) -> Body:
    """CreateTrainingPipeline: the pipeline itself, PENDING; it goes on beside the requests."""
    location = names.location(request["parent"])
    sent = request.get("trainingPipeline", {})
    resources.require_fields(
        "training_pipeline", sent, ("display_name", "training_task_definition")
    )
    resources.require_label_form("training_pipeline", sent.get("labels", {}))
    is_custom = custom_pipelines.is_custom(sent)
    inputs = (
        custom_pipelines.inputs(cloud, location, sent) if is_custom else _automl(location, sent)
    )
    name = f"{location.name}/trainingPipelines/{names.new_id()}"
    with cloud.store.transaction():
        if not is_custom:
            _require_dataset(cloud, location, sent)
        model_id, parent_model = sent.get("modelId", ""), sent.get("parentModel", "")
        models.check_target(cloud, location, model_id, parent_model)
        own = custom_pipelines.new_job(name) if is_custom else {}
        body = LIFE.insert(cloud, name, {**sent, "trainingTaskInputs": inputs, **own})
    cloud.jobs.spawn(training.follow(cloud, name), name)
    return body


def _automl(location: names.Location, sent: Body) -> Body:
    definition = sent["trainingTaskDefinition"]
    if definition != AUTOML_DEFINITION:
        status = "UNIMPLEMENTED" if definition.startswith(DEFINITION_PREFIX) else "INVALID_ARGUMENT"
        message = f"The local cloud cannot run {definition}. It runs {AUTOML_DEFINITION} "
        message += f"and {custom_pipelines.DEFINITION}."
        raise ApiError(status, message)
    if location.region not in names.AUTOML_REGIONS:
        raise ApiError(
            "INVALID_ARGUMENT",
            f"AutoML image training is not supported in region {location.region}. "
            f"Supported regions: {', '.join(sorted(names.AUTOML_REGIONS))}.",
        )
    check_split(sent.get("inputDataConfig", {}))
    return automl_inputs(sent.get("trainingTaskInputs", {})).to_json()


def _require_dataset(cloud: Cloud, location: names.Location, sent: Body) -> None:
    dataset_id = sent.get("inputDataConfig", {}).get("datasetId", "")
    if not dataset_id:
        field = "training_pipeline.input_data_config.dataset_id"
        raise resources.field_errors([(field, "Required field is not set.")])
    resources.require(cloud, "dataset", f"{location.name}/datasets/{dataset_id}")


def cancel_training_pipeline(cloud: Cloud, request: Body) -> Body:
    """CancelTrainingPipeline: from now on it can only end as cancelled, however soon it ends."""
    name = request["name"]
    with cloud.store.transaction():
        body = LIFE.cancel(cloud, name)
        if body is None:
            return {}
        custom_pipelines.cancel_job(cloud, body)
    cloud.jobs.cancel(training.job_id(name))
    return {}


def delete_training_pipeline(cloud: Cloud, request: Body) -> Body:
    """DeleteTrainingPipeline; refused while it runs."""
    name = request["name"]
    operation = LIFE.delete(cloud, name)
    cloud.jobs.discard(training.job_id(name))
    return operation
