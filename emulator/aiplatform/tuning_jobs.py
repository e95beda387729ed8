"""Hyper-parameter tuning jobs: created, found, cancelled, deleted. How one goes on: tuning_run."""

from __future__ import annotations

from typing import Any

from emulator.aiplatform import (
    named_resources,
    names,
    tuning_run,
    tuning_spec,
    tuning_trials,
)
from emulator.aiplatform.lifecycles import TUNING_JOB
from emulator.cloud import Cloud
from emulator.logging import entries

Body = dict[str, Any]
LIFE = TUNING_JOB


def create_hyperparameter_tuning_job(cloud: Cloud, request: Body) -> Body:
    """CreateHyperparameterTuningJob: the job itself, PENDING; it goes on beside the requests."""
    location = names.location(request["parent"])
    wanted = tuning_spec.checked(request.get("hyperparameterTuningJob", {}))
    wanted.pop("trials", None)
    named_resources.check(cloud, location, wanted["trialJobSpec"])
    name = f"{location.name}/hyperparameterTuningJobs/{names.new_id()}"
    with cloud.store.transaction():
        body = LIFE.insert(cloud, name, wanted)
        entries.service(cloud, name, "Waiting for trials to be provisioned.")
    cloud.jobs.spawn(tuning_run.follow(cloud, name), name)
    return body


def cancel_hyperparameter_tuning_job(cloud: Cloud, request: Body) -> Body:
    """CancelHyperparameterTuningJob: it can only end as cancelled, and every trial is ended."""
    with cloud.store.transaction():
        body = LIFE.cancel(cloud, request["name"])
        if body is not None:
            tuning_trials.cancel_all(cloud, body)
    return {}


def delete_hyperparameter_tuning_job(cloud: Cloud, request: Body) -> Body:
    """DeleteHyperparameterTuningJob; refused while it runs. Its trials' custom jobs stay."""
    return LIFE.delete(cloud, request["name"])
