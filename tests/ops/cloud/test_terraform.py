"""Terraform in a folder, with its state in a bucket of the local cloud; no provider is needed."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from ops.cloud import state_bucket, terraform_process
from ops.cloud.session import Session
from ops.cloud.terraform import Terraform, unheard
from ops.errors import Code, OpsError
from tests.local_cloud import ROOT, wait_until
from tests.ops import terraform_folder
from tests.ops.life import heed_interrupts
from tests.ops.terraform_folder import needs_terraform

pytestmark = needs_terraform
# Of a Terraform that is stopped before its time, on a machine with other work too.
LONG = 30


@dataclass(frozen=True)
class Placed:
    """A folder that is joined to its state, and who works there."""

    folder: Path
    terraform: Terraform
    state_dir: Path

    def start(self) -> subprocess.Popen[bytes]:
        """A process of its own that applies the saved plan; it has begun its slow part."""
        command = [sys.executable, "-m", "tests.ops.terraform_folder"]
        process = subprocess.Popen(
            [*command, str(self.folder), str(self.state_dir)],
            cwd=ROOT,
            start_new_session=True,
            preexec_fn=heed_interrupts,
        )
        wait_until((self.folder / terraform_folder.BEGUN).exists)
        return process

    def addresses(self) -> list[str]:
        """What is in the state."""
        return sorted(one.address for one in self.terraform.resources())


def placed(session: Session, tmp_path: Path, *, slow_seconds: int = 0) -> Placed:
    """A folder whose state is in a bucket."""
    folder, state_dir = tmp_path / "work", tmp_path / ".ops"
    terraform_folder.write(folder, session.terraform_environment(), slow_seconds=slow_seconds)
    terraform = terraform_folder.read(folder, state_dir)
    terraform.init(state_bucket.ensure(session, project_number(session)))
    return Placed(folder, terraform, state_dir)


def project_number(session: Session) -> str:
    """The number of the session's project."""
    from ops.cloud import projects

    return projects.get(session, session.settings.project).number


def test_planned_applied_and_destroyed(session: Session, tmp_path: Path) -> None:
    """The plan says what is made, the state has it, a second plan nothing; destroy empties it."""
    here = placed(session, tmp_path)
    heard: list[terraform_process.Event] = []

    plan = here.terraform.plan(heard.append)
    here.terraform.apply(heard.append)

    made = [one["change"]["actions"] for one in plan["resource_changes"]]
    assert made == [["create"], ["create"]]
    assert here.addresses() == ['terraform_data.word["one"]', 'terraform_data.word["two"]']
    assert here.terraform.outputs() == {"words": ["one", "two"]}
    assert [one["type"] for one in heard].count("apply_complete") == 2
    assert here.terraform.plan()["applyable"] is False
    assert state_bucket.has_state(session) and state_bucket.lock(session) is None
    here.terraform.destroy()
    assert here.addresses() == []


