"""Endpoints: created, found, changed, deleted when nothing is deployed on them."""

from __future__ import annotations

from typing import Any

from emulator.aiplatform import listing, names, resources
from emulator.aiplatform.models import ENDPOINT_KIND as KIND
from emulator.aiplatform.refusals import bad_field
from emulator.cloud import Cloud
from emulator.errors import ApiError

Body = dict[str, Any]
MUTABLE = ("displayName", "description", "labels", "trafficSplit")
SETTABLE = (
    "displayName",
    "description",
    "labels",
    "encryptionSpec",
    "network",
    "enablePrivateServiceConnect",
)


def create_endpoint(cloud: Cloud, request: Body) -> Body:
    """CreateEndpoint, with the client's id or a new one; done when it is answered."""
    location = names.location(request["parent"])
    sent = request.get("endpoint", {})
    resources.require_fields("endpoint", sent, ("display_name",))
    resources.require_label_form("endpoint", sent.get("labels", {}))
    if sent.get("dedicatedEndpointEnabled"):
        raise ApiError("UNIMPLEMENTED", "Dedicated endpoints are not in the local cloud.")
    asked = request.get("endpointId")
    last = names.check_client_id("endpoint_id", asked) if asked else names.new_id()
    name = f"{location.name}/endpoints/{last}"
    with cloud.store.transaction():
        if cloud.resources.get(name) is not None:
            raise ApiError("ALREADY_EXISTS", f'endpoint "{name}" already exists')
        kept = {key: sent[key] for key in SETTABLE if key in sent}
        body = resources.created(cloud, {**kept, "name": name})
        cloud.resources.insert(KIND, name, body, location.name)
        metadata = resources.typed("CreateEndpointOperationMetadata", {})
        return cloud.operations.done(name, metadata, resources.typed("Endpoint", body))


def update_endpoint(cloud: Cloud, request: Body) -> Body:
    """UpdateEndpoint; a traffic split must name deployed models and sum to 100."""
    sent = request["endpoint"]
    mask = request.get("updateMask", "")
    resources.require_label_form("endpoint", sent.get("labels", {}))
    if "trafficSplit" in listing.masked_fields(mask, MUTABLE):
        present = resources.require(cloud, "endpoint", sent["name"])
        check_traffic(present, sent.get("trafficSplit", {}))
    return resources.patch(cloud, "endpoint", sent, mask, MUTABLE)


def check_traffic(endpoint: Body, split: dict[str, int]) -> None:
    """Raises INVALID_ARGUMENT for a split over unknown models, or that is not 100 in all."""
    deployed = {model["id"] for model in endpoint.get("deployedModels", [])}
    if unknown := sorted(set(split) - deployed):
        message = f"The traffic split names models that are not deployed: {', '.join(unknown)}."
        raise bad_field("traffic_split", message)
    if any(share < 0 or share > 100 for share in split.values()):
        message = f"Traffic percentages must be from 0 to 100. Received: {split}."
        raise bad_field("traffic_split", message)
    if split and sum(split.values()) != 100:
        message = f"Traffic percentages must add up to 100. Received: {sum(split.values())}."
        raise bad_field("traffic_split", message)


def delete_endpoint(cloud: Cloud, request: Body) -> Body:
    """DeleteEndpoint; refused while models are deployed on it."""
    name = request["name"]
    with cloud.store.transaction():
        body = resources.require(cloud, "endpoint", name)
        ids = [model["id"] for model in body.get("deployedModels", [])]
        ids += [
            operation.payload["deployedModel"]["id"]
            for operation in cloud.operations.unfinished("deploy")
            if operation.payload["endpoint"] == name
        ]
        if ids:
            raise ApiError(
                "FAILED_PRECONDITION",
                f'Endpoint "{name}" has deployed or being deployed DeployedModel(s) with ID(s): '
                f"{', '.join(ids)}.",
            )
        cloud.resources.delete(name)
        metadata = resources.typed("DeleteOperationMetadata", {})
        return cloud.operations.done(names.parent(name), metadata, resources.EMPTY)
