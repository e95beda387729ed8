"""Models uploaded, changed, given aliases, deleted when nothing serves them."""

from __future__ import annotations

from typing import Any

from emulator.aiplatform import listing, model_artifacts, models, names, resources
from emulator.aiplatform.model_evaluations import delete_evaluations
from emulator.cloud import Cloud
from emulator.errors import ApiError
from emulator.storage import buckets, objects

Body = dict[str, Any]
# UpdateModelRequest.model: which fields belong to the model, and which to one version of it.
MODEL_FIELDS = ("displayName", "description", "labels")
VERSION_FIELDS = ("versionDescription", "labels")


def upload_model(cloud: Cloud, request: Body) -> Body:
    """UploadModel: a new model or a new version of `parentModel`; done when it is answered."""
    location = names.location(request["parent"])
    sent = request.get("model", {})
    resources.require_fields("model", sent, ("display_name",))
    resources.require_label_form("model", sent.get("labels", {}))
    if not sent.get("containerSpec", {}).get("imageUri"):
        field = "model.container_spec.image_uri"
        raise resources.field_errors([(field, "Required field is not set.")])
    _check_artifacts(cloud, request["parent"], sent)
    with cloud.store.transaction():
        version = models.upload(
            cloud,
            location,
            models.custom(sent),
            model_id=request.get("modelId", ""),
            parent_model=request.get("parentModel", ""),
            aliases=sent.get("versionAliases", []),
        )
        answer = {"model": version["name"], "modelVersionId": version["versionId"]}
        metadata = resources.typed("UploadModelOperationMetadata", {})
        response = resources.typed("UploadModelResponse", answer)
        return cloud.operations.done(version["name"], metadata, response)


def _check_artifacts(cloud: Cloud, parent: str, sent: Body) -> None:
    uri = sent.get("artifactUri", "")
    if not uri:
        return
    if not uri.startswith("gs://"):
        message = f'Must be a Cloud Storage folder (gs://BUCKET/FOLDER). Received: "{uri}".'
        raise resources.field_errors([("model.artifact_uri", message)])
    model_artifacts.check(cloud, parent, uri, sent["containerSpec"]["imageUri"])


def update_model(cloud: Cloud, request: Body) -> Body:
    """UpdateModel: with `@VERSION` in the name that version, else the model and all its versions.

    FAILED_PRECONDITION for a field of the other; ABORTED for an `etag` that is not the present one.
    """
    sent = request["model"]
    model, version = models.split_version(sent["name"])
    resources.require_label_form("model", sent.get("labels", {}))
    fields = listing.masked_fields(request.get("updateMask", ""), MODEL_FIELDS + VERSION_FIELDS)
    of_version = version not in ("", "-")
    wrong = sorted(set(fields) - set(VERSION_FIELDS if of_version else MODEL_FIELDS))
    if wrong:
        what = "a model version" if of_version else "a model"
        message = f"{', '.join(wrong)} cannot be updated on {what}: {sent['name']}."
        raise ApiError("FAILED_PRECONDITION", message)
    if "displayName" in fields:
        resources.require_fields("model", sent, ("display_name",))
    with cloud.store.transaction():
        present = models.stored(cloud, sent["name"])
        if sent.get("etag") and sent["etag"] != present["etag"]:
            raise ApiError("ABORTED", f"Etag mismatch on model {sent['name']}.")
        if of_version:
            models.replace(cloud, _changed(present, sent, fields))
        else:
            _update_all(cloud, model, sent, fields)
        return models.require(cloud, sent["name"])


def _update_all(cloud: Cloud, model: str, sent: Body, fields: list[str]) -> None:
    if "labels" in fields:
        row = cloud.resources.require(model)
        cloud.resources.replace(model, _changed(row, sent, ["labels"]))
    rest = [field for field in fields if field != "labels"]
    for version in models.stored_versions(cloud, model):
        models.replace(cloud, _changed(version, sent, rest))


def _changed(body: Body, sent: Body, fields: list[str]) -> Body:
    """The body with these fields as sent, or without those that were not."""
    kept = {key: value for key, value in body.items() if key not in fields}
    return {**kept, **{field: sent[field] for field in fields if field in sent}}