def test_the_arguments_reach_terraform_and_the_environment_is_what_it_was_given(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A variable of the caller's environment does not reach it."""
    monkeypatch.setenv("TF_VAR_words", '["three"]')
    here = placed(session, tmp_path)

    plan = here.terraform.plan()

    assert {one["index"] for one in plan["resource_changes"]} == {"one", "two"}
    assert here.terraform.versions().terraform.count(".") == 2


def test_a_held_lock_is_busy_and_named(session: Session, tmp_path: Path) -> None:
    """Who holds it, since when, and the number that releases it: all of it to be typed."""
    here = placed(session, tmp_path)
    generation = held(session, "ada@laptop")

    with pytest.raises(OpsError) as caught:
        here.terraform.plan()

    assert caught.value.code is Code.BUSY
    assert "ada@laptop" in caught.value.message and "2026-11-22 00:00:00" in caught.value.message
    assert f"--unlock {generation}" in caught.value.hint
    here.terraform.force_unlock(generation)
    assert state_bucket.lock(session) is None


def held(session: Session, who: str) -> int:
    """The generation of a lock that somebody takes now."""
    from ops.cloud import storage

    body = {"ID": "1", "Operation": "OperationTypeApply", "Who": who, "Info": "", "Path": "",
            "Version": "1.11.4", "Created": "2026-11-22T00:00:00.123456789Z"}  # fmt: skip
    bucket, text = state_bucket.name(session.settings), json.dumps(body)
    return storage.write_text(session, bucket, state_bucket.LOCK, text, if_generation=storage.NEW)


def test_interrupted_it_stops_in_good_order(session: Session, tmp_path: Path) -> None:
    """Ctrl-C is passed on once: the state has what was made, the lock is free."""
    here = placed(session, tmp_path, slow_seconds=LONG)
    here.terraform.plan()
    process = here.start()

    os.kill(process.pid, signal.SIGINT)
    process.wait(timeout=60)

    said = (here.folder / terraform_folder.SAID).read_text().splitlines()
    kinds = [json.loads(line)["type"] for line in said]
    assert kinds.count(terraform_process.STOPPING) == 1
    assert process.returncode in (1, -signal.SIGINT, 130)
    assert 'terraform_data.word["one"]' in here.addresses()
    assert state_bucket.lock(session) is None
    assert terraform_process.began(here.folder) is None


def test_it_outlives_an_ops_that_is_killed(session: Session, tmp_path: Path) -> None:
    """Terraform ends what it began; whoever comes next waits for it and finds everything made."""
    here = placed(session, tmp_path, slow_seconds=4)
    here.terraform.plan()
    process = here.start()

    os.killpg(process.pid, signal.SIGKILL)
    process.wait()

    assert terraform_process.at_work(here.folder) is not None
    assert terraform_process.take_up(here.folder, unheard)
    assert "terraform_data.slow" in here.addresses()
    assert state_bucket.lock(session) is None
    assert not terraform_process.take_up(here.folder, unheard)


def test_killed_itself_it_leaves_a_lock_that_is_known_to_be_dead(
    session: Session, tmp_path: Path
) -> None:
    """The lock is held, by this user on this machine, since after the process was begun."""
    here = placed(session, tmp_path, slow_seconds=LONG)
    here.terraform.plan()
    process = here.start()
    working = terraform_process.at_work(here.folder)
    assert working is not None

    os.killpg(working.pid, signal.SIGKILL)
    process.wait(timeout=60)

    begun, lock = terraform_process.began(here.folder), state_bucket.lock(session)
    assert lock is not None and lock.who in terraform_process.this_user()
    assert begun is not None and lock.created >= begun.began
    assert terraform_process.at_work(here.folder) is None


def test_a_terraform_in_another_folder_may_hold_the_lock(session: Session, tmp_path: Path) -> None:
    """While it runs, joined to the same state of the same cloud, its lock may be its own."""
    here = placed(session, tmp_path, slow_seconds=4)
    here.terraform.plan()
    process = here.start()
    lock, url = state_bucket.lock(session), session.base_url or ""
    assert lock is not None
    bucket, other = state_bucket.name(session.settings), tmp_path / "other"

    seen = terraform_process.elsewhere_since(other, bucket, url, lock.created)
    elsewhere = terraform_process.elsewhere_since(other, bucket, "http://127.0.0.1:1", lock.created)
    own = terraform_process.elsewhere_since(here.folder, bucket, url, lock.created)
    process.wait(timeout=60)

    assert (seen, elsewhere, own) == (True, False, False)
    assert not terraform_process.elsewhere_since(other, bucket, url, lock.created)


def test_only_one_ops_works_in_a_folder(tmp_path: Path) -> None:
    """A second one is told so, and comes in when the first is done."""
    with terraform_process.Alone(tmp_path), pytest.raises(OpsError) as caught:
        terraform_process.Alone(tmp_path).__enter__()
    with terraform_process.Alone(tmp_path):
        pass

    assert caught.value.code is Code.BUSY


def test_without_the_program_it_says_what_to_install(session: Session, tmp_path: Path) -> None:
    """No terraform on the PATH is a failure of its own."""
    environment = {**session.terraform_environment(), "PATH": str(tmp_path)}

    with pytest.raises(OpsError) as caught:
        Terraform(tmp_path, environment, session.settings)

    assert caught.value.code is Code.NO_TERRAFORM
    assert "Install Terraform" in caught.value.hint
