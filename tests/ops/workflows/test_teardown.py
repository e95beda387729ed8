"""Teardown, judged by the emulator's own store."""

import json
import os
import random
import signal
import sqlite3
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ops import names
from ops.cloud import endpoints, storage
from ops.cloud.session import Session
from ops.errors import Code, OpsError
from ops.ledger import Ledger, Plan
from ops.progress import Silent
from ops.workflows import teardown
from tests.ops.life import Life, living

SEED = int(os.environ.get("OPS_TEST_SEED", "0")) or random.SystemRandom().randrange(1, 10**6)
KILLS = 4
# The project's policy, in which Google's agents get their roles at first use, is no stack's.
LIVING = (
    "SELECT kind || ' ' || name FROM resources WHERE kind <> 'projectPolicy'"
    " UNION ALL SELECT 'bucket ' || name FROM buckets"
)


def stored(data: Path) -> list[str]:
    """Every resource, bucket, object and file of bytes in the store, read past the server."""
    files = [f"file {path.name}" for path in (data / "blobs").glob("*/*")]
    with sqlite3.connect(data / "emulator.sqlite") as database:
        rows = database.execute(f"{LIVING} UNION ALL SELECT 'object ' || name FROM objects")
        return sorted([*files, *(row[0] for row in rows)])


def now() -> datetime:
    """The time, as teardown is given it."""
    return datetime.now(UTC)


def make_endpoint(session: Session, stack: str) -> str:
    """An endpoint that carries a stack's label."""
    labels = {**session.settings.labels(), names.LABEL_STACK: stack}
    made = session.wait(endpoints.create(session, names.endpoint_id(stack), stack, labels), 30)
    return str(made.name)


def test_a_stack_with_nothing_has_an_empty_plan(session: Session) -> None:
    """Looking finds nothing and makes nothing."""
    assert teardown.plan(session).empty
    teardown.prove(session)


def test_what_belongs_to_another_stack_stays(session: Session, ledger: Ledger) -> None:
    """Only what carries the stack's label goes, with its bucket."""
    make_endpoint(session, "default")
    other = make_endpoint(session, "other")
    ledger.begin(Plan("train", "d" * 64, {})).finish({"node_hours": 2.0})

    todo = teardown.plan(session)
    done = teardown.run(ledger, todo, Silent(), now)

    assert teardown.counted(todo.found) == {"endpoints": 1}
    assert endpoints.get(session, other) is not None
    assert storage.list_buckets(session) == []
    assert done.report is not None and done.report.usd == pytest.approx(6.93, abs=0.01)


def test_a_model_that_a_run_left_is_deleted_and_not_kept(session: Session, ledger: Ledger) -> None:
    """Files that are no text go with the bucket; what is kept are the run's own records."""
    run = ledger.begin(Plan("train", "d" * 64, {}))
    run.finish({"node_hours": 2.0})
    bucket = session.storage().bucket(session.settings.bucket)
    for name in ("model/saved_model.pb", "model/model.json", "logs/train/events.out.tfevents.1"):
        bucket.blob(names.run_object(run.id, name)).upload_from_string(b"\xe2\x28\xa1")

    done = teardown.run(ledger, teardown.plan(session), Silent(), now)

    assert done.kept is not None
    kept = [path.name for path in (done.kept / "runs" / run.id).rglob("*") if path.is_file()]
    assert sorted(kept) == ["plan.json", "result.json"]
    assert storage.list_buckets(session) == []


def test_the_ledger_and_the_cost_report_are_kept(session: Session, ledger: Ledger) -> None:
    """Before the bucket goes, what it knew is in the state folder."""
    run = ledger.begin(Plan("train", "d" * 64, {}))
    run.finish({"node_hours": 2.0})

    done = teardown.run(ledger, teardown.plan(session), Silent(), now)

    assert done.kept is not None and done.kept.parent.name == session.settings.stack
    kept = sorted(path.relative_to(done.kept).as_posix() for path in done.kept.rglob("*.json"))
    assert kept == ["cost-report.json", f"runs/{run.id}/plan.json", f"runs/{run.id}/result.json"]


