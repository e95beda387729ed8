"""What a deployed model runs on: AutoML's own nodes, or machines of a type for a custom model."""

from __future__ import annotations

from typing import Any

from emulator.aiplatform import machines, resources
from emulator.errors import ApiError

Body = dict[str, Any]
TYPES = {
    "automaticResources": "AUTOMATIC_RESOURCES",
    "dedicatedResources": "DEDICATED_RESOURCES",
    "sharedResources": "SHARED_RESOURCES",
}
FIELD = "deployed_model.dedicated_resources"
AUTOMATIC = "deployed_model.automatic_resources"
# Kept as they come: one process serves, however many replicas there are.
KEPT = ("autoscalingMetricSpecs", "requiredReplicaCount", "spot")


def of(model: Body, sent: Body) -> Body:
    """`automaticResources` or `dedicatedResources` as they will be; refused as Google does."""
    supported = model.get("supportedDeploymentResourcesTypes", [])
    given = [field for field in TYPES if field in sent]
    if given == ["sharedResources"] and TYPES["dedicatedResources"] in supported:
        # A pool is dedicated resources, shared (deployment_resource_pool.proto, SDK 2.7.0).
        return {"sharedResources": sent["sharedResources"]}
    if len(given) != 1 or TYPES[given[0]] not in supported:
        wanted = [field for field, kind in TYPES.items() if kind in supported]
        raise ApiError(
            "INVALID_ARGUMENT",
            f"Model {model['name']} supports {', '.join(supported)} for its deployment. "
            f"Received: {', '.join(given) or 'no resources'}. "
            f"Set {' or '.join(_snake(field) for field in wanted)}.",
        )
    kept: Body = sent[given[0]]
    if given == ["automaticResources"]:
        return {"automaticResources": _replicas(kept, 1, AUTOMATIC)}
    return {"dedicatedResources": dedicated(kept)}


def dedicated(sent: Body, field: str = FIELD) -> Body:
    """Machines of a type as they will be; INVALID_ARGUMENT names what is wrong under `field`."""
    kept = {key: sent[key] for key in KEPT if key in sent}
    return {"machineSpec": _machine(sent, field), **_replicas(sent, 0, field), **kept}


def _snake(field: str) -> str:
    return "".join(f"_{one.lower()}" if one.isupper() else one for one in field)


def _replicas(sent: Body, least_if_unset: int, field: str = FIELD) -> Body:
    least = int(sent.get("minReplicaCount", least_if_unset))
    if least < 1:
        message = "min_replica_count must be at least 1."
        raise resources.field_errors([(f"{field}.min_replica_count", message)])
    most = int(sent.get("maxReplicaCount", 0)) or least
    if most < least:
        message = f"Must not be below min_replica_count ({least}). Received: {most}."
        raise resources.field_errors([(f"{field}.max_replica_count", message)])
    return {"minReplicaCount": least, "maxReplicaCount": most}


def _machine(sent: Body, field: str) -> Body:
    spec: Body = sent.get("machineSpec", {})
    resources.require_fields(f"{field}.machine_spec", spec, ("machine_type",))
    machine = spec["machineType"]
    if not machines.serves(machine):
        message = f"Machine type {machine!r} is not supported for prediction."
        raise resources.field_errors([(f"{field}.machine_spec.machine_type", message)])
    accelerator = spec.get("acceleratorType", "ACCELERATOR_TYPE_UNSPECIFIED")
    if accelerator == "ACCELERATOR_TYPE_UNSPECIFIED":
        return {"machineType": machine}
    if accelerator not in (machines.accelerators_of(machine) or ()):
        message = f"Accelerator {accelerator} cannot be attached to {machine}."
        raise resources.field_errors([(f"{field}.machine_spec.accelerator_type", message)])
    count = int(spec.get("acceleratorCount", 0)) or 1
    return {"machineType": machine, "acceleratorType": accelerator, "acceleratorCount": count}
