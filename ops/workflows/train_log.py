"""What a custom training says of itself, for the line that is shown while it is watched.

Its log may be late, or not be readable with these permissions: then there is simply less to show.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from ops.cloud import logs
from ops.cloud.logs import Entry
from ops.cloud.training import Pipeline
from ops.ledger import Ledger

# Cloud Logging answers 60 reads a minute and project (docs.cloud.google.com/logging/quotas, read
# 2026-08-22): others want some of them too.
LOOK_AGAIN = timedelta(seconds=10)
OVERLAP = timedelta(minutes=1)


class LastSaid:
    """The last message of a training's log, looked for now and then."""

    def __init__(self, ledger: Ledger, pipeline: Pipeline, now: Callable[[], datetime]) -> None:
        self._ledger = ledger
        self._pipeline = pipeline
        self._now = now
        self._next = now()
        self._message = ""

    def __call__(self) -> str:
        """The message as it was at the last look; empty before the first and without a log."""
        if self._now() >= self._next:
            self._next = self._now() + LOOK_AGAIN
            found = [one for one in _entries(self._ledger, self._pipeline) if "phase" in one.fields]
            self._message = found[-1].message if found else self._message
        return self._message


def last_error(ledger: Ledger, pipeline: Pipeline) -> str:
    """The last error in the log of a training; empty when there is none or no log."""
    found = _entries(ledger, pipeline, "ERROR")
    return found[-1].message if found else ""


def _entries(ledger: Ledger, pipeline: Pipeline, severity: str = "INFO") -> list[Entry]:
    from google.api_core.exceptions import GoogleAPICallError

    try:
        job = logs.job_of_pipeline(ledger.session, pipeline.name)
        if not job.id or pipeline.created is None:
            return []
        since = pipeline.created - OVERLAP
        return logs.entries(ledger.session, job.id, since, severity)
    except GoogleAPICallError:
        return []