def merge_version_aliases(cloud: Cloud, request: Body) -> Body:
    """MergeVersionAliases: `-alias` takes one off; any other comes from the version that has it.

    INVALID_ARGUMENT for a name without version, a bad alias, and for taking off `default`.
    """
    name, sent = request["name"], request.get("versionAliases", [])
    resources.require_fields("", request, ("version_aliases",))
    if not models.split_version(name)[1]:
        message = f'A model version is needed: {name}@VERSION. Received: "{name}".'
        raise ApiError("INVALID_ARGUMENT", message)
    off = {alias[1:] for alias in sent if alias.startswith("-")}
    on = {alias for alias in sent if not alias.startswith("-")}
    off, on = off - on, on - off
    models.check_aliases(off | on)
    with cloud.store.transaction():
        version = models.stored(cloud, name)
        if models.DEFAULT in off and models.DEFAULT in version["versionAliases"]:
            message = "The default alias cannot be removed; give it to another version."
            raise ApiError("INVALID_ARGUMENT", message)
        models.take_aliases(cloud, version["name"], on - set(version["versionAliases"]))
        aliases = models.ordered({*version["versionAliases"], *on} - off)
        models.replace(cloud, {**version, "versionAliases": aliases})
        return models.require(cloud, f"{version['name']}@{version['versionId']}")


def delete_model(cloud: Cloud, request: Body) -> Body:
    """DeleteModel with its versions, evaluations and files; refused while one is deployed."""
    name = request["name"]
    with cloud.store.transaction():
        resources.require(cloud, "model", name)
        _refuse_deployed(cloud, name, name, None)
        for version in models.stored_versions(cloud, name):
            _delete_version(cloud, version)
        cloud.resources.delete(name)
        metadata = resources.typed("DeleteOperationMetadata", {})
        return cloud.operations.done(names.parent(name), metadata, resources.EMPTY)


def delete_model_version(cloud: Cloud, request: Body) -> Body:
    """DeleteModelVersion; refused for the only one, and while it is deployed.

    The newest of the others becomes the default where the default goes ("How to use model aliases",
    Google's documentation, read 2026-08-22).
    """
    name = request["name"]
    model, asked = models.split_version(name)
    if not asked:
        message = f'A model version is needed: {name}@VERSION. Received: "{name}".'
        raise ApiError("INVALID_ARGUMENT", message)
    with cloud.store.transaction():
        version = models.stored(cloud, name)
        versions = models.stored_versions(cloud, model)
        if len(versions) == 1:
            raise ApiError(
                "FAILED_PRECONDITION",
                f'Deleting the only version in the Model "{model}" is not allowed. '
                "Use DeleteModel for deleting the Model instead.",
            )
        _refuse_deployed(cloud, name, model, version["versionId"])
        _delete_version(cloud, version)
        if models.DEFAULT in version["versionAliases"]:
            newest = models.stored_versions(cloud, model)[-1]
            aliases = models.ordered({*newest["versionAliases"], models.DEFAULT})
            models.replace(cloud, {**newest, "versionAliases": aliases})
        metadata = resources.typed("DeleteOperationMetadata", {})
        return cloud.operations.done(model, metadata, resources.EMPTY)


def _refuse_deployed(cloud: Cloud, shown: str, model: str, version: str | None) -> None:
    """Raises FAILED_PRECONDITION, naming the endpoints, while a version (or any) is deployed."""
    places = [
        endpoint
        for endpoint, one in models.deployments(cloud, model)
        if version in (None, one["modelVersionId"])
    ]
    for operation in cloud.operations.unfinished("deploy"):
        one = operation.payload["deployedModel"]
        is_of_model = models.split_version(one["model"])[0] == model
        if is_of_model and version in (None, one["modelVersionId"]):
            places.append(operation.payload["endpoint"])
    if places:
        endpoints = ", ".join(f'"{place}"' for place in sorted(set(places)))
        raise ApiError(
            "FAILED_PRECONDITION",
            f'The Model "{shown}" is deployed or being deployed at the following Endpoint(s): '
            f"{endpoints}.",
        )


def _delete_version(cloud: Cloud, version: Body) -> None:
    delete_evaluations(cloud, version)
    cloud.resources.delete(models.version_name(version))
    _delete_artifacts(cloud, version)


def _delete_artifacts(cloud: Cloud, body: Body) -> None:
    """The files that the server itself keeps for a model; a user's own stay."""
    bucket, _, path = body.get(models.ARTIFACTS, "").removeprefix("gs://").partition("/")
    if bucket:
        objects.delete_prefix(cloud, bucket, path.removesuffix("model"))
        buckets.drop_hidden_bucket(cloud, bucket)
