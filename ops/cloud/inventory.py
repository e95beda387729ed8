"""Everything of one stack that exists, kind by kind, in the order in which it may be deleted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ops import names
from ops.cloud.session import Session


@dataclass(frozen=True)
class Kind:
    """A collection of Vertex AI resources, and the client methods that list, cancel and delete."""

    collection: str
    title: str
    client: str
    list: str
    delete: str
    cancel: str = ""


TRAINING_PIPELINES = Kind(
    "trainingPipelines",
    "training pipeline",
    "pipelines",
    "list_training_pipelines",
    "delete_training_pipeline",
    "cancel_training_pipeline",
)
# In the order of deletion: endpoints hold models, jobs and models refer to data sets. All of them
# carry labels. Source: Google's clean-up tutorials, read 2026-08-22.
KINDS = (
    Kind("endpoints", "endpoint", "endpoints", "list_endpoints", "delete_endpoint"),
    TRAINING_PIPELINES,
    Kind(
        "customJobs",
        "custom job",
        "jobs",
        "list_custom_jobs",
        "delete_custom_job",
        "cancel_custom_job",
    ),
    Kind(
        "hyperparameterTuningJobs",
        "tuning job",
        "jobs",
        "list_hyperparameter_tuning_jobs",
        "delete_hyperparameter_tuning_job",
        "cancel_hyperparameter_tuning_job",
    ),
    Kind(
        "batchPredictionJobs",
        "batch prediction job",
        "jobs",
        "list_batch_prediction_jobs",
        "delete_batch_prediction_job",
        "cancel_batch_prediction_job",
    ),
    Kind("models", "model", "models", "list_models", "delete_model"),
    Kind("datasets", "data set", "datasets", "list_datasets", "delete_dataset"),
)
ENDED_STATES = ("SUCCEEDED", "FAILED", "CANCELLED", "EXPIRED")


@dataclass(frozen=True)
class Deployed:
    """A model version on an endpoint: billed from `created` on; AutoML's has no machine type."""

    id: str
    model: str
    nodes: int
    created: datetime | None
    machine_type: str = ""


@dataclass(frozen=True)
class Found:
    """A resource that exists."""

    kind: Kind
    name: str
    display_name: str
    labels: dict[str, str]
    state: str
    created: datetime | None
    deployed: tuple[Deployed, ...] = ()

    @property
    def running(self) -> bool:
        """Whether it is a job that has not ended."""
        return bool(self.state) and not self.state.endswith(ENDED_STATES)

    @property
    def expires(self) -> datetime | None:
        """The end of its time to live, if it has one."""
        return names.expiry(self.labels.get(names.LABEL_EXPIRES, ""))


def everything(session: Session) -> list[Found]:
    """Every resource in the project's region, of any stack, in the order of KINDS."""
    return [found for kind in KINDS for found in listed(session, kind)]


def of_stack(session: Session) -> list[Found]:
    """What carries the stack's label, in the order of KINDS."""
    stack = names.label_value(session.settings.stack)
    return [f for f in everything(session) if f.labels.get(names.LABEL_STACK) == stack]


def listed(session: Session, kind: Kind) -> Iterator[Found]:
    """The resources of a kind; none where the server does not have the method at all (501)."""
    from google.api_core.exceptions import MethodNotImplemented

    method = getattr(getattr(session, kind.client)(), kind.list)
    try:
        pages = session.call(method, request={"parent": session.parent})
    except MethodNotImplemented:
        return
    for raw in pages:
        yield _found(kind, raw)


def cancel(session: Session, found: Found) -> None:
    """The job is asked to stop, and may have ended by itself."""
    from google.api_core.exceptions import FailedPrecondition, NotFound

    method = getattr(getattr(session, found.kind.client)(), found.kind.cancel)
    try:
        session.call(method, request={"name": found.name})
    except (NotFound, FailedPrecondition):
        return


def delete(session: Session, found: Found, timeout_seconds: float) -> bool:
    """Whether it was there to delete; returns when it is gone."""
    from google.api_core.exceptions import NotFound

    method = getattr(getattr(session, found.kind.client)(), found.kind.delete)
    try:
        operation = session.call(method, request={"name": found.name})
        session.wait(operation, timeout_seconds)
    except NotFound:
        return False
    return True


def undeploy(session: Session, endpoint: Found, deployed: Deployed, timeout_seconds: float) -> bool:
    """Whether it was deployed; returns when it is off and no longer billed."""
    from google.api_core.exceptions import NotFound

    request = {"endpoint": endpoint.name, "deployed_model_id": deployed.id}
    try:
        operation = session.call(session.endpoints().undeploy_model, request=request)
        session.wait(operation, timeout_seconds)
    except NotFound:
        return False
    return True


def _found(kind: Kind, raw: Any) -> Found:
    state = getattr(raw, "state", None)
    return Found(
        kind=kind,
        name=raw.name,
        display_name=raw.display_name,
        labels=dict(raw.labels),
        state=state.name if state is not None else "",
        created=raw.create_time or None,
        deployed=_deployed(raw) if kind.collection == "endpoints" else (),
    )


def _deployed(raw: Any) -> tuple[Deployed, ...]:
    return tuple(
        Deployed(
            id=one.id,
            model=names.versioned(one.model, one.model_version_id),
            nodes=one.automatic_resources.min_replica_count
            or one.dedicated_resources.min_replica_count
            or 1,
            created=one.create_time or None,
            machine_type=one.dedicated_resources.machine_spec.machine_type,
        )
        for one in raw.deployed_models
    )
