"""Log entries of custom jobs, by Cloud Logging: one function, one call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ops import names
from ops.cloud import training
from ops.cloud.session import Session

PAGE_SIZE = 1000
SEVERITIES = (
    "DEFAULT", "DEBUG", "INFO", "NOTICE", "WARNING", "ERROR", "CRITICAL", "ALERT", "EMERGENCY",
)  # fmt: skip


@dataclass(frozen=True)
class Entry:
    """A log entry: `source` is the replica that said it, or `service` for Vertex AI itself."""

    id: str
    at: datetime
    severity: str
    source: str
    message: str
    fields: Mapping[str, Any]

    def as_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return {**vars(self), "at": self.at.isoformat(), "fields": dict(self.fields)}


@dataclass(frozen=True)
class Job:
    """The custom job of a pipeline, which its log entries are labelled with.

    `id` is empty while there is none; `is_ended` when the pipeline has ended, which is after it.
    """

    id: str
    is_ended: bool


def job_of_pipeline(session: Session, pipeline: str) -> Job:
    """The custom job that a pipeline runs. Raises google.api_core's NotFound for no pipeline."""
    found = session.call(session.pipelines().get_training_pipeline, name=pipeline)
    metadata: Mapping[str, Any] = found.training_task_metadata or {}
    job = str(metadata.get("backingCustomJob", ""))
    return Job(names.resource_id(job) if job else "", found.state.name in training.ENDED)


def entries(
    session: Session, job_id: str, since: datetime, severity: str = "DEFAULT"
) -> list[Entry]:
    """The entries of a custom job of at least this severity since a moment, oldest first."""
    text = (
        f'resource.type="ml_job" AND resource.labels.job_id="{job_id}"'
        f' AND timestamp>="{since.isoformat()}" AND severity>={severity}'
    )

    def listed(retry: Any, timeout: float) -> list[Entry]:  # noqa: ARG001
        client: Any = session.logging()
        rows = retry(
            lambda: list(
                client.list_entries(filter_=text, order_by="timestamp asc", page_size=PAGE_SIZE)
            )
        )()
        return [_entry(row) for row in rows]

    found: list[Entry] = session.call(listed)
    return found


def _entry(row: Any) -> Entry:
    payload = row.payload
    fields = dict(payload) if isinstance(payload, Mapping) else {}
    message = str(fields.pop("message", "")) if fields else str(payload or "")
    labels = row.resource.labels if row.resource else {}
    return Entry(
        id=str(row.insert_id),
        at=row.timestamp,
        severity=row.severity or "DEFAULT",
        source=str(labels.get("task_name", "")),
        message=message,
        fields=fields,
    )
