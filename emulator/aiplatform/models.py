"""Models of the registry and their versions: stored, found by version or alias, listed.

A model is a row of its own; each version is a row under it, with aliases, files and evaluations.
What clients see is the version, with the labels of the model merged into its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from emulator.aiplatform import listing, names, resources
from emulator.aiplatform.list_schemas import ListSchema
from emulator.cloud import Cloud
from emulator.errors import ApiError

Body = dict[str, Any]
KIND = "aiplatform.Model"
VERSION_KIND = "aiplatform.ModelVersion"
ENDPOINT_KIND = "aiplatform.Endpoint"
DEFAULT = "default"
# Where the files of a model are; AutoML's are in no list and have no artifactUri, as on Google.
ARTIFACTS = "_artifacts"
# The number of the newest version that a model ever had: numbers are not given twice.
LAST = "_versions"
# "The first character cannot be a number or hyphen" (UploadModelRequest.model_id).
MODEL_ID = re.compile(r"[a-z_][a-z0-9_-]{0,62}")
# MergeVersionAliasesRequest.version_aliases; it cannot be mistaken for a version.
ALIAS = re.compile(r"[a-z]([a-zA-Z0-9-]{0,126}[a-z0-9])?")
SETTABLE = (
    "displayName",
    "description",
    "versionDescription",
    "labels",
    "containerSpec",
    "artifactUri",
    "predictSchemata",
    "metadata",
    "metadataSchemaUri",
    "explanationSpec",
    "encryptionSpec",
)
# What the API answers for a model with a container of its own.
CUSTOM = {
    "modelSourceInfo": {"sourceType": "CUSTOM"},
    "supportedDeploymentResourcesTypes": ["DEDICATED_RESOURCES"],
    "supportedInputStorageFormats": [
        "jsonl",
        "bigquery",
        "csv",
        "tf-record",
        "tf-record-gzip",
        "file-list",
    ],
    "supportedOutputStorageFormats": ["jsonl", "bigquery"],
    "supportedExportFormats": [{"id": "custom-trained", "exportableContents": ["ARTIFACT"]}],
}


def split_version(name: str) -> tuple[str, str]:
    """A model's name and the version or alias behind `@`, empty where there is none."""
    model, _, version = name.partition("@")
    return model, version


def version_name(body: Body) -> str:
    """`…/models/ID@2` of a version's body."""
    return f"{body['name']}@{body['versionId']}"


def deployed_version(deployed: Body) -> str:
    """`…/models/ID@2` of a deployed model."""
    return f"{deployed['model']}@{deployed['modelVersionId']}"


def is_automl(body: Body) -> bool:
    """Whether a model came from AutoML, whose instances are photos."""
    return bool(body.get("modelSourceInfo", {}).get("sourceType") == "AUTOML")


def stored_versions(cloud: Cloud, model: str) -> list[Body]:
    """The versions of a model as they are stored, oldest first."""
    return resources.children(cloud, VERSION_KIND, model)


def stored(cloud: Cloud, name: str) -> Body:
    """The stored version that a name means: by number, by alias, else the default one.

    NOT_FOUND when the model has no such version.
    """
    model, version = split_version(name)
    resources.require(cloud, "model", model)
    wanted = version if version not in ("", "-") else DEFAULT
    for body in stored_versions(cloud, model):
        if wanted == body["versionId"] or wanted in body["versionAliases"]:
            return body
    raise ApiError("NOT_FOUND", f'model "{name}" not found')


def require(cloud: Cloud, name: str) -> Body:
    """The version that a name means, as clients see it. NOT_FOUND when there is none."""
    return merged(cloud, stored(cloud, name))


def merged(cloud: Cloud, version: Body) -> Body:
    """A version with the model's own labels under its own."""
    model = cloud.resources.require(version["name"])
    labels = {**model.get("labels", {}), **version.get("labels", {})}
    return {**version, "labels": labels} if labels else version


def check_target(cloud: Cloud, location: names.Location, model_id: str, parent_model: str) -> None:
    """Raises what `upload` would: a bad or taken model id, a parent that is not there, or both."""
    if model_id and parent_model:
        message = "Only one of model_id and parent_model may be set."
        raise ApiError("INVALID_ARGUMENT", message)
    if parent_model:
        if names.location(parent_model) != location:
            message = f"The parent model {parent_model} must be in {location.name}."
            raise ApiError("INVALID_ARGUMENT", message)
        resources.require(cloud, "model", split_version(parent_model)[0])
    elif model_id:
        name = f"{location.name}/models/{model_id}"
        if cloud.resources.get(name) is not None:
            raise ApiError("ALREADY_EXISTS", f'Model "{name}" already exists')
        if not MODEL_ID.fullmatch(model_id):
            message = f"model_id must match {MODEL_ID.pattern}."
            raise ApiError("INVALID_ARGUMENT", f'{message} Received: "{model_id}".')


def custom(sent: Body, **more: Any) -> Body:
    """The body of a model that somebody sent, for `upload`; `more` adds output fields.

    One with a container is a custom model, and says what such a model can do.
    """
    kept = {key: sent[key] for key in SETTABLE if key in sent}
    return {**kept, **(CUSTOM if "containerSpec" in sent else {}), **more}