def test_a_deployment_without_an_end_gets_one(session: Session, ledger: Ledger) -> None:
    """What a killed undeploy still owed the ledger is put on record: the report does not run on."""
    run = ledger.begin(Plan("deploy", "d" * 64, {}))
    run.event("deployed", endpoint="e", deployed_model="1", nodes=1)

    done = teardown.run(ledger, teardown.plan(session), Silent(), now)

    assert done.report is not None
    assert [line.state for line in done.report.lines if line.run == run.id] == ["undeployed"]


def test_a_bucket_of_somebody_else_is_refused(session: Session) -> None:
    """A bucket without the stack's label is never deleted, and nothing else is either."""
    bucket = session.storage().bucket(session.settings.bucket)
    session.call(bucket.create, location="us-central1")

    with pytest.raises(OpsError) as refused:
        teardown.plan(session)

    assert refused.value.code is Code.CONFLICT
    assert refused.value.message == (
        "Bucket gs://local-project-ops-default has no label ops-stack=default: it was not made "
        "for stack default, so nothing was deleted."
    )


def test_what_is_left_is_listed_and_fails(session: Session, ledger: Ledger) -> None:
    """The proof names everything that it still finds."""
    endpoint = make_endpoint(session, "default")

    with pytest.raises(OpsError) as left:
        teardown.prove(ledger.session)

    assert (left.value.code, left.value.exit_code) == (Code.BILLABLE_LEFT, 9)
    assert left.value.message == (
        "After the teardown these are still there:\n"
        f"  endpoint {endpoint}\n"
        "  bucket gs://local-project-ops-default"
    )
    assert left.value.hint == "Type: ops teardown (it goes on with what is left)."


@pytest.fixture
def life(tmp_path: Path) -> Iterator[Life]:
    """A user with a trained and deployed model."""
    with living(tmp_path) as user:
        user.result("train")
        user.result("deploy", "--ttl", "1h")
        yield user


def test_a_served_stack_is_taken_down_to_nothing(life: Life) -> None:
    """After the teardown of a trained and deployed model the store itself has nothing."""
    assert any(row.startswith("aiplatform.Model ") for row in stored(life.data))

    done = life.run("teardown", "--yes")
    again = life.run("teardown", "--yes")

    assert done.code == 0
    assert done.out.endswith("Listed again: nothing of stack default is left.\n")
    assert stored(life.data) == []
    assert (again.code, again.out) == (
        0,
        "Stack default has nothing: nothing to delete, nothing billed.\n",
    )


def test_a_teardown_killed_at_any_instant_ends_when_typed_again(life: Life) -> None:
    """Killed at random instants, it goes on with what is left, and the cost report is kept."""
    print(f"seed {SEED}")
    randomly = random.Random(SEED)
    for _ in range(KILLS):
        with life.begin("teardown", "--yes") as process:
            time.sleep(randomly.uniform(0.8, 2.5))
            process.send_signal(signal.SIGKILL)

    assert life.run("teardown", "--yes").code == 0
    assert stored(life.data) == []
    assert len(list(life.home.rglob("cost-report.json"))) == 1


def test_a_running_training_is_cancelled_first(life: Life) -> None:
    """A stack whose training still runs is taken down too, and the report says so."""
    life.gate.unlink()
    with life.begin("train", "--again") as training:
        assert training.stderr is not None
        while "Training: running" not in training.stderr.readline():
            assert training.poll() is None
        training.send_signal(signal.SIGKILL)

    done = life.run("teardown", "--yes")

    (report,) = life.home.rglob("cost-report.json")
    lines = json.loads(report.read_text())["lines"]
    assert "2 training pipelines" in done.out
    assert stored(life.data) == []
    assert [line["state"] for line in lines if line["run"].startswith("train-")] == [
        "succeeded",
        "cancelled",
    ]
