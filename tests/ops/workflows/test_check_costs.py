"""What a check's batch prediction job cost, while it exists and after."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ops import names
from ops.cli.cost_report import sum_text
from ops.cli.render import usd
from ops.cloud.jobs import BatchJob
from ops.ledger import Event, Ledger, Plan
from ops.workflows import check_jobs, cost_report
from tests.ops.life import living

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
RUN, JOB = "deploy-1-2-1", "projects/p/locations/r/batchPredictionJobs/7"
SUBMITTED = Event("checking", NOW - timedelta(hours=2), {"job": JOB, "node_hours": 1.0})


def job(state: str, started: float | None, ended: float | None) -> BatchJob:
    """A job of the run, by the hours before NOW at which it started and ended."""
    times = [None if one is None else NOW - timedelta(hours=one) for one in (started, ended)]
    labels = {names.LABEL_RUN: RUN}
    return BatchJob(JOB, RUN, state, labels, "m", "", "", 0, 0, NOW, times[0], times[1])


@pytest.mark.parametrize(
    ("found", "state", "usd", "unknown"),
    [
        (job("JOB_STATE_SUCCEEDED", 1.5, 1), "succeeded", 1.111, False),
        (job("JOB_STATE_CANCELLED", 2, 1), "cancelled", 2.222, False),
        (job("JOB_STATE_CANCELLED", None, 1), "cancelled", 0.0, False),
        (job("JOB_STATE_RUNNING", 0.25, None), "running", 0.5555, True),
    ],
)
def test_a_job_costs_a_node_from_its_start_to_its_end(
    found: BatchJob, state: str, usd: float, unknown: bool
) -> None:
    """However it ended; one that still runs costs at least what it used so far."""
    (one,) = check_jobs.of_run(RUN, [SUBMITTED], [found])

    line = cost_report.check(RUN, one, "us-central1", NOW)

    assert line.cost is not None
    assert (line.state, line.unknown, line.estimate_usd) == (state, unknown, 2.222)
    assert line.cost.usd == pytest.approx(usd)


def test_a_job_of_another_run_is_not_counted_twice() -> None:
    """A run has the jobs that carry its label; one submitted and not yet on record counts too."""
    other = job("JOB_STATE_SUCCEEDED", 2, 1)

    assert check_jobs.of_run("deploy-9-9-1", [], [other]) == []
    assert [one.name for one in check_jobs.of_run(RUN, [], [other])] == [JOB]


def test_a_job_that_somebody_deleted_makes_the_sum_the_least(ledger: Ledger) -> None:
    """It was submitted, and nobody knows what it used: at least, and not nothing."""
    ledger.begin(Plan("deploy", "d" * 64, {})).event("checking", job=JOB, node_hours=1.0)

    report = cost_report.run(ledger, datetime.now(UTC))

    assert report.lines[0].note == "batch prediction 7: what it used is not on record"
    assert (report.lines[0].cost, report.lines[0].estimate_usd) == (None, 2.222)
    assert sum_text(report).startswith("at least ")


def test_a_teardown_keeps_what_the_check_cost(tmp_path: Path) -> None:
    """The job is deleted with the stack; its line is in the report that is kept, and in its sum."""
    with living(tmp_path) as life:
        life.result("train")
        life.result("deploy", "--ttl", "30m", "--check")
        before = life.result("cost-report")
        done = life.result("teardown", "--yes")

        kept = done["cost"]
        lines = [[one for one in each["lines"] if _is_check(one)] for each in (before, kept)]
        assert lines[0] == lines[1]
        assert len(lines[1]) == 1 and lines[1][0]["cost"]["usd"] > 0
        assert sum(one["cost"]["usd"] for one in kept["lines"] if one["cost"]) == pytest.approx(
            kept["google_usd"], abs=1e-5
        )
        assert life.listed("batchPredictionJobs") == []
        path = f"{done['kept']}/cost-report.json"
        after = life.run("cost-report").out
        assert after.startswith("Nothing of this stack is left: $0.00 from now on.\nTorn down on ")
        assert after.endswith(
            f"UTC, it had cost {usd(kept['google_usd'])} on Google ($0.00 here): {path}\n"
        )
        (said,) = life.result("cost-report")["kept"]
        assert (said["path"], said["google_usd"]) == (path, kept["google_usd"])


def _is_check(line: dict[str, str]) -> bool:
    return line["note"].startswith("batch prediction of --check")
