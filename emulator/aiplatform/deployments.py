"""DeployModel and UndeployModel: a deployment is done when its server answers, not before."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from typing import Any

from emulator import metering
from emulator.aiplatform import (
    deployed_resources,
    deployment_pools,
    endpoints,
    models,
    names,
    resources,
    serving,
)
from emulator.cloud import Cloud
from emulator.errors import ApiError
from emulator.operations import Unfinished

LOG = logging.getLogger("emulator.aiplatform")
Body = dict[str, Any]
WORK = "deploy"
KEPT = ("serviceAccount", "explanationSpec", "disableExplanations")


def deploy_model(cloud: Cloud, request: Body) -> Body:
    """DeployModel: an operation that goes on until the prediction server is healthy."""
    name = request["endpoint"]
    sent = request.get("deployedModel", {})
    with cloud.store.transaction():
        endpoint = resources.require(cloud, "endpoint", name)
        resources.require_fields("deployed_model", sent, ("model",))
        model = models.require(cloud, sent["model"])
        deployed = _deployed(cloud, endpoint, model, sent)
        split = _split(endpoint, deployed["id"], request.get("trafficSplit", {}))
        payload = {"endpoint": name, "deployedModel": deployed, "trafficSplit": split}
        metadata = resources.typed("DeployModelOperationMetadata", {})
        operation = cloud.operations.begin(name, metadata, WORK, payload)
    cloud.jobs.spawn(follow(cloud, operation["name"], payload), operation["name"])
    return operation


def _deployed(cloud: Cloud, endpoint: Body, model: Body, sent: Body) -> Body:
    """The deployed model as it will be; refused as Google refuses it."""
    if names.location(model["name"]) != names.location(endpoint["name"]):
        message = "The Model and the Endpoint must be in the same location."
        raise ApiError("INVALID_ARGUMENT", message)
    return {
        "id": _free_id(cloud, endpoint, sent.get("id")),
        "model": model["name"],
        "modelVersionId": model["versionId"],
        "displayName": sent.get("displayName") or model.get("displayName", ""),
        **_resources(cloud, endpoint, model, sent),
        **{field: sent[field] for field in KEPT if sent.get(field)},
    }


def _resources(cloud: Cloud, endpoint: Body, model: Body, sent: Body) -> Body:
    """What the model will run on; a pool must be there, in the endpoint's location."""
    found = deployed_resources.of(model, sent)
    if pool := found.get("sharedResources"):
        resources.require(cloud, deployment_pools.NOUN, pool)
        if names.location(pool) != names.location(endpoint["name"]):
            message = "The DeploymentResourcePool and the Endpoint must be in the same location."
            raise ApiError("INVALID_ARGUMENT", message)
    return found


def _free_id(cloud: Cloud, endpoint: Body, asked: str | None) -> str:
    taken = {deployed["id"] for deployed in endpoint.get("deployedModels", [])}
    taken |= {
        operation.payload["deployedModel"]["id"]
        for operation in cloud.operations.unfinished(WORK)
        if operation.payload["endpoint"] == endpoint["name"]
    }
    if asked is None:
        return names.new_id()
    if not (asked.isdigit() and len(asked) <= 19):
        raise ApiError("INVALID_ARGUMENT", f"deployed_model.id must be a number, not {asked!r}.")
    if asked in taken:
        message = f'DeployedModel with id "{asked}" already exists in {endpoint["name"]}.'
        raise ApiError("ALREADY_EXISTS", message)
    return asked


def _split(endpoint: Body, deployed_id: str, asked: dict[str, int]) -> dict[str, int]:
    """The traffic asked for; `0` stands for the model being deployed. Empty: it stays as it is."""
    split = {deployed_id if key == "0" else key: value for key, value in asked.items()}
    ids = [*endpoint.get("deployedModels", []), {"id": deployed_id}]
    endpoints.check_traffic({"deployedModels": ids}, split)
    return split


def take_up(cloud: Cloud, unfinished: Unfinished) -> None:
    """A deployment that a crash interrupted goes on.

    A process that ended because the server that has its model was gone is started once more.
    """
    work = follow(cloud, unfinished.name, unfinished.payload, attempts=2)
    cloud.jobs.spawn(work, unfinished.name)


async def follow(cloud: Cloud, operation: str, payload: Body, attempts: int = 1) -> None:
    """The model is deployed, or the operation says why not and no process is left."""
    endpoint, deployed = payload["endpoint"], payload["deployedModel"]
    is_unwanted = partial(cloud.operations.is_done, operation)
    try:
        await _started(cloud, endpoint, deployed, is_unwanted, attempts)
        _conclude(cloud, operation, payload)
        serving.keep(cloud, endpoint, deployed)
        return
    except ApiError as problem:
        cloud.operations.fail(operation, problem)
    except Exception as problem:
        LOG.exception("deployment %s failed", operation)
        cloud.operations.fail(operation, ApiError("INTERNAL", f"The deployment failed: {problem}"))
    await asyncio.to_thread(cloud.jobs.remove, serving.job_id(endpoint, deployed["id"]))


