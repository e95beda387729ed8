"""Batch prediction jobs: submit one, find it again by its labels, read how it goes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ops import names
from ops.cloud.endpoints import to_value
from ops.cloud.session import Session

if TYPE_CHECKING:
    from google.cloud import aiplatform_v1

BEGINNING = datetime.min.replace(tzinfo=UTC)
SUCCEEDED = frozenset({"JOB_STATE_SUCCEEDED", "JOB_STATE_PARTIALLY_SUCCEEDED"})
ENDED = SUCCEEDED | {"JOB_STATE_FAILED", "JOB_STATE_CANCELLED", "JOB_STATE_EXPIRED"}


@dataclass(frozen=True)
class BatchJob:
    """A batch prediction job as the API tells it; absent values are None, empty or 0."""

    name: str
    display_name: str
    state: str
    labels: dict[str, str]
    model_name: str
    error: str
    output_directory: str
    predicted: int
    failed: int
    created: datetime | None
    started: datetime | None
    ended: datetime | None

    @property
    def is_ended(self) -> bool:
        """Whether the state is final."""
        return self.state in ENDED

    @property
    def succeeded(self) -> bool:
        """Whether predictions were left, maybe beside errors: see `failed`."""
        return self.state in SUCCEEDED


def batch_submit(
    session: Session,
    *,
    display_name: str,
    model: str,
    input_uri: str,
    output_prefix: str,
    labels: Mapping[str, str],
    max_replicas: int = 1,
    machine_type: str = "",
    parameters: Mapping[str, Any] | None = None,
) -> BatchJob:
    """The new job; it runs from now on, and on Google it costs money.

    `input_uri` is a JSONL object in the model's region, a row a photo: `{"content": "gs://…",
    "mimeType": "image/jpeg"}`. The results go into a new folder under `output_prefix`, a gs://
    address. A custom model needs `machine_type`; AutoML's must not have one. `parameters` go with
    every request to the model (`{"maxPredictions": 20}`).
    """
    body: dict[str, Any] = {
        "display_name": display_name,
        "model": model,
        "labels": dict(labels),
        "input_config": {"instances_format": "jsonl", "gcs_source": {"uris": [input_uri]}},
        "output_config": {
            "predictions_format": "jsonl",
            "gcs_destination": {"output_uri_prefix": output_prefix},
        },
    }
    if parameters:
        body["model_parameters"] = to_value(parameters)
    if machine_type:
        body["dedicated_resources"] = {
            "machine_spec": {"machine_type": machine_type},
            "starting_replica_count": max_replicas,
            "max_replica_count": max_replicas,
        }
    request = {"parent": session.parent, "batch_prediction_job": body}
    return _batch_job(session.submit(session.jobs().create_batch_prediction_job, request=request))


def batch_get(session: Session, name: str) -> BatchJob:
    """The job of this full resource name."""
    client = session.jobs()
    return _batch_job(session.call(client.get_batch_prediction_job, request={"name": name}))


def batch_find(session: Session, labels: Mapping[str, str]) -> list[BatchJob]:
    """The jobs that carry all these labels, oldest first."""
    request = {"parent": session.parent, "filter": names.label_filter(labels)}
    pages = session.call(session.jobs().list_batch_prediction_jobs, request=request)
    found = [_batch_job(raw) for raw in pages]
    return sorted(found, key=lambda job: job.created or BEGINNING)


def batch_cancel(session: Session, name: str) -> None:
    """The job is asked to stop; what it used is billed on Google."""
    session.call(session.jobs().cancel_batch_prediction_job, request={"name": name})


def batch_delete(session: Session, name: str, timeout_seconds: float = 60.0) -> None:
    """The ended job is no longer on record; its results stay in their bucket."""
    client = session.jobs()
    operation = session.call(client.delete_batch_prediction_job, request={"name": name})
    session.wait(operation, timeout_seconds)


def _batch_job(raw: aiplatform_v1.BatchPredictionJob) -> BatchJob:
    """The API's message as plain values."""
    return BatchJob(
        name=raw.name,
        display_name=raw.display_name,
        state=raw.state.name,
        labels=dict(raw.labels),
        model_name=raw.model,
        error=raw.error.message,
        output_directory=raw.output_info.gcs_output_directory,
        predicted=raw.completion_stats.successful_count,
        failed=raw.completion_stats.failed_count,
        created=raw.create_time or None,
        started=raw.start_time or None,
        ended=raw.end_time or None,
    )
