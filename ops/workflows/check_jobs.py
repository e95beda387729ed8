"""What the batch prediction jobs of `ops deploy --check` used: from the jobs, or from the ledger.

A job is deleted by a teardown; its times are put on record before.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ops import names
from ops.cloud import jobs
from ops.cloud.jobs import BatchJob
from ops.ledger import Event, Ledger, RunState
from ops.workflows.served_reference import CHECKING

CHECK_ENDED = "check-ended"


@dataclass(frozen=True)
class CheckJob:
    """One job of a run: `state` is empty when it is not on record how it ended.

    `most_node_hours` is what was agreed to before; None when that was not recorded.
    """

    name: str
    state: str
    started: datetime | None
    ended: datetime | None
    most_node_hours: float | None

    @property
    def is_ended(self) -> bool:
        """Whether what it used is known."""
        return self.state in jobs.ENDED

    def seconds(self, now: datetime) -> float:
        """How long it ran, up to `now` if it still does; nothing before it started."""
        if self.started is None:
            return 0.0
        return max(((self.ended or now) - self.started).total_seconds(), 0.0)


def of_run(run: str, events: Iterable[Event], live: Iterable[BatchJob]) -> list[CheckJob]:
    """The jobs of a run: those on record, and those that exist (`live`, of any run)."""
    facts: dict[str, dict[str, Any]] = {}
    for event in events:
        if event.event in (CHECKING, CHECK_ENDED):
            facts.setdefault(str(event.facts["job"]), {}).update(event.facts)
    for job in live:
        if job.labels.get(names.LABEL_RUN) == run:
            facts.setdefault(job.name, {}).update(_facts(job))
    return [_check_job(name, known) for name, known in facts.items()]


def live(ledger: Ledger) -> list[BatchJob]:
    """The batch prediction jobs of the stack that exist, oldest first."""
    stack = names.label_value(ledger.session.settings.stack)
    return jobs.batch_find(ledger.session, {names.LABEL_STACK: stack})


def is_open(state: RunState, events: Iterable[Event]) -> bool:
    """Whether a deployment may have a job whose end is not on record."""
    happened = [event.event for event in events]
    return state is RunState.UNFINISHED or happened.count(CHECKING) > happened.count(CHECK_ENDED)


def put_on_record(ledger: Ledger, run: str, live: Iterable[BatchJob]) -> None:
    """Every job of the run that exists has its times in the run's events when this returns."""
    events = ledger.events(run)
    known = {str(one.facts["job"]) for one in events if one.event == CHECK_ENDED}
    for job in live:
        if job.labels.get(names.LABEL_RUN) == run and job.name not in known:
            ledger.append_event(run, CHECK_ENDED, {"job": job.name, **_facts(job)})


def _facts(job: BatchJob) -> dict[str, Any]:
    return {
        "state": job.state,
        "started": job.started.isoformat() if job.started else None,
        "ended": job.ended.isoformat() if job.ended else None,
    }


def _check_job(name: str, known: Mapping[str, Any]) -> CheckJob:
    started, ended, most = known.get("started"), known.get("ended"), known.get("node_hours")
    return CheckJob(
        name=name,
        state=str(known.get("state", "")),
        started=datetime.fromisoformat(started) if started else None,
        ended=datetime.fromisoformat(ended) if ended else None,
        most_node_hours=None if most is None else float(most),
    )
