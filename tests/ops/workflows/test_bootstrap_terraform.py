"""`ops bootstrap` with the real provider, whole and killed; without it these are skipped."""

import os
import random
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from ops.cloud import emulator
from tests.infra.terraform_stack import provider_version
from tests.local_cloud import wait_until
from tests.ops import bootstraps
from tests.ops.bootstraps import ONCE, Home

KILLS = int(os.environ.get("OPS_TEST_KILLS", "2"))
SEED = int(os.environ.get("OPS_TEST_SEED", random.SystemRandom().randrange(10**6)))
# A whole bootstrap takes about this long here.
LONGEST_SECONDS = 26.0


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The version of hashicorp/google that Terraform finds here; without one, a skip."""
    version, why = provider_version(tmp_path_factory.mktemp("provider"))
    if not version:
        pytest.skip(why)
    return version


@pytest.fixture
def home(provider: str, tmp_path: Path) -> Iterator[Home]:
    """A folder with the settings of a whole stack."""
    assert provider
    here = bootstraps.home(tmp_path)
    yield here
    for one in here.terraforms():
        one.kill()
    emulator.stop(here.data)


def test_made_changed_and_taken_over(home: Home, tmp_path: Path) -> None:
    """Everything once; nothing to change; one change; read by somebody else; destroyed; again."""
    made = home.ops("bootstrap")
    again = home.ops("bootstrap", "--json")
    lock = home.lock("ada@laptop")
    busy = home.ops("bootstrap")
    toml = home.folder / "ops.toml"
    toml.write_text(toml.read_text().replace("amount = 50", "amount = 60"))
    changed = home.ops("bootstrap", "--unlock", lock)

    whole = toml.read_text()
    toml.write_text(whole.replace("github =", "# github ="))
    shrunk = home.ops("bootstrap")
    toml.write_text(whole)

    assert made.code == 0, made.err
    assert home.counts() == ONCE
    assert shrunk.code == 5 and "1 identity pool: whole-github" in shrunk.err, shrunk.err
    assert (
        "Will be made" in made.err and "At rest: <$0.01 a month on Google; here $0.00" in made.err
    )
    assert f"Bucket     {bootstraps.PROJECT}-ops-whole" in made.out
    assert again.code == 0 and again.json["result"]["changes"] == []
    assert busy.code == 5 and "ada@laptop has held the state of stack whole since" in busy.err
    assert f"ops bootstrap --unlock {lock}" in busy.err
    assert "Released the state's lock of ada@laptop, as asked" in changed.err
    assert "1 budget: ops whole (amount)" in changed.err
    assert changed.out.startswith("Stack whole: 1 changed.")

    other = Home(tmp_path / "other", home.data)
    other.folder.mkdir()
    (other.folder / "ops.toml").write_text(bootstraps.TOML)
    taken = other.ops("bootstrap", "--read-only", "--json")
    assert taken.json["result"]["outputs"] == again.json["result"]["outputs"]
    destroyed_and_made_again(home)


def destroyed_and_made_again(home: Home) -> None:
    """Quota requests stay, a pool is deleted softly: both are taken over."""
    gone = home.ops("teardown", "--yes")

    again = home.ops("bootstrap")

    assert gone.code == 0, gone.err
    assert again.code == 0, again.err
    assert "Restored, as it was deleted less than 30 days ago: whole-github, github." in again.err
    assert "Exists already, and is taken over" in again.err
    assert home.counts() == ONCE
    assert home.ops("bootstrap").out.startswith("Nothing to change")


def test_two_stacks_ask_for_the_same_quota(home: Home) -> None:
    """Google has one request for it: the second stack takes it over, says so, and may change it."""
    toml, infra = home.folder / "ops.toml", '[infra]\ncontact_email = "ada@example.com"\n'
    asked = 'gpu_quota.{} = {{ gpu = "NVIDIA_TESLA_T4", use = "training", count = {} }}\n'
    head = f'project = "{bootstraps.PROJECT}"\n{infra}'
    toml.write_text(head + asked.format("t4", 1))
    first = home.ops("bootstrap", "--stack", "first")
    toml.write_text(head + asked.format("of-my-own", 2))

    second = home.ops("bootstrap", "--stack", "second")

    assert first.code == 0, first.err
    assert second.code == 0, second.err
    assert "Asked for before, by this stack or another: ops-training-t4-us-central1" in second.err
    assert "Will change: 1" in second.err and "quota_config" in second.err
    assert home.counts()["preferences"] == 1
    assert home.ops("bootstrap", "--stack", "second").out.startswith("Nothing to change")


@pytest.mark.parametrize("number", range(KILLS))
def test_killed_anywhere_it_is_typed_again(home: Home, number: int) -> None:
    """Alone, or with all that it started: what exists is found, nothing is made twice."""
    moment = bootstraps.moments(SEED, KILLS, LONGEST_SECONDS)[number]
    everything = number % 2 == 0
    print(f"seed {SEED}, kill {number} after {moment:.1f} s, everything {everything}")
    at = bootstraps.killed(home, moment, everything=everything)

    again = home.ops("bootstrap", "--yes")
    third = home.ops("bootstrap", "--json")

    assert again.code == 0, f"{at}: {again.err}"
    assert third.json["result"]["changes"] == [], at
    assert home.counts() == ONCE, at


def test_interrupted_it_stops_in_good_order(home: Home) -> None:
    """Ctrl-C: it says how long it may take, saves its state, and the next one makes the rest."""
    process = home.start("bootstrap", "--yes")
    wait_until(lambda: "service_account" in applying(home))
    process.send_signal(signal.SIGINT)
    process.wait(timeout=60)

    said = (home.folder / "started.log").read_text()
    assert process.returncode == 130
    assert "Stopping: what was begun is finished first" in said
    assert "Terraform stopped in good order" in said
    again = home.ops("bootstrap", "--json")
    assert again.code == 0, again.err
    assert {one["action"] for one in again.json["result"]["changes"]} == {"make"}
    assert home.counts() == ONCE


def applying(home: Home) -> str:
    """What Terraform has written so far of its apply."""
    log = home.folder / ".ops" / bootstraps.STACK / "terraform" / "log.jsonl"
    text = log.read_text() if log.is_file() else ""
    return text if '"type":"apply_start"' in text else ""
