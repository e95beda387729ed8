"""`kill -9` at random instants of an import, a training and a deployment, and the same again."""

import os
import random
import time
from pathlib import Path
from typing import Any

import pytest

from tests.journey.journal import Journal
from tests.journey.kills import Life, ended_at_last, instants, killed, seconds_of

# 20 kills of each victim: bench/kills.py. Here fewer, so that the whole suite stays short.
KILLS = int(os.environ.get("OPS_TEST_KILLS", "6"))
SEED = int(os.environ.get("OPS_TEST_SEED", "0")) or random.SystemRandom().randrange(1, 10**6)


def photos_sent(life: Life) -> dict[str, Any]:
    """What the repeated import says."""
    return life.run("import-dataset", str(life.folder / "photos"))


@pytest.mark.training
@pytest.mark.parametrize("victim", ["server", "ops"])
def test_a_kill_at_any_instant_loses_nothing_and_repeats_nothing(
    victim: str, tmp_path: Path, digits: Path
) -> None:
    """The same command ends well; what was acknowledged is there; nothing is there twice."""
    print(f"seed {SEED}")
    randomly = random.Random(SEED)
    with ended_at_last(Life(tmp_path)) as life:
        life.run("emulator", "start")
        journal = Journal(life.port, SEED)
        journal.start()
        log = campaign(life, victim, randomly, digits)
        time.sleep(0.2)
        journal.stop()
        print("\n".join(log))

        assert journal.acknowledged > 50
        assert journal.missing() == []
        assert life.twice() == []


def campaign(life: Life, victim: str, randomly: random.Random, digits: Path) -> list[str]:
    """How each kill went: a third of them in the import, the training, the deployment."""
    importing = ("import-dataset", str(digits))
    training = ("train", "--mode", "automl")
    deploying = ("deploy", "--ttl", "1h")
    each = -(-KILLS // 3)
    log = []
    whole = seconds_of(life, *importing)
    life.run("teardown", "--yes")
    for seconds in instants(randomly, whole, each):
        log.append(killed(life, victim, seconds, *importing))
        life.run(*importing)
        assert life.twice() == []
        if seconds != whole:
            life.run("teardown", "--yes")
    life.run(*importing)
    for seconds in instants(randomly, 8, each):
        log.append(killed(life, victim, seconds, *training))
    life.run(*training)
    for seconds in instants(randomly, 8, each):
        log.append(killed(life, victim, seconds, *deploying))
        life.run(*deploying)
        assert life.twice() == []
        life.run("undeploy")
    life.run(*deploying)
    return log
