"""A finished AutoML job turned into a model with its evaluation, in the caller's transaction."""

from __future__ import annotations

from typing import Any

from emulator.aiplatform import (
    automl_job,
    data_items,
    model_evaluations,
    model_exports,
    models,
    names,
    resources,
)
from emulator.cloud import Cloud
from emulator.errors import ApiError
from emulator.jobs.exports import export_folder
from emulator.jobs.spec import read_json
from emulator.storage import buckets

Body = dict[str, Any]
SCHEMA = "gs://google-cloud-aiplatform/schema"
METRICS_SCHEMA = f"{SCHEMA}/modelevaluation/classification_metrics_1.0.0.yaml"
METADATA_SCHEMA = f"{SCHEMA}/model/metadata/automl_image_classification_1.0.0.yaml"
PREDICT_SCHEMATA = {
    "instanceSchemaUri": f"{SCHEMA}/predict/instance/image_classification_1.0.0.yaml",
    "parametersSchemaUri": f"{SCHEMA}/predict/params/image_classification_1.0.0.yaml",
    "predictionSchemaUri": f"{SCHEMA}/predict/prediction/classification_1.0.0.yaml",
}
# What a label was called in its dataset: kept with the model, which outlives the dataset.
SPEC_IDS = "_annotationSpecIds"


def collect(cloud: Cloud, pipeline: Body) -> Body:
    """The model; its files, evaluation and slices are stored beside it. INTERNAL when files miss.

    ALREADY_EXISTS when another training took the model id meanwhile.
    """
    location = names.location(pipeline["name"])
    base = automl_job.base_folder(cloud, pipeline)
    evaluation = read_json(base / "model" / "evaluation.json")
    about = read_json(base / "model" / "model.json")
    if evaluation is None or about is None:
        message = "The training left no model/evaluation.json and model/model.json."
        raise ApiError("INTERNAL", message)
    bucket = automl_job.hidden_bucket(cloud, location.project)
    prefix = automl_job.prefix(pipeline["name"])
    dataset = f"{location.name}/datasets/{pipeline['inputDataConfig']['datasetId']}"
    ids = {name: spec for spec, name in data_items.specs(cloud, dataset)}
    with cloud.store.transaction():
        buckets.hidden_bucket(cloud, location.project, bucket)
        export_folder(cloud, base / "model", bucket, f"{prefix}/model")
        body = _model(pipeline, about, f"gs://{bucket}/{prefix}/model", ids)
        if pipeline["trainingTaskInputs"]["modelType"].startswith("MOBILE_"):
            body["supportedExportFormats"] = model_exports.edge_formats(base / "model")
        model = upload(cloud, pipeline, body)
        _evaluate(cloud, model, evaluation, ids)
    return model


def upload(cloud: Cloud, pipeline: Body, body: Body) -> Body:
    """The model of a pipeline, where its `modelId` or `parentModel` want it, as stored.

    For the inside of a transaction. ALREADY_EXISTS when another took the model id meanwhile.
    """
    asked = pipeline.get("modelToUpload", {})
    own = {
        "displayName": asked.get("displayName") or pipeline["displayName"],
        "labels": asked.get("labels") or pipeline.get("labels", {}),
        "trainingPipeline": pipeline["name"],
    }
    return models.upload(
        cloud,
        names.location(pipeline["name"]),
        {**body, **own},
        model_id=pipeline.get("modelId", ""),
        parent_model=pipeline.get("parentModel", ""),
        aliases=asked.get("versionAliases", []),
    )


def _model(pipeline: Body, about: Body, artifacts: str, ids: dict[str, str]) -> Body:
    asked = pipeline.get("modelToUpload", {})
    kept = {key: asked[key] for key in ("description", "versionDescription") if key in asked}
    return {
        **kept,
        "metadataSchemaUri": METADATA_SCHEMA,
        "metadata": {key: about[key] for key in ("digest", "engine", "chosen") if key in about},
        "supportedDeploymentResourcesTypes": ["AUTOMATIC_RESOURCES"],
        "supportedInputStorageFormats": ["jsonl"],
        "supportedOutputStorageFormats": ["jsonl"],
        "predictSchemata": PREDICT_SCHEMATA,
        "modelSourceInfo": {"sourceType": "AUTOML"},
        models.ARTIFACTS: artifacts,
        SPEC_IDS: ids,
    }


def _evaluate(cloud: Cloud, model: Body, said: Body, ids: dict[str, str]) -> None:
    """The overall evaluation and one slice a label."""
    name = f"{model['name']}/evaluations/{names.new_id()}"
    common = {"metricsSchemaUri": METRICS_SCHEMA, "createTime": resources.now(cloud)}
    evaluation = {
        **common,
        "name": name,
        "displayName": "AutoML evaluation on the test set",
        "metrics": _with_ids(said["metrics"], ids),
        "sliceDimensions": ["annotationSpec"],
    }
    model_evaluations.store_evaluation(cloud, model, evaluation)
    parts = said.get("slices", [])
    # Made at one moment, they are listed by their ids: in the order of the labels.
    slice_ids = sorted(names.new_id() for _ in parts)
    for part, slice_id in zip(parts, slice_ids, strict=True):
        slice_name = f"{name}/slices/{slice_id}"
        body = {
            **common,
            "name": slice_name,
            "slice": {"dimension": "annotationSpec", "value": part["label"]},
            "metrics": _with_ids(part["metrics"], ids),
        }
        model_evaluations.store_slice(cloud, name, body)


def _with_ids(metrics: Body, ids: dict[str, str]) -> Body:
    """The metrics with the annotation specs' ids, which the engine cannot know."""
    matrix = metrics.get("confusionMatrix")
    if matrix is None:
        return metrics
    specs = [{"id": ids.get(spec["displayName"], ""), **spec} for spec in matrix["annotationSpecs"]]
    return {**metrics, "confusionMatrix": {**matrix, "annotationSpecs": specs}}
