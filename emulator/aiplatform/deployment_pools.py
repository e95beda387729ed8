"""Deployment resource pools: machines that several deployed models share."""

from __future__ import annotations

import re
from typing import Any

from emulator import metering
from emulator.aiplatform import deployed_resources, masks, names, resources
from emulator.aiplatform.models import ENDPOINT_KIND
from emulator.cloud import Cloud
from emulator.errors import ApiError

Body = dict[str, Any]
KIND = "aiplatform.DeploymentResourcePool"
NOUN = "deployment resource pool"
MESSAGE = "deployment_resource_pool"
FIELD = f"{MESSAGE}.dedicated_resources"
# CreateDeploymentResourcePoolRequest.deployment_resource_pool_id (SDK 2.7.0).
ID = re.compile(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?")
SETTABLE = ("encryptionSpec", "serviceAccount", "disableContainerLogging")


def create_deployment_resource_pool(cloud: Cloud, request: Body) -> Body:
    """CreateDeploymentResourcePool; done when it is answered."""
    location = names.location(request["parent"])
    sent = request.get("deploymentResourcePool", {})
    asked = request.get("deploymentResourcePoolId", "")
    if not ID.fullmatch(asked):
        message = f'Must match {ID.pattern}. Received: "{asked}".'
        raise resources.field_errors([("deployment_resource_pool_id", message)])
    resources.require_fields(MESSAGE, sent, ("dedicated_resources",))
    name = f"{location.name}/deploymentResourcePools/{asked}"
    kept = {key: sent[key] for key in SETTABLE if key in sent}
    body = {
        **kept,
        "name": name,
        "dedicatedResources": deployed_resources.dedicated(sent["dedicatedResources"], FIELD),
        "createTime": resources.now(cloud),
    }
    with cloud.store.transaction():
        if cloud.resources.get(name) is not None:
            raise ApiError("ALREADY_EXISTS", f'{NOUN} "{name}" already exists')
        cloud.resources.insert(KIND, name, body, location.name)
        metadata = resources.typed("CreateDeploymentResourcePoolOperationMetadata", {})
        response = resources.typed("DeploymentResourcePool", body)
        return cloud.operations.done(name, metadata, response)


def update_deployment_resource_pool(cloud: Cloud, request: Body) -> Body:
    """UpdateDeploymentResourcePool: its replicas; another number is billed from now on."""
    sent = request["deploymentResourcePool"]
    name = sent["name"]
    allowed = ("dedicatedResources", *SETTABLE[1:])
    paths = masks.checked(request.get("updateMask", ""), allowed, sent)
    with cloud.store.transaction():
        before = resources.require(cloud, NOUN, name)
        body = masks.merged(before, sent, paths)
        wanted = deployed_resources.dedicated(body.get("dedicatedResources", {}), FIELD)
        if wanted["machineSpec"] != before["dedicatedResources"]["machineSpec"]:
            message = "The machine spec of a pool is immutable."
            raise resources.field_errors([(f"{FIELD}.machine_spec", message)])
        body["dedicatedResources"] = wanted
        cloud.resources.replace(name, body)
        if deployed(cloud, name):
            metering.end_spans(cloud, name)
            metering.begin_pool(cloud, body)
        metadata = resources.typed("UpdateDeploymentResourcePoolOperationMetadata", {})
        response = resources.typed("DeploymentResourcePool", body)
        return cloud.operations.done(name, metadata, response)


def delete_deployment_resource_pool(cloud: Cloud, request: Body) -> Body:
    """DeleteDeploymentResourcePool; refused while models are deployed to it."""
    name = request["name"]
    with cloud.store.transaction():
        resources.require(cloud, NOUN, name)
        ids = [one["id"] for _, one in deployed(cloud, name)]
        ids += [
            operation.payload["deployedModel"]["id"]
            for operation in cloud.operations.unfinished("deploy")
            if operation.payload["deployedModel"].get("sharedResources") == name
        ]
        if ids:
            raise ApiError(
                "FAILED_PRECONDITION",
                f'DeploymentResourcePool "{name}" has deployed or being deployed DeployedModel(s) '
                f"with ID(s): {', '.join(ids)}.",
            )
        cloud.resources.delete(name)
        metadata = resources.typed("DeleteOperationMetadata", {})
        return cloud.operations.done(names.parent(name), metadata, resources.EMPTY)


def query_deployed_models(cloud: Cloud, request: Body) -> Body:
    """QueryDeployedModels: what shares a pool, and how much of it there is; one page."""
    name = request["deploymentResourcePool"]
    resources.require(cloud, NOUN, name)
    found = deployed(cloud, name)
    if not found:
        return {}
    return {
        "deployedModelRefs": [
            {"endpoint": endpoint, "deployedModelId": one["id"]} for endpoint, one in found
        ],
        "totalDeployedModelCount": len(found),
        "totalEndpointCount": len({endpoint for endpoint, _ in found}),
    }


def deployed(cloud: Cloud, name: str) -> list[tuple[str, Body]]:
    """Endpoint name and deployed model of everything that shares a pool."""
    return [
        (endpoint["name"], one)
        for endpoint in resources.children(cloud, ENDPOINT_KIND, names.location(name).name)
        for one in endpoint.get("deployedModels", [])
        if one.get("sharedResources") == name
    ]


def begin(cloud: Cloud, name: str) -> None:
    """The pool's machines are billed from its first model on; in the caller's transaction."""
    if len(deployed(cloud, name)) == 1:
        metering.begin_pool(cloud, resources.require(cloud, NOUN, name))


def end(cloud: Cloud, name: str) -> None:
    """They are no longer billed once its last model is gone; in the caller's transaction."""
    if not deployed(cloud, name):
        metering.end_spans(cloud, name)
