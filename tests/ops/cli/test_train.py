"""`ops train` and `ops evaluate` as typed, on a local cloud whose engine trains in a blink."""

import re
from collections.abc import Iterator

import pytest

from tests.local_cloud import wait_until
from tests.ops.life import PARENT, Life, ended, interrupted, living, told, until_said

DATA = re.compile(r"^Data set: photos@1, digest [0-9a-f]{12}, 36 photos\n")
PRICE = (
    "Google would ask: AutoML training: at most 8 node hours x $3.465 = $27.72 "
    "(rate of 2026-10-07)\nHere: $0.00\n"
)


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    """A user with photos imported."""
    with living(tmp_path_factory.mktemp("train")) as found:
        yield found


@pytest.fixture(scope="module")
def trained(life: Life) -> dict[str, object]:
    """The result of the first `ops train`."""
    return life.result("train")


def pipelines_of(life: Life, run: object) -> list[dict[str, object]]:
    """The training pipelines that carry a run's label."""
    return [one for one in life.listed("trainingPipelines") if one["labels"]["ops-run"] == run]


def test_a_training_leaves_a_model_its_cost_and_its_evaluation(
    life: Life, trained: dict[str, object]
) -> None:
    """The result traces from data set digest to model, with what Google would ask for it."""
    run = str(trained["run"])
    pipeline = pipelines_of(life, run)[0]

    assert re.fullmatch(r"train-[0-9a-f]{12}-[0-9a-f]{8}-1", run)
    assert trained["digest"][:12] == run.split("-")[1]  # type: ignore[index]
    assert trained["model"] == f"{PARENT}/models/default-photos-automl@1"
    assert (trained["state"], trained["stop_reason"]) == ("succeeded", "MODEL_CONVERGED")
    assert (trained["node_hours"], trained["usd_on_google"]) == (1.25, 4.33125)
    assert trained["evaluation"]["accuracy"] == 1.0  # type: ignore[index]
    assert pipeline["trainingTaskInputs"]["budgetMilliNodeHours"] == "8000"  # type: ignore[index]


def test_the_split_is_sent_and_never_drawn_again(life: Life, trained: dict[str, object]) -> None:
    """The pipeline is filtered on ml_use, and everything carries the stack's labels."""
    pipeline = pipelines_of(life, trained["run"])[0]

    assert pipeline["inputDataConfig"]["filterSplit"] == {  # type: ignore[index]
        f"{split}Filter": f"labels.aiplatform.googleapis.com/ml_use={split}"
        for split in ("training", "validation", "test")
    }
    assert set(pipeline["labels"]) == {"ops-stack", "ops-run", "ops-dataset", "ops-owner"}  # type: ignore[call-overload]
    assert life.listed("models")[0]["labels"] == pipeline["labels"]


def test_the_same_training_again_is_shown_and_costs_nothing(
    life: Life, trained: dict[str, object]
) -> None:
    """No second pipeline, no price, and how to train anew."""
    again = life.run("train")

    assert again.code == 0
    assert DATA.sub("", told(again)) == "Trained already; --again trains anew.\n"
    assert again.out.startswith(f"Run        {trained['run']}\n")
    assert len(pipelines_of(life, trained["run"])) == 1


def test_again_trains_anew_at_its_price(life: Life, trained: dict[str, object]) -> None:
    """The next run has the next number and a model of its own."""
    again = life.run("train", "--again")

    run = str(trained["run"])[:-1] + "2"
    assert DATA.match(told(again)), "the data set is named before the price"
    assert DATA.sub("", told(again)) == PRICE
    assert f"Run        {run}\n" in again.out
    assert f"Model      {PARENT}/models/default-photos-automl@2\n" in again.out
    assert "Cost       $0.00 here, would be $4.33 on Google\n" in again.out


def test_ctrl_c_says_what_goes_on_and_the_same_command_takes_it_up(life: Life) -> None:
    """One training, interrupted while it ran, ended by the second command."""
    life.gate.unlink()
    process = life.begin("train", "--budget-node-hours", "9")
    said = until_said(process, "Training: running")

    stopped = interrupted(process)
    joined = life.run("train", "--budget-node-hours", "9", "--no-wait", "--json")
    running = joined.json["result"]
    life.gate.touch()
    done = life.result("train", "--budget-node-hours", "9")

    assert re.search(
        r"\nAlready running since 20\S+ \S+ UTC: joining it; nothing more is billed\.\n$",
        joined.err,
    )
    assert stopped.code == 130
    assert (said + stopped.err).endswith(
        f"Error: Interrupted. The training {done['run']} goes on, within its budget; "
        f"ops cancel {done['run']} ends it.\n"
        "Type the same command again: it takes up what exists.\n"
    )
    assert (running["state"], running["model"]) == ("running", "")
    assert done["state"] == "succeeded"
    assert len(pipelines_of(life, done["run"])) == 1


