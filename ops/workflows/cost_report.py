"""What each run, endpoint and stored byte cost, from what the ledger and the resources say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ops import names
from ops.cloud import storage
from ops.cloud.jobs import BatchJob
from ops.errors import OpsError
from ops.ledger import Event, Ledger, Record
from ops.pricing import estimate
from ops.pricing.estimate import SECONDS_PER_HOUR, Cost
from ops.workflows import check_jobs, train_custom
from ops.workflows.check_jobs import CheckJob

DEPLOYED, UNDEPLOYED = "deployed", "undeployed"
STILL = "still under way"
SPOT = "spot: at the on-demand rate, the most it can cost"


@dataclass(frozen=True)
class Line:
    """One cost: `cost` is None when the run used nothing that is billed or its use is not known.

    `unknown` when it may cost something that is not on record.
    """

    run: str
    state: str
    cost: Cost | None
    estimate_usd: float | None
    note: str = ""
    unknown: bool = False

    def as_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "run": self.run,
            "state": self.state,
            "cost": self.cost.as_json() if self.cost else None,
            "estimate_usd": self.estimate_usd,
            "note": self.note,
        }


@dataclass(frozen=True)
class Report:
    """The costs of a stack until `at`; `billed` says whether Google asks for them."""

    at: datetime
    billed: bool
    lines: tuple[Line, ...]

    @property
    def usd(self) -> float:
        """The sum at Google's rates."""
        return sum(line.cost.usd for line in self.lines if line.cost)

    @property
    def at_least(self) -> bool:
        """Whether something may be asked for that is not in the sum."""
        return any(line.unknown for line in self.lines)

    def as_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "at": self.at.isoformat(),
            "billed_usd": round(self.usd, 6) if self.billed else 0.0,
            "google_usd": round(self.usd, 6),
            "at_least": self.at_least,
            "lines": [line.as_json() for line in self.lines],
        }


def run(ledger: Ledger, now: datetime) -> Report:
    """The report of the stack as it is now; empty when nothing ran."""
    session = ledger.session
    found = [(record, ledger.events(record.id)) for record in ledger.records()]
    deploys = [(record, events) for record, events in found if record.kind == "deploy"]
    asks = any(check_jobs.is_open(record.state, events) for record, events in deploys)
    live = check_jobs.live(ledger) if asks else []
    lines: list[Line] = []
    for record, events in found:
        lines += _lines(record, events, live, session.settings.region, now)
    return Report(now, session.capabilities.bills, (*lines, *_stored(ledger, now)))


def _lines(
    record: Record, events: list[Event], live: list[BatchJob], region: str, now: datetime
) -> list[Line]:
    if record.kind == "train":
        return _trainings(record, region)
    if record.kind == "deploy":
        asked = check_jobs.of_run(record.id, events, live)
        checks = [check(record.id, job, region, now) for job in asked]
        return [*checks, *deployments(record, events, region, now)]
    return [Line(record.id, record.state, None, None, "nothing that is billed by itself")]


def check(run: str, job: CheckJob, region: str, now: datetime) -> Line:
    """What a check's batch prediction job used: a node from its start to its end, or until now."""
    most = job.most_node_hours
    estimated = None if most is None else estimate.automl_batch(most, region).usd
    if not job.state:
        note = f"batch prediction {names.resource_id(job.name)}: what it used is not on record"
        return Line(run, "not known", None, estimated, note, unknown=True)
    cost = estimate.automl_batch(job.seconds(now) / SECONDS_PER_HOUR, region)
    state = job.state.removeprefix("JOB_STATE_").lower()
    note = "batch prediction of --check: a node from its start to its end"
    if not job.is_ended:
        note = f"batch prediction of --check, {STILL}"
    return Line(run, state, cost, estimated, note, unknown=not job.is_ended)


def _trainings(record: Record, region: str) -> list[Line]:
    inputs = record.plan["inputs"]
    if inputs.get("local"):
        return [Line(record.id, record.state, None, None, "trained on this machine")]
    if inputs.get("mode") != "custom":
        return [_training(record, region)]
    estimated, seconds = _estimated(record.plan, "usd"), record.result.get("seconds")
    if seconds is None:
        note = (
            STILL if record.state == "unfinished" else "how long its machine ran is not on record"
        )
        return [Line(record.id, record.state, None, estimated, note, unknown=True)]
    costs = train_custom.costs(inputs, float(seconds), region)
    most = train_custom.costs(inputs, float(inputs["timeout_seconds"]), region)
    note = SPOT if inputs.get("spot") else ""
    return [
        Line(record.id, record.state, cost, agreed.usd, note)
        for cost, agreed in zip(costs, most, strict=True)
    ]


def _training(record: Record, region: str) -> Line:
    node_hours = record.result.get("node_hours")
    estimated = _estimated(record.plan, "usd")
    if node_hours is None:
        unbilled = record.state == "failed"
        note = _unknown_use(record)
        return Line(record.id, record.state, None, estimated, note, unknown=not unbilled)
    return Line(
        record.id, record.state, estimate.automl_training(float(node_hours), region), estimated
    )


def _unknown_use(record: Record) -> str:
    said = {
        "failed": "Google does not bill a training that failed",
        "unfinished": STILL,
        "cancelled": "Google bills what it used before it was cancelled: how much is not on record",
    }
    return said.get(record.state, "use not known")


def deployments(record: Record, events: list[Event], region: str, now: datetime) -> list[Line]:
    """A line for each time that this run's model was deployed, up to `now` if it still is."""
    lines = []
    for start, end in spans(events):
        hours = ((end or now) - start.at).total_seconds() / SECONDS_PER_HOUR
        node_hours = hours * float(start.facts.get("nodes", 1))
        cost = estimate.deployed(node_hours, str(start.facts.get("machine", "")), region)
        state = "undeployed" if end else "serving"
        lines.append(Line(record.id, state, cost, None, f"since {start.at:%Y-%m-%d %H:%M} UTC"))
    return lines


def spans(events: list[Event]) -> list[tuple[Event, datetime | None]]:
    """Each deployment's first event and its end; a second start before the end is the same one."""
    found: list[tuple[Event, datetime | None]] = []
    start: Event | None = None
    for event in events:
        if event.event == DEPLOYED:
            start = start or event
        elif event.event == UNDEPLOYED and start is not None:
            found.append((start, event.at))
            start = None
    return found if start is None else [*found, (start, None)]


def _estimated(plan: Mapping[str, Any], key: str) -> float | None:
    found = plan.get("estimate", {}).get(key)
    return None if found is None else float(found)


def _stored(ledger: Ledger, now: datetime) -> list[Line]:
    session = ledger.session
    bucket = storage.get_bucket(session, session.settings.bucket)
    if bucket is None:
        return []
    byte_hours = sum(
        one.size_bytes * (now - one.created).total_seconds() / SECONDS_PER_HOUR
        for one in storage.list_objects(session, bucket.name)
    )
    try:
        cost = estimate.stored(1, byte_hours, session.settings.region)
    except OpsError as unknown:
        return [Line(f"gs://{bucket.name}", "stored", None, None, unknown.message, unknown=True)]
    return [Line(f"gs://{bucket.name}", "stored", cost, None, "what is stored now, since it is")]
