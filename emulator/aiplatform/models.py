"""Models of the registry: found, changed, deleted when nothing serves them."""

from __future__ import annotations

from typing import Any

from emulator.aiplatform import listing, names, resources
from emulator.cloud import Cloud
from emulator.errors import ApiError
from emulator.storage import buckets, objects

Body = dict[str, Any]
KIND = "aiplatform.Model"
EVALUATION_KIND = "aiplatform.ModelEvaluation"
SLICE_KIND = "aiplatform.ModelEvaluationSlice"
ENDPOINT_KIND = "aiplatform.Endpoint"
MUTABLE = ("displayName", "description", "labels", "versionDescription")
# Where the files of a model are; AutoML's are in no list and have no artifactUri, as on Google.
ARTIFACTS = "_artifacts"


def split_version(name: str) -> tuple[str, str]:
    """A model's name and the version or alias behind `@`, empty where there is none."""
    model, _, version = name.partition("@")
    return model, version


def require(cloud: Cloud, name: str) -> Body:
    """The model of a name with or without version. NOT_FOUND for a version it has not."""
    model, version = split_version(name)
    body = resources.require(cloud, "model", model)
    if version and version not in (body["versionId"], *body["versionAliases"]):
        raise ApiError("NOT_FOUND", f'model "{name}" not found')
    return body


def get_model(cloud: Cloud, request: Body) -> Body:
    """GetModel."""
    body = require(cloud, request["name"])
    deployed = [
        {"endpoint": endpoint, "deployedModelId": deployed_id}
        for endpoint, deployed_id in deployments(cloud, body["name"])
    ]
    return {**body, "deployedModels": deployed} if deployed else body


def list_models(cloud: Cloud, request: Body) -> Body:
    """ListModels."""
    location = names.location(request["parent"])
    return listing.page("models", resources.children(cloud, KIND, location.name), request)


def list_model_versions(cloud: Cloud, request: Body) -> Body:
    """ListModelVersions: the one version that a model has here."""
    return listing.page("models", [require(cloud, request["name"])], request)


def update_model(cloud: Cloud, request: Body) -> Body:
    """UpdateModel."""
    sent = {**request["model"], "name": split_version(request["model"]["name"])[0]}
    resources.require_label_form("model", sent.get("labels", {}))
    return resources.patch(cloud, "model", sent, request.get("updateMask", ""), MUTABLE)


def deployments(cloud: Cloud, model: str) -> list[tuple[str, str]]:
    """Endpoint and deployed model id of every place where a model is deployed."""
    location = names.location(model)
    return [
        (endpoint["name"], deployed["id"])
        for endpoint in resources.children(cloud, ENDPOINT_KIND, location.name)
        for deployed in endpoint.get("deployedModels", [])
        if split_version(deployed["model"])[0] == model
    ]


def _being_deployed(cloud: Cloud, model: str) -> list[str]:
    return [
        operation.payload["endpoint"]
        for operation in cloud.operations.unfinished("deploy")
        if split_version(operation.payload["deployedModel"]["model"])[0] == model
    ]


def delete_model(cloud: Cloud, request: Body) -> Body:
    """DeleteModel with its evaluations and files; refused while it is deployed."""
    name = request["name"]
    with cloud.store.transaction():
        body = resources.require(cloud, "model", name)
        places = [endpoint for endpoint, _ in deployments(cloud, name)]
        if places := sorted({*places, *_being_deployed(cloud, name)}):
            shown = ", ".join(f'"{place}"' for place in places)
            raise ApiError(
                "FAILED_PRECONDITION",
                f'The Model "{name}" is deployed or being deployed at the following Endpoint(s): '
                f"{shown}.",
            )
        for evaluation in resources.children(cloud, EVALUATION_KIND, name):
            for part in resources.children(cloud, SLICE_KIND, evaluation["name"]):
                cloud.resources.delete(part["name"])
            cloud.resources.delete(evaluation["name"])
        cloud.resources.delete(name)
        _delete_artifacts(cloud, body)
        metadata = resources.typed("DeleteOperationMetadata", {})
        return cloud.operations.done(names.parent(name), metadata, resources.EMPTY)


def _delete_artifacts(cloud: Cloud, body: Body) -> None:
    """The files that the server itself keeps for a model; a user's own stay."""
    bucket, _, path = body.get(ARTIFACTS, "").removeprefix("gs://").partition("/")
    if bucket:
        objects.delete_prefix(cloud, bucket, path.removesuffix("model"))
        buckets.drop_hidden_bucket(cloud, bucket)


def list_model_evaluations(cloud: Cloud, request: Body) -> Body:
    """ListModelEvaluations."""
    model = require(cloud, request["parent"])
    rows = resources.children(cloud, EVALUATION_KIND, model["name"])
    return listing.page("modelEvaluations", rows, request)


def get_model_evaluation(cloud: Cloud, request: Body) -> Body:
    """GetModelEvaluation."""
    return resources.require(cloud, "model evaluation", request["name"])


def list_model_evaluation_slices(cloud: Cloud, request: Body) -> Body:
    """ListModelEvaluationSlices."""
    evaluation = resources.require(cloud, "model evaluation", request["parent"])
    rows = resources.children(cloud, SLICE_KIND, evaluation["name"])
    return listing.page("modelEvaluationSlices", rows, request)


def get_model_evaluation_slice(cloud: Cloud, request: Body) -> Body:
    """GetModelEvaluationSlice."""
    return resources.require(cloud, "model evaluation slice", request["name"])