def test_a_cancelled_training_says_that_it_is_billed(life: Life) -> None:
    """Cancelled by somebody else while `ops` watches; the next call trains anew."""
    life.gate.unlink()
    process = life.begin("train", "--budget-node-hours", "10")
    wait_until(lambda: "PIPELINE_STATE_RUNNING" in states(life))
    run, name = next(
        (one["labels"]["ops-run"], one["name"])
        for one in life.listed("trainingPipelines")
        if one["state"] == "PIPELINE_STATE_RUNNING"
    )

    life.posted(f"/v1/{name}:cancel")
    stopped = ended(process)
    life.gate.touch()

    assert stopped.code == 1
    assert stopped.err.endswith(
        f"Error: The training {run} was cancelled: CANCELED. Google bills what a cancelled "
        "training used.\nType the same command again to train anew.\n"
    )
    assert life.result("train", "--budget-node-hours", "10")["run"] == f"{run[:-1]}2"


def states(life: Life) -> list[str]:
    """The states of all training pipelines."""
    return [one["state"] for one in life.listed("trainingPipelines")]


def test_a_failed_training_gives_the_reason(tmp_path_factory: pytest.TempPathFactory) -> None:
    """What the trainer said last is in the message, and that Google does not bill it."""
    broken = "python3 -c 'import sys; sys.exit(\"no photo is a circle\")'"
    with living(tmp_path_factory.mktemp("broken"), train=broken) as life:
        failed = life.run("train")
        run = life.listed("trainingPipelines")[0]["labels"]["ops-run"]

        assert failed.code == 1
        assert DATA.sub("", told(failed)) == (
            f"{PRICE}Error: The training {run} failed: "
            "The training ended with exit code 1. no photo is a circle. "
            "Google does not bill a training that failed.\n"
            "The same command would end the same way: change what is named here (a flag, the "
            "photos, the image), then train anew.\n"
        )


def test_the_evaluation_has_the_users_own_label_names(
    life: Life, trained: dict[str, object]
) -> None:
    """Labels and both sides of the confusion matrix read as the user wrote them."""
    found = life.result("evaluate", "--run", str(trained["run"]))

    assert str(trained["model"]).startswith(str(found["model"]))
    assert [one["label"] for one in found["labels"]] == ["0", "red shoe", "t-shirt"]
    assert sorted(found["confusion"]["labels"]) == ["0", "red shoe", "t-shirt"]
    assert found["confusion"]["rows"] == [[1, 0, 0], [0, 1, 0], [0, 0, 1]]
    assert (found["accuracy"], found["photos"], found["threshold"]) == (1.0, 3, 0.5)


def test_the_evaluation_is_a_table_for_people(life: Life, trained: dict[str, object]) -> None:
    """The same figures as with --json, as text."""
    text = life.run("evaluate", "--model", str(trained["model"])).out

    assert text.startswith(f"Model {PARENT}/models/default-photos-automl")
    assert "(photos-automl)\n100.0% of 3 test photos" in text
    assert "label     photos  precision  recall     F1  auPrc\n" in text
    assert "\nt-shirt        1      1.000   1.000" in text


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (
            ("train", "--dataset", "hats"),
            4,
            "Error: There is no data set 'hats' in stack default; imported are: photos.\n"
            "Type: ops train --dataset photos\n",
        ),
        (
            ("train", "--dataset", "photos@7"),
            4,
            "Error: There is no data set photos@7. Known are: photos@1.\nType: ops datasets list\n",
        ),
        (
            ("train", "--region", "us-east1"),
            2,
            "Error: Region us-east1 has no AutoML for images; us-central1 and europe-west4 have.\n"
            "Type --region us-central1 (data set, model and endpoint are in one region).\n",
        ),
        (
            ("evaluate", "--model", "hats"),
            4,
            "Error: There is no model hats in local-project, us-central1.\nThe stack's models: ",
        ),
        (
            ("evaluate", "--run", "train-x"),
            4,
            "Error: There is no run train-x.\nType: ops runs\n",
        ),
        (
            ("evaluate", "--run", "train-x", "--model", "y"),
            2,
            "Error: Both --model y and --run train-x were given.\nType one of the two.\n",
        ),
        (
            ("evaluate", "--threshold", "2"),
            2,
            "Error: --threshold is from 0 to 1. Received: 2.\nType --threshold 0.5\n",
        ),
        (
            ("train", "--stack", "other"),
            4,
            "Error: No data set has been imported in stack other.\n"
            "Type: ops import-dataset FOLDER\n",
        ),
        (
            ("evaluate", "--stack", "other"),
            4,
            "Error: Stack other has no model.\nType: ops train --mode automl\n",
        ),
    ],
)
def test_what_is_not_there_is_named(
    life: Life, trained: dict[str, object], words: tuple[str, ...], code: int, message: str
) -> None:
    """Each refusal says what was received, what there is, and what to type."""
    assert trained["run"]

    refused = life.run(*words)

    assert refused.code == code
    expected = message if message.endswith("\n") else refused.message
    assert refused.message == expected
    assert refused.message.startswith(message)
