"""Evaluations of model versions and their slices: listed, got, deleted with their version."""

from __future__ import annotations

import re
from typing import Any

from emulator.aiplatform import listing, models, resources
from emulator.cloud import Cloud
from emulator.errors import ApiError

Body = dict[str, Any]
KIND = "aiplatform.ModelEvaluation"
SLICE_KIND = "aiplatform.ModelEvaluationSlice"
_VERSIONED = re.compile(r"(.+/models/[^/@]+)@([^/]+)(/.+)?")


def store_evaluation(cloud: Cloud, version: Body, body: Body) -> None:
    """An evaluation of a version, under its name; for the inside of a transaction."""
    cloud.resources.insert(KIND, body["name"], body, models.version_name(version))


def store_slice(cloud: Cloud, evaluation: str, body: Body) -> None:
    """A slice of an evaluation, under its name; for the inside of a transaction."""
    cloud.resources.insert(SLICE_KIND, body["name"], body, evaluation)


def delete_evaluations(cloud: Cloud, version: Body) -> None:
    """A version has no evaluation any more; for the inside of a transaction."""
    for evaluation in resources.children(cloud, KIND, models.version_name(version)):
        for part in resources.children(cloud, SLICE_KIND, evaluation["name"]):
            cloud.resources.delete(part["name"])
        cloud.resources.delete(evaluation["name"])


def _require(cloud: Cloud, noun: str, name: str) -> Body:
    """What a name with or without the model's version means; NOT_FOUND for another's."""
    found = _VERSIONED.fullmatch(name)
    if found is None or found[3] is None:
        return resources.require(cloud, noun, name)
    version = models.stored(cloud, f"{found[1]}@{found[2]}")
    plain = found[1] + found[3]
    evaluation = "/".join(plain.split("/")[:8])
    own = resources.children(cloud, KIND, models.version_name(version))
    if evaluation not in [one["name"] for one in own]:
        raise ApiError("NOT_FOUND", f'{noun} "{name}" not found')
    return resources.require(cloud, noun, plain)


def list_model_evaluations(cloud: Cloud, request: Body) -> Body:
    """ListModelEvaluations of the version that the parent's name means."""
    version = models.stored(cloud, request["parent"])
    rows = resources.children(cloud, KIND, models.version_name(version))
    return listing.page("modelEvaluations", rows, request)


def get_model_evaluation(cloud: Cloud, request: Body) -> Body:
    """GetModelEvaluation."""
    return _require(cloud, "model evaluation", request["name"])


def list_model_evaluation_slices(cloud: Cloud, request: Body) -> Body:
    """ListModelEvaluationSlices."""
    evaluation = _require(cloud, "model evaluation", request["parent"])
    rows = resources.children(cloud, SLICE_KIND, evaluation["name"])
    return listing.page("modelEvaluationSlices", rows, request)


def get_model_evaluation_slice(cloud: Cloud, request: Body) -> Body:
    """GetModelEvaluationSlice."""
    return _require(cloud, "model evaluation slice", request["name"])
