"""`ops train --local`: the trainer itself as a process of this machine, cut off and taken up."""

import json
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from tests.local_cloud import running_cloud, wait_until
from tests.ops.life import Life, ended, interrupted

LOCAL = ("train", "--mode", "custom", "--local", "--model-type")
LONG = (*LOCAL, "cnn", "--epochs", "12", "--patience", "0")


@dataclass(frozen=True)
class Here:
    """A user with digits imported, and where the trainings of this machine are."""

    life: Life

    def folders(self) -> list[Path]:
        """The folders of the runs, newest last."""
        found = (self.life.home / "state" / "default" / "runs").glob("train-*")
        return sorted(found, key=lambda one: one.stat().st_mtime)

    def checkpoints(self) -> list[Path]:
        """The newest run's checkpoints, in order."""
        return sorted(self.folders()[-1].glob("checkpoints/*")) if self.folders() else []

    def trainers(self) -> list[psutil.Process]:
        """The trainers that are at work for this user."""
        home = str(self.life.home)
        found = []
        for process in psutil.process_iter(["cmdline"]):
            words = process.info["cmdline"] or []
            if "trainer.task" in words and home in str(environment(process)):
                found.append(process)
        return found

    def said(self) -> str:
        """The newest run's log."""
        return (self.folders()[-1] / "log.jsonl").read_text()


def environment(process: psutil.Process) -> dict[str, str]:
    """A process's variables; none if it has just ended."""
    try:
        return dict(process.environ())
    except psutil.Error:
        return {}


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory, digits: Path) -> Iterator[Here]:
    """A user with digits imported; no trainer is left at the end."""
    folder = tmp_path_factory.mktemp("here")
    home = folder / "home"
    home.mkdir()
    with running_cloud(folder / "cloud") as cloud:
        found = Here(Life(cloud, home, cloud.data))
        found.life.result("import-dataset", str(digits), "--name", "digits")
        yield found
        for process in found.trainers():
            process.kill()


@pytest.mark.training
def test_a_training_here_needs_no_job_and_no_registry(here: Here) -> None:
    """A model in a folder, its evaluation shown; the same again is shown; elsewhere by --to."""
    words = (*LOCAL, "linear", "--epochs", "4")
    done = here.life.result(*words)
    again = here.life.run(*words)
    elsewhere = here.life.result(*words, "--to", "mine")

    folder = Path(done["folder"])
    assert (done["state"], done["model"], done["usd_on_google"]) == ("succeeded", "", None)
    assert done["evaluation"]["accuracy"] > 0.5
    left = {one.name for one in folder.iterdir()}
    assert {"saved_model.pb", "labels.txt", "model.json", "predictions.jsonl"} <= left
    assert "Trained already" in again.err
    assert Path(elsewhere["folder"]) == here.life.home / "mine" / "model"
    assert here.life.listed("trainingPipelines") == here.life.listed("models") == []
    report = here.life.result("cost-report")
    notes = [line["note"] for line in report["lines"] if line["run"] == done["run"]]
    assert notes == ["trained on this machine"]


@pytest.mark.training
def test_a_killed_training_goes_on_from_its_last_whole_checkpoint(here: Here) -> None:
    """Everything is killed and the newest checkpoint is half written: the one before it counts."""
    process = here.life.begin(*LONG, "--seed", "1")
    wait_until(lambda: bool(here.trainers()) and len(here.checkpoints()) > 1, 120)
    process.kill()
    for trainer in here.trainers():
        trainer.kill()
        trainer.wait(10)
    ended(process)
    newest = here.checkpoints()[-1]
    newest.write_bytes(newest.read_bytes()[: newest.stat().st_size // 2])
    (run,) = (one["run"] for one in here.life.result("resume")["runs"])

    done = here.life.result("resume", run)

    assert (done["run"], done["state"]) == (run, "succeeded")
    assert "The checkpoint " in here.said()
    assert "is not used: it is cut short" in here.said()
    assert "Going on after epoch " in here.said()
    assert '"message": "Epoch 1 of ' not in here.said()


@pytest.mark.training
def test_a_trainer_whose_ops_was_killed_is_followed(here: Here) -> None:
    """It goes on, and the same command waits for it in place of beginning a second."""
    process = here.life.begin(*LONG, "--seed", "2")
    wait_until(lambda: bool(here.checkpoints()) and bool(here.trainers()), 120)
    process.kill()
    ended(process)
    (before,) = here.trainers()

    second = here.life.begin(*LONG, "--seed", "2", "--json")
    out, err = second.communicate(timeout=300)

    assert second.returncode == 0, err
    assert json.loads(out)["result"]["state"] == "succeeded"
    assert before not in here.trainers()
    assert here.said().count('"message": "Training cnn."') == 1


@pytest.mark.training
def test_ctrl_c_stops_the_trainer_and_says_where_its_checkpoints_are(here: Here) -> None:
    """Nothing goes on; the same command takes it up."""
    process = here.life.begin(*LONG, "--seed", "3")
    wait_until(lambda: bool(here.checkpoints()) and bool(here.trainers()), 120)

    stopped = interrupted(process)

    assert stopped.code == 128 + signal.SIGINT
    assert "Interrupted. Training stopped; its checkpoints stay in " in stopped.err
    assert here.trainers() == []
