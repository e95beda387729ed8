"""Changes of what is deployed, and of an endpoint, that Google makes by operations."""

from __future__ import annotations

from typing import Any

from emulator import metering
from emulator.aiplatform import deployed_resources, masks, models, resources
from emulator.cloud import Cloud
from emulator.errors import ApiError

Body = dict[str, Any]
# MutateDeployedModelRequest.deployed_model (SDK 2.7.0): what can be mutated.
MUTABLE = ("dedicatedResources", "automaticResources", "disableContainerLogging")
MUTABLE_INSIDE = (
    "minReplicaCount",
    "maxReplicaCount",
    "requiredReplicaCount",
    "autoscalingMetricSpecs",
)
# "Currently we only support updating the client_connection_config field"
# (UpdateEndpointLongRunningRequest, SDK 2.7.0).
UPDATABLE = "clientConnectionConfig"
SAME = ("displayName", "description", "labels", "encryptionSpec", "network", "trafficSplit")


def mutate_deployed_model(cloud: Cloud, request: Body) -> Body:
    """MutateDeployedModel: other replicas, billed from now on; done when it is answered."""
    name, sent = request["endpoint"], request.get("deployedModel", {})
    paths = masks.checked(request.get("updateMask", ""), MUTABLE, sent)
    for path in paths:
        if len(path) > 1 and path[1] not in MUTABLE_INSIDE:
            message = f"Updating {'.'.join(map(masks.snake, path))} is not supported."
            raise resources.field_errors([("update_mask", message)])
    with cloud.store.transaction():
        endpoint = resources.require(cloud, "endpoint", name)
        before = _deployed(endpoint, sent.get("id", ""))
        after = _changed(cloud, before, sent, paths)
        rest = [after if one["id"] == after["id"] else one for one in endpoint["deployedModels"]]
        changed = resources.stamped(cloud, {**endpoint, "deployedModels": rest})
        cloud.resources.replace(name, changed)
        if _replicas(before) != _replicas(after):
            usage = f"{name}/deployedModels/{after['id']}"
            metering.end_deployment(cloud, usage)
            metering.begin_deployment(cloud, usage, endpoint, after)
        metadata = resources.typed("MutateDeployedModelOperationMetadata", {})
        response = resources.typed("MutateDeployedModelResponse", {"deployedModel": after})
        return cloud.operations.done(name, metadata, response)


def _deployed(endpoint: Body, deployed_id: str) -> Body:
    for one in endpoint.get("deployedModels", []):
        if one["id"] == deployed_id:
            return dict(one)
    message = f'DeployedModel with id "{deployed_id}" not found in endpoint "{endpoint["name"]}".'
    raise ApiError("NOT_FOUND", message)


def _changed(cloud: Cloud, before: Body, sent: Body, paths: list[list[str]]) -> Body:
    """The deployed model as it will be. INVALID_ARGUMENT for resources of another kind."""
    for kind in MUTABLE[:2]:
        if kind not in before and any(path[0] == kind for path in paths):
            message = f"DeployedModel {before['id']} has no {masks.snake(kind)}."
            raise ApiError("INVALID_ARGUMENT", message)
    after = masks.merged(before, sent, paths)
    kept = {key: value for key, value in after.items() if key in MUTABLE[:2]}
    if not kept:
        return after
    model = models.require(cloud, models.deployed_version(before))
    resources_of = deployed_resources.of(model, kept)
    machine = before.get("dedicatedResources", {}).get("machineSpec")
    if machine != resources_of.get("dedicatedResources", {}).get("machineSpec"):
        raise ApiError("INVALID_ARGUMENT", "Updating machine_spec is not supported.")
    return {**after, **resources_of}


def _replicas(deployed: Body) -> int:
    found = deployed.get("dedicatedResources") or deployed.get("automaticResources") or {}
    return int(found.get("minReplicaCount", 0))


def update_endpoint_long_running(cloud: Cloud, request: Body) -> Body:
    """UpdateEndpointLongRunning: the client connection config; any other change is refused."""
    sent = request["endpoint"]
    with cloud.store.transaction():
        present = resources.require(cloud, "endpoint", sent["name"])
        resources.check_etag("endpoint", present, sent.get("etag", ""))
        for field in SAME:
            if field in sent and sent[field] != present.get(field):
                message = f"Updating {masks.snake(field)} is not supported."
                raise resources.field_errors([(f"endpoint.{masks.snake(field)}", message)])
        body = masks.merged(present, sent, [[UPDATABLE]])
        body = resources.stamped(cloud, body)
        cloud.resources.replace(body["name"], body)
        metadata = resources.typed("UpdateEndpointOperationMetadata", {})
        response = resources.typed("Endpoint", body)
        return cloud.operations.done(body["name"], metadata, response)
