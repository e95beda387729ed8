"""Evaluations of model versions and their slices: imported, listed, got, deleted with them."""

from __future__ import annotations

import re
from typing import Any

from emulator.aiplatform import listing, models, names, resources
from emulator.cloud import Cloud
from emulator.errors import ApiError

Body = dict[str, Any]
KIND = "aiplatform.ModelEvaluation"
SLICE_KIND = "aiplatform.ModelEvaluationSlice"
SETTABLE = (
    "displayName",
    "metricsSchemaUri",
    "metrics",
    "sliceDimensions",
    "dataItemSchemaUri",
    "annotationSchemaUri",
    "modelExplanation",
    "explanationSpecs",
    "metadata",
)
SLICE_SETTABLE = ("slice", "metricsSchemaUri", "metrics", "modelExplanation")
EVALUATED = "_evaluatedAnnotations"
MAX_EVALUATED_ANNOTATIONS = 50
_VERSIONED = re.compile(r"(.+/models/[^/@]+)@([^/]+)(/.+)?")


def store_evaluation(cloud: Cloud, version: Body, body: Body) -> None:
    """An evaluation of a version, under its name; for the inside of a transaction."""
    cloud.resources.insert(KIND, body["name"], body, models.version_name(version))


def store_slice(cloud: Cloud, evaluation: str, body: Body) -> None:
    """A slice of an evaluation, under its name; for the inside of a transaction."""
    cloud.resources.insert(SLICE_KIND, body["name"], body, evaluation)


def import_model_evaluation(cloud: Cloud, request: Body) -> Body:
    """ImportModelEvaluation for the version that the parent's name means."""
    sent = request.get("modelEvaluation", {})
    _check("model_evaluation", sent)
    with cloud.store.transaction():
        version = models.stored(cloud, request["parent"])
        kept = {key: sent[key] for key in SETTABLE if key in sent}
        name = f"{version['name']}/evaluations/{names.new_id()}"
        body = {**kept, "name": name, "createTime": resources.now(cloud)}
        store_evaluation(cloud, version, body)
    return body


def batch_import_model_evaluation_slices(cloud: Cloud, request: Body) -> Body:
    """BatchImportModelEvaluationSlices: all of them or none.

    ALREADY_EXISTS for a slice that the evaluation has already, so that a repeat makes no second.
    """
    sent = request.get("modelEvaluationSlices", [])
    resources.require_fields("", request, ("model_evaluation_slices",))
    for number, one in enumerate(sent):
        _check(f"model_evaluation_slices[{number}]", one)
    with cloud.store.transaction():
        evaluation = _require(cloud, "model evaluation", request["parent"])
        present = resources.children(cloud, SLICE_KIND, evaluation["name"])
        taken = [one.get("slice", {}) for one in present]
        # Made at one moment, they are listed by their ids: in the order in which they came.
        ids = sorted(names.new_id() for _ in sent)
        for one, slice_id in zip(sent, ids, strict=True):
            if one.get("slice", {}) in taken:
                what = f"{evaluation['name']} has a slice {one.get('slice', {})} already"
                raise ApiError("ALREADY_EXISTS", what)
            taken.append(one.get("slice", {}))
            kept = {key: one[key] for key in SLICE_SETTABLE if key in one}
            name = f"{evaluation['name']}/slices/{slice_id}"
            body = {**kept, "name": name, "createTime": resources.now(cloud)}
            store_slice(cloud, evaluation["name"], body)
    return {"importedModelEvaluationSlices": [f"{evaluation['name']}/slices/{one}" for one in ids]}


def _check(field: str, sent: Body) -> None:
    """Raises INVALID_ARGUMENT for no schema, no metrics, or metrics that are no object."""
    resources.require_fields(field, sent, ("metrics_schema_uri", "metrics"))
    if not isinstance(sent["metrics"], dict):
        message = f"Must be an object. Received: {type(sent['metrics']).__name__}."
        raise resources.field_errors([(f"{field}.metrics", message)])


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


def batch_import_evaluated_annotations(cloud: Cloud, request: Body) -> Body:
    """BatchImportEvaluatedAnnotations: kept with their slice; no method of v1 reads them."""
    resources.require_fields("", request, ("evaluated_annotations",))
    sent = request["evaluatedAnnotations"]
    if len(sent) > MAX_EVALUATED_ANNOTATIONS:
        message = f"No more than {MAX_EVALUATED_ANNOTATIONS} may be imported at once."
        raise resources.field_errors([("evaluated_annotations", message)])
    with cloud.store.transaction():
        part = _require(cloud, "model evaluation slice", request["parent"])
        kept = [*part.get(EVALUATED, []), *sent]
        cloud.resources.replace(part["name"], {**part, EVALUATED: kept})
    return {"importedEvaluatedAnnotationsCount": len(sent)}


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
