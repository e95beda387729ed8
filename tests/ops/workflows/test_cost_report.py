"""The cost report: what the ledger says, at dated rates."""

from datetime import UTC, datetime, timedelta

import pytest

from ops.cli.cost_report import sum_text
from ops.cloud import storage
from ops.cloud.session import Session
from ops.ledger import Event, Ledger, Plan, RunState
from ops.workflows import cost_report

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
DIGEST = "d" * 64


def event(name: str, hour: float) -> Event:
    """An event so many hours before NOW."""
    return Event(name, NOW - timedelta(hours=hour), {"nodes": 1})


@pytest.mark.parametrize(
    ("events", "hours"),
    [
        ([], []),
        ([event("deployed", 3)], [None]),
        ([event("deployed", 3), event("undeployed", 1)], [2]),
        ([event("deployed", 3), event("deployed", 2), event("undeployed", 1)], [2]),
        ([event("deployed", 9), event("undeployed", 8), event("deployed", 2)], [1, None]),
        ([event("undeployed", 1)], []),
    ],
)
def test_times_of_deployment(events: list[Event], hours: list[int | None]) -> None:
    """Each deployment counts once from its first start to its end; None is still serving."""
    spans = cost_report.spans(events)

    lengths = [end and (end - start.at).total_seconds() / 3600 for start, end in spans]
    assert lengths == hours


def test_training_costs_what_it_used_and_shows_its_estimate(ledger: Ledger) -> None:
    """Node hours used times the rate; a failed training is not billed; imports cost nothing."""
    ledger.begin(Plan("train", DIGEST, {"n": 1}, {"usd": 27.72})).finish({"node_hours": 2.0})
    ledger.begin(Plan("train", DIGEST, {"n": 2})).finish({}, RunState.FAILED)
    ledger.begin(Plan("train", DIGEST, {"n": 3}))
    ledger.begin(Plan("import", DIGEST, {})).finish({})

    report = cost_report.run(ledger, datetime.now(UTC))

    used, failed, running, imported = report.lines[:4]
    assert used.cost is not None
    assert used.cost.usd == pytest.approx(6.93)
    assert used.estimate_usd == 27.72
    assert [line.note for line in (failed, running, imported)] == [
        "Google does not bill a training that failed",
        "still under way",
        "nothing that is billed by itself",
    ]


@pytest.mark.parametrize(
    ("state", "at_least"), [(RunState.CANCELLED, True), (RunState.FAILED, False)]
)
def test_a_cancelled_training_makes_the_sum_the_least(
    ledger: Ledger, state: RunState, at_least: bool
) -> None:
    """Google bills what it used, which is not on record; a failed one costs nothing."""
    ledger.begin(Plan("train", DIGEST, {"n": 1})).finish({"node_hours": 2.0})
    ledger.begin(Plan("train", DIGEST, {"n": 2})).finish({}, state)

    report = cost_report.run(ledger, datetime.now(UTC))

    assert report.as_json()["at_least"] is at_least
    assert sum_text(report) == ("at least $6.93" if at_least else "$6.93")


def test_a_model_that_serves_costs_until_now(session: Session) -> None:
    """Without an end the hours run on, and the sum says what Google would ask."""
    storage.ensure_bucket(session)
    start = datetime.now(UTC)
    then = Ledger(session, now=lambda: start)
    then.begin(Plan("deploy", DIGEST, {})).event("deployed", nodes=2)

    report = cost_report.run(Ledger(session), start + timedelta(hours=4))

    assert report.usd == pytest.approx(4 * 2 * 1.375, rel=1e-4)
    assert report.as_json()["billed_usd"] == 0.0
    assert report.as_json()["google_usd"] == pytest.approx(11.0, rel=1e-4)


MACHINE = {
    "machineType": "n1-standard-4",
    "acceleratorType": "NVIDIA_TESLA_T4",
    "acceleratorCount": 1,
    "is_included": False,
}


@pytest.mark.parametrize("spot", [False, True])
def test_machine_and_accelerator_have_each_its_own_estimate(ledger: Ledger, spot: bool) -> None:
    """Two lines whose estimates add up; those of a spot machine say that they are the most."""
    inputs = {"mode": "custom", "machine": MACHINE, "spot": spot, "timeout_seconds": 3600}
    ledger.begin(Plan("train", DIGEST, inputs, {"usd": 0.62})).finish({"seconds": 1800})

    machine, accelerator = cost_report.run(ledger, datetime.now(UTC)).lines[:2]

    assert machine.estimate_usd == pytest.approx(0.21849885)
    assert accelerator.estimate_usd == pytest.approx(0.4025)
    assert [line.cost and line.cost.quantity for line in (machine, accelerator)] == [0.5, 0.5]
    expected = "spot: at the on-demand rate, the most it can cost" if spot else ""
    assert machine.note == accelerator.note == expected


def test_stored_bytes_cost_by_the_hour(session: Session) -> None:
    """A mebibyte for a thousand hours is a thousand times a mebibyte for one."""
    storage.ensure_bucket(session)
    storage.write_text(session, session.settings.bucket, "x", "x" * 1024**2)
    later = datetime.now(UTC) + timedelta(hours=1000)

    (line,) = cost_report.run(Ledger(session), later).lines

    assert line.cost is not None
    assert line.cost.quantity == pytest.approx(1000 / 1024, rel=1e-3)


def test_a_stack_with_nothing_costs_nothing(session: Session) -> None:
    """No bucket, no lines."""
    assert cost_report.run(Ledger(session), NOW).lines == ()
