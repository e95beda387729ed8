"""Runs on record at gs://BUCKET/runs/<run>/: what was planned, what happened, what came of it.

The same plan unfinished is taken up, finished is shown, and `again` makes the next run.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from difflib import get_close_matches
from enum import StrEnum
from typing import Any

from ops import names
from ops.cloud import locks, storage
from ops.cloud.session import Session
from ops.errors import Code, OpsError

PLAN, EVENTS, RESULT = "plan.json", "events.jsonl", "result.json"
WRITE_ATTEMPTS = 20


class RunState(StrEnum):
    """NEW was just planned; UNFINISHED is to be taken up; the others are results."""

    NEW = "new"
    UNFINISHED = "unfinished"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    ENDED = "ended"


@dataclass(frozen=True)
class Plan:
    """What a run is asked to do; `inputs` (plain JSON) decide its outcome and so its id."""

    kind: str
    data_digest: str
    inputs: Mapping[str, Any]
    estimate: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Event:
    """Something that happened, with `at` in UTC and facts as plain JSON."""

    event: str
    at: datetime
    facts: Mapping[str, Any]


@dataclass(frozen=True)
class Record:
    """A run as it is on record."""

    id: str
    kind: str
    state: RunState
    planned_at: datetime
    plan: Mapping[str, Any]
    result: Mapping[str, Any]


class Run:
    """One run: says what happened, and what came of it."""

    def __init__(self, ledger: Ledger, record: Record) -> None:
        self._ledger = ledger
        self.id = record.id
        self.state = record.state
        self.plan = record.plan
        self.result = record.result

    @property
    def labels(self) -> dict[str, str]:
        """The resource labels of what this run makes."""
        digest = str(self.plan["data_digest"])[: names.DIGEST_CHARACTERS]
        return self._ledger.session.settings.labels(run=self.id, dataset=digest)

    def event(self, event: str, **facts: Any) -> None:
        """Put an event on record; it is there when this returns."""
        self._ledger.append_event(self.id, event, facts)

    def events(self) -> list[Event]:
        """What happened so far, oldest first."""
        return self._ledger.events(self.id)

    def finish(self, result: Mapping[str, Any], state: RunState = RunState.SUCCEEDED) -> None:
        """Put the result on record: the next same plan shows it or, not succeeded, begins anew."""
        self._ledger.write_result(self.id, result, state)
        self.state, self.result = state, dict(result)


class Ledger:
    """The runs of one stack, in its bucket.

    `typed` is the command that is at work, kept with what it plans, so that `ops resume` can give
    it again. With `only` set to a run's id, `begin` gives that run or none.
    """

    def __init__(
        self,
        session: Session,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        sleep: Callable[[float], None] = time.sleep,
        typed: Mapping[str, Any] | None = None,
    ) -> None:
        self.session = session
        self.typed = typed or {}
        self.only = ""
        self._bucket = session.settings.bucket
        self._now = now
        self._sleep = sleep

    def begin(self, plan: Plan, *, again: bool = False) -> Run:
        """The run of this plan: NEW, UNFINISHED (take it up) or SUCCEEDED (show it).

        A failed, cancelled or ended one is followed by a new one, and so is any with `again`,
        except an unfinished one. Whoever gets a run that another process works on too takes it
        up: guard what must happen once with `lock(run.id)`.
        """
        record = self.newest(plan)
        if record is not None:
            keep = record.state is RunState.SUCCEEDED and not again
            if keep or record.state is RunState.UNFINISHED:
                return Run(self, self._expected(record))
        ordinal = names.run_ordinal(record.id) + 1 if record else 1
        run = f"{self.stem(plan)}{ordinal}"
        if self.only:
            raise _another(self.only, run)
        return self._plan_run(run, plan)

    def newest(self, plan: Plan) -> Record | None:
        """The last run of this plan as it is on record; None when there is none yet."""
        stem = self.stem(plan)
        ordinals = [names.run_ordinal(run) for run in self._ids(stem)]
        return self.get(f"{stem}{max(ordinals)}") if ordinals else None

    def stem(self, plan: Plan) -> str:
        """The start of the id of every run of this plan; another in every stack."""
        inputs = {"stack": self.session.settings.stack, **plan.inputs}
        return names.run_stem(plan.kind, plan.data_digest, names.plan_digest(inputs))

    def get(self, run: str) -> Record:
        """What is on record of a run; NOT_FOUND when nothing is."""
        plan = storage.read_text(self.session, self._bucket, names.run_object(run, PLAN))
        if plan is None:
            raise self._unknown(run)
        result = storage.read_text(self.session, self._bucket, names.run_object(run, RESULT))
        planned = json.loads(plan.text)
        outcome = json.loads(result.text) if result else {}
        return Record(
            id=run,
            kind=planned["kind"],
            state=RunState(outcome.get("state", RunState.UNFINISHED)),
            planned_at=datetime.fromisoformat(planned["planned_at"]),
            plan=planned,
            result=outcome.get("result", {}),
        )

    def open(self, run: str) -> Run:
        """A run known by its id."""
        return Run(self, self.get(run))

    def records(self, kind: str = "") -> list[Record]:
        """Every run (of a kind), oldest first; empty when there is no bucket."""
        if storage.get_bucket(self.session, self._bucket) is None:
            return []
        stem = f"{kind}-" if kind else ""
        found = [self.get(run) for run in self._ids(stem)]
        return sorted(found, key=lambda record: record.planned_at)

    def events(self, run: str) -> list[Event]:
        """The events of a run, oldest first."""
        found = storage.read_text(self.session, self._bucket, names.run_object(run, EVENTS))
        rows = [json.loads(line) for line in (found.text if found else "").splitlines()]
        return [Event(row.pop("event"), datetime.fromisoformat(row.pop("at")), row) for row in rows]

    def append_event(self, run: str, event: str, facts: Mapping[str, Any]) -> None:
        """Add a line to a run's events; two writers at once both get their line in."""
        row = _json({"at": self._now().isoformat(), "event": event, **facts})
        self._update(names.run_object(run, EVENTS), lambda text: f"{text}{row}\n")

    def write_result(self, run: str, result: Mapping[str, Any], state: RunState) -> None:
        """Put a run's result on record, in place of an earlier one."""
        body = {"state": state, "ended_at": self._now().isoformat(), "result": result}
        self._write(names.run_object(run, RESULT), body)

    def lock(
        self, name: str, wait_seconds: float = locks.LOCK_SECONDS
    ) -> AbstractContextManager[None]:
        """Hold a lock of the stack for a `with` block: see `ops.cloud.locks.held`."""
        return locks.held(self.session, name, wait_seconds, self._now, self._sleep)

    def _expected(self, record: Record) -> Record:
        if self.only not in ("", record.id):
            raise _another(self.only, record.id)
        return record

    def _unknown(self, run: str) -> OpsError:
        near = get_close_matches(run, self._ids(""), n=3, cutoff=0.6)
        hint = f"Did you mean: {', '.join(near)}?" if near else "Type: ops runs"
        return OpsError(Code.NOT_FOUND, f"There is no run {run}.", hint)

    def _ids(self, stem: str) -> list[str]:
        prefix = f"runs/{stem}"
        listed = storage.list_objects(self.session, self._bucket, prefix)
        return sorted({o.name.split("/")[1] for o in listed if o.name.endswith(f"/{PLAN}")})

    def _plan_run(self, run: str, plan: Plan) -> Run:
        from google.api_core.exceptions import PreconditionFailed

        typed = {"typed": dict(self.typed)} if self.typed else {}
        body = {**asdict(plan), "run": run, "planned_at": self._now().isoformat(), **typed}
        try:
            self._write(names.run_object(run, PLAN), body, if_generation=storage.NEW)
        except PreconditionFailed:
            return self.open(run)  # another process planned the same at the same time
        planned = json.loads(_json(body))
        return Run(self, Record(run, plan.kind, RunState.NEW, self._now(), planned, {}))

    def _write(self, name: str, body: Any, if_generation: int | None = None) -> None:
        text = _json(body) + "\n"
        storage.write_text(self.session, self._bucket, name, text, if_generation=if_generation)

    def _update(self, name: str, change: Callable[[str], str]) -> None:
        from google.api_core.exceptions import PreconditionFailed

        for _ in range(WRITE_ATTEMPTS):
            found = storage.read_text(self.session, self._bucket, name)
            text, generation = (found.text, found.generation) if found else ("", storage.NEW)
            try:
                storage.write_text(
                    self.session, self._bucket, name, change(text), if_generation=generation
                )
                return
            except PreconditionFailed:
                continue
        raise OpsError(Code.BUSY, f"{name} is written to by others all the time.", "Try again.")


def _another(wanted: str, run: str) -> OpsError:
    return OpsError(
        Code.CONFLICT,
        f"What run {wanted} was begun with has changed since: the same command is run {run} now.",
        "Nothing was done. Type the command itself to begin that one.",
    )


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False)
