"""Persistent resources: machines that are kept, and billed, until somebody deletes them."""

from __future__ import annotations

import re
from typing import Any

from emulator import metering
from emulator.aiplatform import custom_spec, masks, names, resources
from emulator.aiplatform.lifecycles import CUSTOM_JOB
from emulator.cloud import Cloud
from emulator.errors import ApiError

Body = dict[str, Any]
KIND = "aiplatform.PersistentResource"
NOUN = "persistent resource"
MESSAGE = "persistent_resource"
# CreatePersistentResourceRequest.persistent_resource_id (SDK 2.7.0).
ID = re.compile(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?")
SETTABLE = (
    "displayName",
    "resourcePools",
    "labels",
    "network",
    "pscInterfaceConfig",
    "encryptionSpec",
    "resourceRuntimeSpec",
    "reservedIpRanges",
)
MUTABLE = ("displayName", "labels", "resourcePools")


def create_persistent_resource(cloud: Cloud, request: Body) -> Body:
    """CreatePersistentResource: RUNNING when it is answered."""
    location = names.location(request["parent"])
    sent = request.get("persistentResource", {})
    asked = request.get("persistentResourceId", "")
    if not ID.fullmatch(asked):
        message = f'Must match {ID.pattern}. Received: "{asked}".'
        raise resources.field_errors([("persistent_resource_id", message)])
    resources.require_label_form(MESSAGE, sent.get("labels", {}))
    name = f"{location.name}/persistentResources/{asked}"
    with cloud.store.transaction():
        if cloud.resources.get(name) is not None:
            raise ApiError("ALREADY_EXISTS", f'{NOUN} "{name}" already exists')
        kept = {key: sent[key] for key in SETTABLE if key in sent}
        kept["resourcePools"] = _pools(sent.get("resourcePools", []))
        now = resources.now(cloud)
        body = {**kept, "name": name, "state": "RUNNING", "startTime": now}
        body = resources.created(cloud, body)
        body.pop("etag")
        cloud.resources.insert(KIND, name, body, location.name)
        metering.begin_persistent(cloud, body)
        metadata = resources.typed("CreatePersistentResourceOperationMetadata", {})
        return cloud.operations.done(name, metadata, resources.typed("PersistentResource", body))


def _pools(sent: list[Body]) -> list[Body]:
    """The pools with their ids. INVALID_ARGUMENT lists what is wrong with each."""
    if not sent:
        field = f"{MESSAGE}.resource_pools"
        raise resources.field_errors([(field, "At least one resource pool must be specified.")])
    problems: list[tuple[str, str]] = []
    for place, pool in enumerate(sent):
        field = f"{MESSAGE}.resource_pools[{place}]"
        problems += custom_spec.machine_problems(pool.get("machineSpec", {}), field)
        scaling = pool.get("autoscalingSpec", {})
        if int(pool.get("replicaCount", 0)) < 1 and not int(scaling.get("minReplicaCount", 0)):
            problems.append((f"{field}.replica_count", "Replica count must be at least 1."))
    if problems:
        raise resources.field_errors(problems)
    return [
        {"id": f"resource-pool-{place}", "replicaCount": _least(pool), **pool}
        for place, pool in enumerate(sent)
    ]


def _least(pool: Body) -> str:
    return str(pool.get("autoscalingSpec", {}).get("minReplicaCount", "1"))


def update_persistent_resource(cloud: Cloud, request: Body) -> Body:
    """UpdatePersistentResource; another number of machines is billed from now on."""
    sent = request["persistentResource"]
    resources.require_label_form(MESSAGE, sent.get("labels", {}))
    paths = masks.checked(request.get("updateMask", ""), MUTABLE, sent)
    with cloud.store.transaction():
        before = resources.require(cloud, NOUN, sent["name"])
        body = masks.merged(before, sent, paths)
        body["resourcePools"] = _pools(body.get("resourcePools", []))
        _refuse_other_machines(before, body)
        body["updateTime"] = resources.now(cloud)
        cloud.resources.replace(body["name"], body)
        if body["resourcePools"] != before["resourcePools"]:
            metering.end_spans(cloud, body["name"])
            metering.begin_persistent(cloud, body)
        metadata = resources.typed("UpdatePersistentResourceOperationMetadata", {})
        response = resources.typed("PersistentResource", body)
        return cloud.operations.done(body["name"], metadata, response)


def _refuse_other_machines(before: Body, after: Body) -> None:
    """ "Required. Immutable. The specification of a single machine" (persistent_resource.proto)."""
    if [one["machineSpec"] for one in before["resourcePools"]] != [
        one["machineSpec"] for one in after["resourcePools"]
    ]:
        field = f"{MESSAGE}.resource_pools.machine_spec"
        raise resources.field_errors([(field, "The machine spec of a pool is immutable.")])


def reboot_persistent_resource(cloud: Cloud, request: Body) -> Body:
    """RebootPersistentResource: RUNNING again when it is answered; refused while jobs use it."""
    name = request["name"]
    with cloud.store.transaction():
        body = resources.require(cloud, NOUN, name)
        _refuse_used(cloud, name, "rebooted")
        cloud.resources.replace(name, {**body, "updateTime": resources.now(cloud)})
        metadata = resources.typed("RebootPersistentResourceOperationMetadata", {})
        return cloud.operations.done(name, metadata, resources.typed("PersistentResource", body))


def delete_persistent_resource(cloud: Cloud, request: Body) -> Body:
    """DeletePersistentResource: no longer billed when it is answered; refused while it is used."""
    name = request["name"]
    with cloud.store.transaction():
        resources.require(cloud, NOUN, name)
        _refuse_used(cloud, name, "deleted")
        cloud.resources.delete(name)
        metering.end_spans(cloud, name)
        metadata = resources.typed("DeleteOperationMetadata", {})
        return cloud.operations.done(names.parent(name), metadata, resources.EMPTY)


def _refuse_used(cloud: Cloud, name: str, what: str) -> None:
    jobs = resources.children(cloud, CUSTOM_JOB.kind, names.location(name).name)
    using = [
        job["name"]
        for job in jobs
        if job["jobSpec"].get("persistentResourceId") == names.last(name)
        and not CUSTOM_JOB.is_final(job)
    ]
    if using:
        message = f'PersistentResource "{name}" cannot be {what}: it runs {", ".join(using)}.'
        raise ApiError("FAILED_PRECONDITION", message)


def check_job(cloud: Cloud, location: names.Location, spec: Body) -> None:
    """Raises for a job spec whose persistent resource is not there, or has no such machines."""
    asked = spec.get("persistentResourceId")
    if not asked:
        return
    name = f"{location.name}/persistentResources/{asked}"
    kept = [pool["machineSpec"] for pool in resources.require(cloud, NOUN, name)["resourcePools"]]
    for pool in spec["workerPoolSpecs"]:
        if pool["machineSpec"] not in kept:
            raise ApiError(
                "INVALID_ARGUMENT",
                f'PersistentResource "{name}" has no resource pool with the machine_spec of the '
                f"worker pool: {pool['machineSpec']['machineType']}.",
            )