async def _started(
    cloud: Cloud, endpoint: str, deployed: Body, is_unwanted: Callable[[], bool], attempts: int
) -> None:
    for left in reversed(range(attempts)):
        try:
            await serving.healthy(cloud, endpoint, deployed, is_unwanted)
            return
        except ApiError:
            if not left or is_unwanted():
                raise
            job = serving.job_id(endpoint, deployed["id"])
            await asyncio.to_thread(cloud.jobs.remove, job)


def _conclude(cloud: Cloud, operation: str, payload: Body) -> None:
    with cloud.store.transaction():
        if cloud.operations.is_done(operation):
            raise ApiError("CANCELLED", "The deployment was cancelled.")
        endpoint = resources.require(cloud, "endpoint", payload["endpoint"])
        now = resources.now(cloud)
        deployed = {**payload["deployedModel"], "createTime": now}
        endpoint["deployedModels"] = [*endpoint.get("deployedModels", []), deployed]
        endpoint["trafficSplit"] = _present(endpoint, payload["trafficSplit"], deployed["id"])
        endpoint = resources.stamped(cloud, endpoint)
        cloud.resources.replace(endpoint["name"], endpoint)
        if pool := deployed.get("sharedResources"):
            deployment_pools.begin(cloud, pool)
        else:
            usage_name = _usage_name(endpoint["name"], deployed["id"])
            metering.begin_deployment(cloud, usage_name, endpoint, deployed)
        response = resources.typed("DeployModelResponse", {"deployedModel": deployed})
        cloud.operations.finish(operation, response)


def _present(endpoint: Body, split: dict[str, int], deployed_id: str) -> dict[str, int]:
    """The traffic that was asked for, or all to the new model where another has gone meanwhile.

    Where none was asked for it stays as it is; an endpoint's first model gets all.
    """
    split = split or endpoint.get("trafficSplit", {})
    ids = {one["id"] for one in endpoint["deployedModels"]}
    return split if split and set(split) <= ids else {deployed_id: 100}


def _usage_name(endpoint: str, deployed_id: str) -> str:
    return f"{endpoint}/deployedModels/{deployed_id}"


def undeploy_model(cloud: Cloud, request: Body) -> Body:
    """UndeployModel: off the endpoint, and no longer billed, when it is answered."""
    name, deployed_id = request["endpoint"], request.get("deployedModelId", "")
    with cloud.store.transaction():
        endpoint = resources.require(cloud, "endpoint", name)
        present = endpoint.get("deployedModels", [])
        rest = [one for one in present if one["id"] != deployed_id]
        gone = [one for one in present if one["id"] == deployed_id]
        if not gone:
            message = f'DeployedModel with id "{deployed_id}" not found in endpoint "{name}".'
            raise ApiError("NOT_FOUND", message)
        split = _without(endpoint.get("trafficSplit", {}), deployed_id, request, rest)
        changed = {**endpoint, "deployedModels": rest, "trafficSplit": split}
        endpoint = {key: value for key, value in changed.items() if value not in ([], {})}
        cloud.resources.replace(name, resources.stamped(cloud, endpoint))
        metering.end_deployment(cloud, _usage_name(name, deployed_id))
        for one in gone:
            if "sharedResources" in one:
                deployment_pools.end(cloud, one["sharedResources"])
        metadata = resources.typed("UndeployModelOperationMetadata", {})
        response = resources.typed("UndeployModelResponse", {})
        operation = cloud.operations.done(name, metadata, response)
    cloud.jobs.discard(serving.job_id(name, deployed_id))
    return operation


def _without(
    split: dict[str, int], deployed_id: str, request: Body, rest: list[Body]
) -> dict[str, int]:
    """The traffic without a model. FAILED_PRECONDITION when others stay and it has traffic."""
    if not rest:
        return {}
    if asked := request.get("trafficSplit"):
        endpoints.check_traffic({"deployedModels": rest}, asked)
        return dict(asked)
    if split.get(deployed_id, 0) > 0:
        raise ApiError(
            "FAILED_PRECONDITION",
            f"DeployedModel {deployed_id} has {split[deployed_id]} % of the traffic. "
            "Send a traffic_split without it.",
        )
    return {key: value for key, value in split.items() if key != deployed_id}
