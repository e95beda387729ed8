"""Endpoints, what is deployed on them, and one online prediction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeAlias

from ops import names
from ops.cloud import vertex_modules
from ops.cloud.session import Session

if TYPE_CHECKING:
    from google.cloud import aiplatform_v1

Operation: TypeAlias = Any
"""google.api_core.operation.Operation: what `Session.wait` waits for."""

XRAI: dict[str, Any] = {"xrai_attribution": {"step_count": 25}}
"""ExplanationParameters of regions; `step_count` is from 1 to 100 (explanation.proto of v1)."""

BEGINNING = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class DeployedModel:
    """A model on an endpoint; it is billed from `created` until it is undeployed.

    `model_name` is the full name with the version; `machine_type` is empty for AutoML's nodes.
    """

    id: str
    model_name: str
    display_name: str
    replicas: int
    created: datetime | None
    machine_type: str = ""


@dataclass(frozen=True)
class Endpoint:
    """An endpoint; it costs nothing while no model is deployed on it."""

    name: str
    display_name: str
    labels: dict[str, str]
    deployed: tuple[DeployedModel, ...]
    created: datetime | None

    @property
    def expires(self) -> datetime | None:
        """The end of the time to live; None when no (readable) label says one."""
        return names.expiry(self.labels.get(names.LABEL_EXPIRES, ""))


def get(session: Session, name: str) -> Endpoint | None:
    """The endpoint of this full resource name; None when there is none."""
    from google.api_core.exceptions import NotFound

    try:
        return _endpoint(session.call(session.endpoints().get_endpoint, request={"name": name}))
    except NotFound:
        return None


def find(session: Session, labels: Mapping[str, str]) -> list[Endpoint]:
    """The endpoints that carry all these labels, oldest first."""
    request = {"parent": session.parent, "filter": names.label_filter(labels)}
    pages = session.call(session.endpoints().list_endpoints, request=request)
    found = [_endpoint(raw) for raw in pages]
    return sorted(found, key=lambda endpoint: endpoint.created or BEGINNING)


def create(
    session: Session, endpoint_id: str, display_name: str, labels: Mapping[str, str]
) -> Operation:
    """The operation that makes an endpoint of this id; Google's AlreadyExists if there is one."""
    request = {
        "parent": session.parent,
        "endpoint_id": endpoint_id,
        "endpoint": {"display_name": display_name, "labels": dict(labels)},
    }
    return session.submit(session.endpoints().create_endpoint, request=request)


def relabel(session: Session, name: str, labels: Mapping[str, str]) -> Endpoint:
    """The endpoint with these labels in place of all that it had."""
    request = {
        "endpoint": {"name": name, "labels": dict(labels)},
        "update_mask": {"paths": ["labels"]},
    }
    return _endpoint(session.call(session.endpoints().update_endpoint, request=request))


def deploy(
    session: Session,
    name: str,
    deployed_id: str,
    model_name: str,
    display_name: str,
    machine_type: str = "",
    service_account: str = "",
    explains: bool = False,
) -> Operation:
    """The operation that deploys a model on one node and gives it all the traffic.

    `deployed_id` has 1-10 digits; the API refuses a second deployment under the same id.
    AutoML image models take automatic resources and no machine type ("get predictions", read
    2026-08-22); custom models take a machine, and the account that their container runs as
    ("custom-service-account", read 2026-08-22): without one, an account that can read nothing but
    the model. With `explains` Vertex Explainable AI answers `explain` for an AutoML model ("Getting
    explanations": enabled when it is deployed; the service ends on 2027-03-16).
    """
    deployed_model = {
        "id": deployed_id,
        "model": model_name,
        "display_name": display_name,
        **_resources(machine_type),
        **({"service_account": service_account} if service_account else {}),
        **({"explanation_spec": {"parameters": XRAI}} if explains else {}),
    }
    request = {"endpoint": name, "deployed_model": deployed_model, "traffic_split": {"0": 100}}
    return session.submit(session.endpoints().deploy_model, request=request)


def _resources(machine_type: str) -> dict[str, Any]:
    one = {"min_replica_count": 1, "max_replica_count": 1}
    if machine_type:
        return {"dedicated_resources": {"machine_spec": {"machine_type": machine_type}, **one}}
    return {"automatic_resources": one}


def undeploy(session: Session, name: str, deployed_id: str) -> Operation:
    """The operation that takes a model off; billing ends with it."""
    request = {"endpoint": name, "deployed_model_id": deployed_id}
    return session.submit(session.endpoints().undeploy_model, request=request)


def delete(session: Session, name: str) -> Operation:
    """The operation that deletes an endpoint on which nothing is deployed."""
    return session.submit(session.endpoints().delete_endpoint, request={"name": name})


def unfinished(session: Session, name: str, kind: str) -> list[Operation]:
    """The running operations on an endpoint of one kind (DeployModel, UndeployModel), oldest first.

    They are found whoever started them, and can be waited for.
    """
    client, types = session.endpoints(), vertex_modules.messages("endpoint_service")
    metadata = getattr(types, f"{kind}OperationMetadata")
    result = getattr(types, f"{kind}Response")
    suffix = f".{kind}OperationMetadata"
    listed = session.call(client.list_operations, {"name": name})
    running = [one for one in listed.operations if not one.done]
    return [
        session.operation(client, one.name, result, metadata)
        for one in running
        if one.metadata.type_url.endswith(suffix)
    ]


def predict(
    session: Session,
    name: str,
    instances: Sequence[Mapping[str, Any]],
    parameters: Mapping[str, Any] | None = None,
) -> list[Any]:
    """One answer an instance; a request has at most 1.5 MB ("choose an endpoint type")."""
    values = [to_value(one) for one in instances]
    given = {"parameters": to_value(parameters)} if parameters else {}
    response = session.call(session.predictions().predict, endpoint=name, instances=values, **given)
    return list(response.predictions)


def explain(
    session: Session, name: str, instance: Mapping[str, Any], parameters: Mapping[str, Any]
) -> Any:
    """The ExplainResponse for one instance; `parameters` are ExplanationParameters.

    Google's BadRequest where the model was deployed without explanations.
    """
    kind = vertex_modules.messages("prediction_service").ExplainRequest
    override = {"parameters": dict(parameters)}
    request = kind(endpoint=name, explanation_spec_override=override)
    # The message takes no list of values when it is made, only when it is there.
    request.instances.extend([to_value(instance)])
    return session.call(session.predictions().explain, request=request)


def to_value(instance: Mapping[str, Any]) -> Any:
    """The instance as the protobuf value that the client wants."""
    from google.protobuf import json_format, struct_pb2

    return json_format.ParseDict(dict(instance), struct_pb2.Value())


def _endpoint(raw: aiplatform_v1.Endpoint) -> Endpoint:
    """The API's message as plain values."""
    return Endpoint(
        name=raw.name,
        display_name=raw.display_name,
        labels=dict(raw.labels),
        deployed=tuple(_deployed(model) for model in raw.deployed_models),
        created=raw.create_time or None,
    )


def _deployed(raw: aiplatform_v1.DeployedModel) -> DeployedModel:
    """The API's message as plain values; an AutoML model runs on one node unless it says more."""
    return DeployedModel(
        id=raw.id,
        model_name=names.versioned(raw.model, raw.model_version_id),
        display_name=raw.display_name,
        replicas=raw.automatic_resources.min_replica_count
        or raw.dedicated_resources.min_replica_count
        or 1,
        created=raw.create_time or None,
        machine_type=raw.dedicated_resources.machine_spec.machine_type,
    )
