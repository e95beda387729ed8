"""CopyModel, and what is asked of a model version's checkpoints and examples."""

from __future__ import annotations

from typing import Any

from emulator.aiplatform import models, names, resources
from emulator.cloud import Cloud
from emulator.errors import ApiError
from emulator.storage import objects
from emulator.store.blobs import BlobRef

Body = dict[str, Any]
# What the copy has of its own.
OWN = (
    "name",
    "createTime",
    "updateTime",
    "etag",
    "versionId",
    "versionAliases",
    "versionCreateTime",
    "versionUpdateTime",
    "deployedModels",
)


def copy_model(cloud: Cloud, request: Body) -> Body:
    """CopyModel: a new model, or one more version of `parentModel`; done when it is answered.

    Its evaluations are not copied. INVALID_ARGUMENT for a source of another project.
    """
    location = names.location(request["parent"])
    resources.require_fields("", request, ("source_model",))
    if names.location(request["sourceModel"]).project != location.project:
        message = "The source model must exist in the same Project."
        raise resources.field_errors([("source_model", message)])
    with cloud.store.transaction():
        source = models.require(cloud, request["sourceModel"])
        body = {key: value for key, value in source.items() if key not in OWN}
        body["modelSourceInfo"] = {**source.get("modelSourceInfo", {}), "copy": True}
        if "encryptionSpec" in request:
            body["encryptionSpec"] = request["encryptionSpec"]
        if models.ARTIFACTS in source:
            body[models.ARTIFACTS] = _copied_files(cloud, source[models.ARTIFACTS])
        version = models.upload(
            cloud,
            location,
            body,
            model_id=request.get("modelId", ""),
            parent_model=request.get("parentModel", ""),
        )
        answer = {"model": version["name"], "modelVersionId": version["versionId"]}
        metadata = resources.typed("CopyModelOperationMetadata", {})
        response = resources.typed("CopyModelResponse", answer)
        return cloud.operations.done(version["name"], metadata, response)


def _copied_files(cloud: Cloud, uri: str) -> str:
    """Files of the server's own are copied: each model deletes its own with it."""
    bucket, _, prefix = uri.removeprefix("gs://").partition("/")
    target = f"copies/{names.new_id()}/model"
    for name in objects.list_names(cloud, bucket, f"{prefix}/"):
        row = objects.get_object(cloud, bucket, name)
        assert row is not None, "listed in this transaction"
        bytes_of = BlobRef(row.sha256, row.md5, row.crc32c, row.size_bytes)
        fields = {"contentType": row.body.get("contentType", "application/octet-stream")}
        copy = target + name.removeprefix(prefix)
        objects.store_object(cloud, bucket, copy, bytes_of, fields)
    return f"gs://{bucket}/{target}"


def list_model_version_checkpoints(cloud: Cloud, request: Body) -> Body:
    """ListModelVersionCheckpoints: none, for a model that was not tuned from a foundation model."""
    models.require(cloud, request["name"])
    return {}


def update_explanation_dataset(cloud: Cloud, request: Body) -> Body:
    """UpdateExplanationDataset: FAILED_PRECONDITION for a model that explains by no examples."""
    model = models.require(cloud, request["model"])
    if "examples" not in model.get("explanationSpec", {}).get("parameters", {}):
        message = (
            f'The Model "{request["model"]}" is not configured with example-based explanations.'
        )
        raise ApiError("FAILED_PRECONDITION", message)
    raise ApiError("UNIMPLEMENTED", "The local cloud has no example-based explanations.")
