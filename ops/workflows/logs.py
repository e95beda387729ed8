"""The log of a custom training, as it stands or as it is written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from difflib import get_close_matches
from pathlib import Path

from ops.cloud import logs
from ops.cloud.logs import Entry, Job
from ops.errors import Code, OpsError
from ops.ledger import Ledger, Record
from ops.workflows import local_process, local_training
from ops.workflows.train_options import AUTOML

KIND = "train"
SUBMITTED = "submitted"
# Entries arrive out of order and late: each look begins so much before the last entry.
OVERLAP = timedelta(minutes=2)
MARGIN = timedelta(minutes=5)


@dataclass(frozen=True)
class Log:
    """Whose log it is, and from when on there can be entries."""

    run: str
    pipeline: str
    job: Job
    since: datetime


def severity(text: str) -> str:
    """The severity of that name. USAGE with the nearest for one that is not known."""
    name = text.upper()
    if name in logs.SEVERITIES:
        return name
    near = get_close_matches(name, logs.SEVERITIES, n=1) or logs.SEVERITIES
    known = ", ".join(one.lower() for one in near)
    raise OpsError(Code.USAGE, f"There is no severity {text}.", f"Did you mean: {known}?")


def find(ledger: Ledger, run: str) -> Log:
    """The log of a run. NOT_FOUND for one that has none, with where to look instead."""
    record = ledger.get(run)
    _check(ledger, record)
    pipelines = [
        str(event.facts["pipeline"]) for event in ledger.events(run) if event.event == SUBMITTED
    ]
    if not pipelines:
        raise _none(f"The training {run} was not submitted.", f"Type: ops resume {run}")
    job = logs.job_of_pipeline(ledger.session, pipelines[-1])
    return Log(run, pipelines[-1], job, record.planned_at - MARGIN)


def _check(ledger: Ledger, record: Record) -> None:
    inputs = record.plan.get("inputs", {})
    if record.kind != KIND:
        raise _none(f"Run {record.id} is no training: only trainings keep a log.", "Type: ops runs")
    if local_training.is_local(inputs):
        said = local_folder(ledger, record) / local_process.LOG
        raise _none(f"{record.id} trained on this machine, without Cloud Logging.", f"See {said}")
    if inputs.get("mode") == AUTOML:
        raise _none(
            f"{record.id} is a training by AutoML: Google's AutoML keeps no log.",
            f"Type: ops runs   or, once it has ended: ops evaluate --run {record.id}",
        )


def local_folder(ledger: Ledger, record: Record) -> Path:
    """Where a training on this machine leaves its files."""
    settings = ledger.session.settings
    asked = record.plan.get("inputs", {})
    return Path(asked.get("to") or settings.state_dir / settings.stack / "runs" / record.id)


def _none(message: str, hint: str) -> OpsError:
    return OpsError(Code.NOT_FOUND, message, hint)


def read(ledger: Ledger, log: Log, least: str) -> list[Entry]:
    """What has been said so far, of at least a severity."""
    return _entries(ledger, log.job, log.since, least)


def follow(ledger: Ledger, log: Log, least: str) -> Iterator[Entry]:
    """Every entry once, as it comes, until the training has ended and all it said is here.

    After the end comes one more look: the last entries may still have been on their way.
    """
    seen: set[str] = set()
    since, was_ended = log.since, False
    while True:
        job = logs.job_of_pipeline(ledger.session, log.pipeline)
        for entry in _entries(ledger, job, since, least):
            if entry.id not in seen:
                seen.add(entry.id)
                since = max(since, entry.at - OVERLAP)
                yield entry
        if was_ended:
            return
        was_ended = job.is_ended
        ledger.session.pause_between_logs()


def _entries(ledger: Ledger, job: Job, since: datetime, least: str) -> list[Entry]:
    return logs.entries(ledger.session, job.id, since, least) if job.id else []
