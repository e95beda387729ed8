"""Log entries of custom jobs: made from their lines, stored, found again in the order of time."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from emulator.aiplatform import names
from emulator.clock import timestamp
from emulator.cloud import Cloud
from emulator.logging.severities import severity

Body = dict[str, Any]
REPLICA = "workerpool0-0"
SERVICE = "service"
# A job's own time stamps, as the logging agents know them.
TIME_KEYS = ("timestamp", "time")
STDOUT, STDERR = "stdout", "stderr"
BATCH_ROWS = 1000
PLAIN_SEVERITY = {STDOUT: "INFO", STDERR: "ERROR"}


def from_line(line: str, stream: str) -> Body:
    """Payload, severity and perhaps timestamp of a line of a job's output."""
    if stream == STDOUT and line.lstrip().startswith("{"):
        try:
            payload = json.loads(line)
        except ValueError:
            payload = None
        if isinstance(payload, dict):
            return _structured(payload)
    return {"textPayload": line, "severity": PLAIN_SEVERITY[stream]}


def _structured(payload: Body) -> Body:
    rest = dict(payload)
    entry: Body = {"severity": severity(rest.pop("severity", "INFO")) or "DEFAULT"}
    for key in TIME_KEYS:
        if (moment := _moment(rest.get(key))) is not None:
            entry["timestamp"] = timestamp(moment)
            del rest[key]
            break
    return {**entry, "jsonPayload": rest}


def _moment(text: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment.tzinfo else None


def add(cloud: Cloud, job: str, found: Iterable[Body], task: str = REPLICA) -> None:
    """Stores entries of the custom job of that name; joins the caller's transaction."""
    now = cloud.clock.now()
    location = names.location(job)
    with cloud.store.transaction() as db:
        for place, entry in enumerate(found):
            # A batch keeps its order: its entries are microseconds apart.
            stamp = timestamp(now + timedelta(microseconds=place))
            body = _entry(location, names.last(job), task, {"timestamp": stamp, **entry}, stamp)
            row = db.execute(
                "INSERT INTO log_entries (project, job, timestamp, body) VALUES (?, ?, ?, ?)",
                (location.project, names.last(job), body["timestamp"], "{}"),
            ).lastrowid
            body["insertId"] = f"{row:016x}"
            db.execute(
                "UPDATE log_entries SET body = ? WHERE seq = ?",
                (json.dumps(body, ensure_ascii=False), row),
            )


def service(cloud: Cloud, job: str, message: str, level: str = "INFO") -> None:
    """What Vertex AI itself says about a job; joins the caller's transaction."""
    add(cloud, job, [{"textPayload": message, "severity": level}], SERVICE)


def _entry(location: names.Location, job: str, task: str, entry: Body, received: str) -> Body:
    log = REPLICA if task == REPLICA else f"ml.googleapis.com%2F{job}"
    labels = {"job_id": job, "project_id": location.project, "task_name": task}
    return {
        "logName": f"projects/{location.project}/logs/{log}",
        "resource": {"type": "ml_job", "labels": labels},
        "labels": {
            "ml.googleapis.com/job_id": job,
            "ml.googleapis.com/task_name": task,
            "ml.googleapis.com/region": location.region,
        },
        "receiveTimestamp": received,
        **entry,
    }


Position = tuple[str, int]


def listed(
    cloud: Cloud, project: str, *, job: str, since: str, after: Position | None, falling: bool
) -> Iterator[tuple[Position, Body]]:
    """Entries of a project by time, from behind `after`; of one job and not before `since` if said.

    A position is a timestamp and the number of the entry.
    """
    while True:
        rows = _batch(cloud, project, job, since, after, falling=falling)
        for stamp, seq, body in rows:
            after = (stamp, seq)
            yield after, json.loads(body)
        if len(rows) < BATCH_ROWS:
            return


def _batch(
    cloud: Cloud, project: str, job: str, since: str, after: Position | None, *, falling: bool
) -> list[tuple[str, int, str]]:
    """The next rows: nobody else waits for the database while they are looked through."""
    where: list[str] = ["project = ?"]
    values: list[str | int] = [project]
    if job:
        where, values = [*where, "job = ?"], [*values, job]
    if since:
        where, values = [*where, "timestamp >= ?"], [*values, since]
    if after is not None:
        where = [*where, f"(timestamp, seq) {'<' if falling else '>'} (?, ?)"]
        values = [*values, *after]
    order = "DESC" if falling else "ASC"
    query = (
        f"SELECT timestamp, seq, body FROM log_entries WHERE {' AND '.join(where)}"
        f" ORDER BY timestamp {order}, seq {order} LIMIT {BATCH_ROWS}"
    )
    with cloud.store.read() as db:
        return db.execute(query, values).fetchall()
