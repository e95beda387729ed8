"""Log entries of custom jobs, by Cloud Logging: one function, one call."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ops import names
from ops.cloud import training
from ops.cloud.session import Session
from ops.cloud.wire import error_message

HOST = "logging.googleapis.com"
JSON = {"content-type": "application/json"}
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
    """The entries of a custom job of at least this severity since a moment, oldest first.

    Asked without google.cloud.logging: to list entries, that client looks for the machine's own
    metadata server, in the clear, and it has no transport but gRPC that is documented.
    """
    text = (
        f'resource.type="ml_job" AND resource.labels.job_id="{job_id}"'
        f' AND timestamp>="{since.isoformat()}" AND severity>={severity}'
    )
    request = {
        "resourceNames": [f"projects/{session.settings.project}"],
        "filter": text,
        "orderBy": "timestamp asc",
        "pageSize": PAGE_SIZE,
    }
    found: list[Entry] = []
    while True:
        page = _listed(session, request)
        found += [_entry(row) for row in page.get("entries", [])]
        if not page.get("nextPageToken"):
            return found
        request["pageToken"] = page["nextPageToken"]


def _listed(session: Session, request: Mapping[str, Any]) -> dict[str, Any]:
    """One page of `entries.list`."""
    from google.api_core import exceptions

    wire, body = session.wire(HOST), json.dumps(request).encode()
    answer = session.call(wire.send, "POST", "/v2/entries:list", body, JSON)
    if answer.status != 200:
        message = error_message(answer)
        raise exceptions.from_http_status(answer.status, message)  # type: ignore[no-untyped-call]
    page: dict[str, Any] = json.loads(answer.data)
    return page


def _entry(row: Mapping[str, Any]) -> Entry:
    fields = dict(row.get("jsonPayload", {}))
    return Entry(
        id=str(row.get("insertId", "")),
        at=datetime.fromisoformat(row["timestamp"]),
        severity=row.get("severity", "DEFAULT"),
        source=str(row.get("resource", {}).get("labels", {}).get("task_name", "")),
        message=str(fields.pop("message", row.get("textPayload", ""))),
        fields=fields,
    )
