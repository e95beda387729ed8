"""Runs on record, on a real local cloud."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from ops import names
from ops.cloud import storage
from ops.cloud.session import Session
from ops.errors import Code, OpsError
from ops.ledger import Ledger, Plan, RunState

DIGEST = "d" * 64
PLAN = Plan("train", DIGEST, {"mode": "automl", "node_hours": 8}, {"usd": 27.72})


def test_a_plan_is_on_record_before_anything_else(ledger: Ledger) -> None:
    """A new run has its inputs, its estimate and its time in the bucket at once."""
    run = ledger.begin(PLAN)

    record = ledger.get(run.id)
    assert run.state is RunState.NEW and record.state is RunState.UNFINISHED
    assert record.plan["inputs"] == {"mode": "automl", "node_hours": 8}
    assert record.plan["estimate"] == {"usd": 27.72}
    assert run.labels["ops-run"] == run.id and run.labels["ops-dataset"] == "d" * 32


def test_an_unfinished_run_is_taken_up_even_with_again(ledger: Ledger) -> None:
    """The same plan gives the same run, with the events it has so far."""
    ledger.begin(PLAN).event("submitted", pipeline="p")

    for again in (False, True):
        taken = ledger.begin(PLAN, again=again)
        assert (taken.id, taken.state) == (ledger.records()[0].id, RunState.UNFINISHED)
        assert [(e.event, e.facts) for e in taken.events()] == [("submitted", {"pipeline": "p"})]


def test_a_finished_run_is_shown_and_again_makes_the_next(ledger: Ledger) -> None:
    """The result is found again; `again` gives the next ordinal."""
    first = ledger.begin(PLAN)
    first.finish({"model": "m"})

    shown = ledger.begin(PLAN)
    anew = ledger.begin(PLAN, again=True)

    assert (shown.id, shown.state, shown.result) == (first.id, RunState.SUCCEEDED, {"model": "m"})
    assert (names.run_ordinal(anew.id), anew.state) == (2, RunState.NEW)


@pytest.mark.parametrize("state", [RunState.FAILED, RunState.CANCELLED, RunState.ENDED])
def test_a_run_that_did_not_succeed_is_followed_by_a_new_one(
    ledger: Ledger, state: RunState
) -> None:
    """Typing the command again after a failure tries again."""
    ledger.begin(PLAN).finish({}, state)

    assert names.run_ordinal(ledger.begin(PLAN).id) == 2


def test_another_plan_or_another_data_set_is_another_run(ledger: Ledger) -> None:
    """What decides the outcome decides the id."""
    ids = {
        ledger.begin(plan).id
        for plan in (PLAN, Plan("train", DIGEST, {"mode": "x"}), Plan("train", "e" * 64, {}))
    }

    assert len(ids) == 3
    assert {record.id for record in ledger.records("train")} == ids
    assert ledger.records("deploy") == []


def test_two_at_once_plan_one_run(ledger: Ledger) -> None:
    """Of eight that begin the same plan together, one makes it and all work on it."""
    with ThreadPoolExecutor(8) as pool:
        runs = list(pool.map(lambda _: ledger.begin(PLAN), range(8)))

    assert len({run.id for run in runs}) == 1
    assert [run.state for run in runs].count(RunState.NEW) == 1


def test_no_event_is_lost_when_many_write(ledger: Ledger) -> None:
    """Eight writers' events are all on record, each once."""
    run = ledger.begin(PLAN)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: run.event("seen", number=number), range(16)))

    assert sorted(event.facts["number"] for event in run.events()) == list(range(16))


def test_an_unknown_run_is_said_to_be_unknown(ledger: Ledger) -> None:
    """The hint is the command that lists runs."""
    with pytest.raises(OpsError) as refused:
        ledger.open("train-x-y-1")

    assert (refused.value.code, refused.value.hint) == (Code.NOT_FOUND, "Type: ops runs")


def test_a_stack_without_a_bucket_has_no_runs(session: Session) -> None:
    """Looking makes nothing."""
    assert Ledger(session).records() == []
    assert storage.list_buckets(session) == []


def test_a_lock_keeps_others_out_and_is_given_back(ledger: Ledger) -> None:
    """While it is held another waits in vain and is told who holds it; afterwards it is free."""
    with ledger.lock("import"), pytest.raises(OpsError) as busy, ledger.lock("import", 0.3):
        pass
    with ledger.lock("import", 0):
        pass

    assert busy.value.code is Code.BUSY
    assert busy.value.message.startswith("import is being worked on by another ops (")


def test_an_expired_lock_is_taken_over(session: Session, ledger: Ledger) -> None:
    """A holder that was never heard of again blocks nobody for longer than a minute."""
    long_ago = datetime.now(UTC) - timedelta(seconds=61)
    ledger_then = Ledger(session, now=lambda: long_ago)
    left = ledger_then.lock("import")
    left.__enter__()

    with ledger.lock("import", 5):
        pass


HOLDER = """
import os, sys, time
from pathlib import Path
from google.auth.credentials import AnonymousCredentials
from ops import settings
from ops.cloud.session import Session
from ops.ledger import Ledger
session = Session(settings.read({}, {}, Path("/")), AnonymousCredentials(), sys.argv[1])
with Ledger(session).lock("import"):
    print("held", flush=True)
    time.sleep(600)
"""


def test_the_lock_of_a_process_that_is_gone_is_taken_over(session: Session, ledger: Ledger) -> None:
    """A process killed while it held a lock blocks nobody on this machine."""
    command = [sys.executable, "-c", HOLDER, str(session.base_url)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None and holder.stdout.readline() == "held\n"
        with pytest.raises(OpsError, match="another ops"), ledger.lock("import", 0.3):
            pass
        holder.kill()

    with ledger.lock("import", 5):
        pass