def upload(
    cloud: Cloud,
    location: names.Location,
    body: Body,
    *,
    model_id: str = "",
    parent_model: str = "",
    aliases: Iterable[str] = (),
) -> Body:
    """The new version, stored; for the inside of a transaction.

    The first version of a model that is made here (of `model_id`, or a number), or one more of
    `parent_model`. The first is the default; a later one takes `default`, and any other alias, from
    the version that has it. ApiError as `check_target`; INVALID_ARGUMENT for a bad alias.
    """
    check_target(cloud, location, model_id, parent_model)
    check_aliases(aliases)
    model = _parent(cloud, location, model_id, parent_model)
    number = model[LAST] + 1
    wanted = set(aliases) | ({DEFAULT} if number == 1 else set())
    take_aliases(cloud, model["name"], wanted)
    now = resources.now(cloud)
    version = {
        **body,
        "name": model["name"],
        "createTime": model["createTime"],
        "versionId": str(number),
        "versionAliases": ordered(wanted),
        "versionCreateTime": now,
        "versionUpdateTime": now,
    }
    version = resources.stamped(cloud, version)
    cloud.resources.insert(VERSION_KIND, version_name(version), version, model["name"])
    cloud.resources.replace(model["name"], {**model, LAST: number})
    return version


def _parent(cloud: Cloud, location: names.Location, model_id: str, parent_model: str) -> Body:
    if parent_model:
        return cloud.resources.require(split_version(parent_model)[0])
    name = f"{location.name}/models/{model_id or names.new_id()}"
    model = {"name": name, "createTime": resources.now(cloud), LAST: 0}
    cloud.resources.insert(KIND, name, model, location.name)
    return model


def check_aliases(aliases: Iterable[str]) -> None:
    """Raises INVALID_ARGUMENT for an alias that Google would not take."""
    for alias in aliases:
        if not ALIAS.fullmatch(alias):
            message = f"Version aliases must match {ALIAS.pattern}."
            raise ApiError("INVALID_ARGUMENT", f'{message} Received: "{alias}".')


def ordered(aliases: Iterable[str]) -> list[str]:
    """Aliases with `default` first, the others by name."""
    return sorted(aliases, key=lambda alias: (alias != DEFAULT, alias))


def take_aliases(cloud: Cloud, model: str, aliases: Iterable[str]) -> None:
    """No version of the model has these aliases any more."""
    wanted = set(aliases)
    for version in stored_versions(cloud, model):
        rest = [alias for alias in version["versionAliases"] if alias not in wanted]
        if rest != version["versionAliases"]:
            replace(cloud, {**version, "versionAliases": rest})


def replace(cloud: Cloud, version: Body) -> Body:
    """The version as changed now, stored."""
    changed = resources.stamped(cloud, {**version, "versionUpdateTime": resources.now(cloud)})
    cloud.resources.replace(version_name(version), changed)
    return changed


def get_model(cloud: Cloud, request: Body) -> Body:
    """GetModel: the version that the name means, and where that version is deployed."""
    return with_deployments(require(cloud, request["name"]), _served(cloud, request["name"]))


def with_deployments(version: Body, served: Iterable[tuple[str, Body]]) -> Body:
    """A version with the places, of those given, where it is deployed."""
    deployed = [
        {"endpoint": endpoint, "deployedModelId": one["id"]}
        for endpoint, one in served
        if deployed_version(one) == version_name(version)
    ]
    return {**version, "deployedModels": deployed} if deployed else version


def list_models(cloud: Cloud, request: Body) -> Body:
    """ListModels: the default version of each."""
    location = names.location(request["parent"])
    served = _served(cloud, location.name)
    rows = [
        with_deployments(require(cloud, model["name"]), served)
        for model in resources.children(cloud, KIND, location.name)
    ]
    return listing.page("models", rows, request)


def list_model_versions(cloud: Cloud, request: Body) -> Body:
    """ListModelVersions."""
    model, _ = split_version(request["name"])
    resources.require(cloud, "model", model)
    served = _served(cloud, model)
    versions = [
        # What was made at one moment is listed by number.
        {**with_deployments(merged(cloud, one), served), listing.PLACE: one["versionId"].zfill(9)}
        for one in stored_versions(cloud, model)
    ]
    return listing.page("models", versions, request, ListSchema("modelVersions"))


def deployments(cloud: Cloud, model: str) -> list[tuple[str, Body]]:
    """Endpoint name and deployed model of every place where a version of a model is deployed."""
    return [
        (endpoint, deployed)
        for endpoint, deployed in _served(cloud, model)
        if split_version(deployed["model"])[0] == model
    ]


def _served(cloud: Cloud, name: str) -> list[tuple[str, Body]]:
    """Endpoint name and deployed model of everything deployed in the location of a name."""
    location = names.location(name)
    return [
        (endpoint["name"], deployed)
        for endpoint in resources.children(cloud, ENDPOINT_KIND, location.name)
        for deployed in endpoint.get("deployedModels", [])
    ]
