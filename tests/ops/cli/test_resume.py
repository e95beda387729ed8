"""`ops resume` and `ops cancel` as typed."""

import json
from collections.abc import Iterator

import pytest

from tests.local_cloud import wait_until
from tests.ops.life import Life, ended, living, told, until_said

CUSTOM = ("train", "--mode", "custom", "--model-type")


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    """A user with photos imported."""
    with living(tmp_path_factory.mktemp("resume")) as found:
        yield found


def killed_while_training(life: Life, *words: str) -> str:
    """The run of a training whose `ops` was killed while it ran."""
    life.gate.unlink()
    process = life.begin(*words)
    until_said(process, "Training: running")
    process.kill()
    ended(process)
    (run,) = (one["run"] for one in life.result("resume")["runs"])
    return str(run)


def test_a_killed_training_is_taken_up_by_its_id(life: Life) -> None:
    """The list names it, its id ends it, and the same command shows what came of it."""
    words = (*CUSTOM, "linear")
    run = killed_while_training(life, *words)
    listed = life.run("resume")
    life.gate.touch()

    resumed = life.result("resume", run)
    again = life.result(*words)

    assert run in listed.out
    assert (resumed["run"], resumed["state"]) == (run, "succeeded")
    assert again == resumed
    assert life.run("resume").out == "Every run has ended.\n"


def test_a_finished_run_is_shown(life: Life) -> None:
    """Nothing is begun anew."""
    run = life.result(*CUSTOM, "linear")["run"]
    shown = life.run("resume", run)

    assert shown.code == 0
    assert shown.out.startswith(f"Run {run} has ended already, succeeded: default-photos-custom@1")


def test_the_data_set_of_the_plan_is_trained_on_not_the_newest(life: Life) -> None:
    """Another import in between changes nothing for the run that was begun before it."""
    run = killed_while_training(life, *CUSTOM, "dnn")
    life.result("import-dataset", "photos", "--name", "others")
    life.gate.touch()

    resumed = life.result("resume", run)

    assert (resumed["run"], resumed["dataset"]) == (run, "photos")


def test_a_run_that_is_not_there_has_neighbours(life: Life) -> None:
    """A typo is answered with the ids that it may stand for."""
    run = str(life.result(*CUSTOM, "linear", "--dataset", "photos")["run"])
    wrong = life.run("resume", run[:-3] + "x-1")

    assert wrong.code == 4
    assert f"Error: There is no run {run[:-3]}x-1.\nDid you mean: " in wrong.err
    assert run in wrong.err


def test_a_cancelled_training_is_on_record_with_its_cost(life: Life) -> None:
    """It ends, what its machine used is said, and a second time does nothing."""
    run = killed_while_training(life, *CUSTOM, "cnn")
    wait_until(lambda: "PIPELINE_STATE_RUNNING" in str(life.listed("trainingPipelines")))

    cancelled = life.run("cancel", run)
    again = life.run("cancel", run)
    life.gate.touch()

    assert cancelled.code == 0, cancelled.err
    assert (
        f"Run {run} is cancelled.\nGoogle bills the time that its machine ran.\n" in cancelled.out
    )
    assert again.out == f"Run {run} has ended (cancelled): nothing to cancel.\n"
    assert life.run("resume", run).out.startswith(f"Run {run} has ended already, cancelled")


def test_only_trainings_are_cancelled(life: Life) -> None:
    """An import is no job that could be ended; a training that has ended says so."""
    life.gate.touch()
    run = next(one["run"] for one in life.result("runs")["runs"] if one["kind"] == "import")
    refused = life.run("cancel", run)
    trained = str(life.result(*CUSTOM, "linear", "--dataset", "photos")["run"])
    ended_before = life.run("cancel", trained)

    assert (refused.code, refused.message) == (
        2,
        f"Error: Only a training on Vertex AI can be cancelled. Received: {run}.\n"
        "An import ends by itself; ops teardown deletes what it made.\n",
    )
    assert ended_before.out == f"Run {trained} has ended (succeeded): nothing to cancel.\n"


def test_a_deployment_is_taken_up_with_its_own_time_to_live(life: Life) -> None:
    """Killed before it was done, it is served until what was typed then."""
    life.gate.touch()
    model = life.result(*CUSTOM, "linear", "--dataset", "photos")["model"].rpartition("/")[2]
    process = life.begin("deploy", "--model", model, "--ttl", "35m")
    until_said(process, "Google would ask")
    wait_until(lambda: bool(life.listed("endpoints")))
    process.kill()
    ended(process)
    (run,) = (one["run"] for one in life.result("resume")["runs"])

    resumed = life.run("resume", run)

    assert resumed.code == 0, resumed.err
    assert "(--ttl 35m)" in told(resumed)
    assert f"Run        {run}\n" in resumed.out
    assert len(life.listed("endpoints")) == 1
    assert life.result("undeploy")["undeployed"]


def test_an_import_is_taken_up_from_the_folder_it_was_typed_in(life: Life) -> None:
    """The photos are found where they were; changed ones are another data set, and refused."""
    bucket = "local-project-ops-default"
    done = life.result("import-dataset", "photos", "--name", "third")
    run = done["run"]
    life.deleted(f"/storage/v1/b/{bucket}/o/runs%2F{run}%2Fresult.json")

    resumed = life.run("resume", run, "--json")
    life.deleted(f"/storage/v1/b/{bucket}/o/runs%2F{run}%2Fresult.json")
    (life.home / "photos" / "0" / "0.png").unlink()
    changed = life.run("resume", run)

    assert json.loads(resumed.out)["result"]["dataset"] == done["dataset"]
    assert changed.code == 5
    assert f"What run {run} was begun with has changed since" in changed.err
