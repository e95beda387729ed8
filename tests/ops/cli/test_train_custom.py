"""`ops train --mode custom` as typed, on a local cloud whose trainer needs a blink."""

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.ops.life import PARENT, Life, interrupted, living, told, until_said

CUSTOM = ("train", "--mode", "custom", "--model-type")
BUCKET = "local-project-ops-default"


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    """A user with photos imported."""
    with living(tmp_path_factory.mktemp("custom")) as found:
        yield found


@pytest.fixture(scope="module")
def trained(life: Life) -> dict[str, Any]:
    """The result of the first custom training."""
    return life.result(*CUSTOM, "cnn", "--epochs", "3", "--filters", "8,16", "--max-cost", "0.10")


def pipeline_of(life: Life, run: object) -> dict[str, Any]:
    """The one training pipeline that carries a run's label."""
    found = [one for one in life.listed("trainingPipelines") if one["labels"]["ops-run"] == run]
    assert len(found) == 1
    return found[0]


def newest(life: Life) -> dict[str, Any]:
    """The training pipeline that was made last."""
    return max(life.listed("trainingPipelines"), key=lambda one: str(one["createTime"]))


def test_a_custom_training_leaves_a_version_its_evaluation_and_its_cost(
    life: Life, trained: dict[str, Any]
) -> None:
    """What the trainer left is in the result; the machine's time is what it costs."""
    version = f"{PARENT}/models/default-photos-custom@1"
    (evaluation,) = life.asked(f"/v1/{version}/evaluations")["modelEvaluations"]
    slices = life.asked(f"/v1/{evaluation['name']}/slices")["modelEvaluationSlices"]

    assert trained["model"] == version
    assert evaluation["displayName"] == trained["run"]
    assert len(slices) == 3
    assert trained["stop_reason"] == "MODEL_CONVERGED"
    assert trained["evaluation"]["accuracy"] == 1.0
    assert 0 < trained["usd_on_google"] < 0.10
    assert re.fullmatch(r"train-[0-9a-f]{12}-[0-9a-f]{8}-1", trained["run"])


def test_what_is_sent_says_all_that_was_asked(life: Life, trained: dict[str, Any]) -> None:
    """Machine, image, flags, folder and time-out, and the manifest as the data."""
    sent = pipeline_of(life, trained["run"])["trainingTaskInputs"]
    pool = sent["workerPoolSpecs"][0]
    arguments = pool["containerSpec"]["args"]

    assert pool["machineSpec"] == {"machineType": "n1-standard-4"}
    assert pool["containerSpec"]["imageUri"].startswith(
        "us-central1-docker.pkg.dev/local-project/ops/trainer:"
    )
    # $0.10 at $0.21849885 an hour.
    assert sent["scheduling"] == {"timeout": "1647s", "strategy": "STANDARD"}
    assert sent["baseOutputDirectory"] == {
        "outputUriPrefix": f"gs://{BUCKET}/runs/{trained['run']}"
    }
    assert arguments[0].startswith(f"--manifest=gs://{BUCKET}/datasets/photos/")
    assert arguments[1:] == [
        "--model-type=cnn",
        "--epochs=3",
        "--filters=8,16",
        "--max-seconds=1318",
    ]


def test_the_same_custom_training_again_is_shown(life: Life, trained: dict[str, Any]) -> None:
    """No second pipeline; another flag is another training, and the model's next version."""
    words = (*CUSTOM, "cnn", "--filters", "8,16", "--max-cost", "0.10")
    again = life.run(*words, "--epochs", "3")
    other = life.result(*words, "--epochs", "4")

    assert told(again).partition("\n")[2] == "Trained already; --again trains anew.\n"
    assert f"Run        {trained['run']}\n" in again.out
    assert "\nStopped    all its epochs done, or no more gain (" in again.out
    assert other["model"] == f"{PARENT}/models/default-photos-custom@2"
    assert pipeline_of(life, trained["run"])


def test_the_price_comes_first_and_is_the_whole_time(life: Life) -> None:
    """An hour unless told otherwise; machine and accelerator are priced apart."""
    ran = life.run(*CUSTOM, "linear", "--accelerator", "NVIDIA_TESLA_T4", "--spot")

    assert ran.code == 0, ran.err
    data, _, price = told(ran).partition("\n")
    assert data.startswith("Data set: photos@1, digest ")
    assert price == (
        "Google would ask: Spot training, priced on demand (no spot price is on record), "
        "on n1-standard-4: at most 1 hour x $0.2185 = $0.22 "
        "(rate of 2026-10-07)\n"
        "Google would ask: Spot training, priced on demand (no spot price is on record), "
        "on NVIDIA_TESLA_T4: at most 1 hour x $0.4025 = $0.40 "
        "(rate of 2026-11-21)\nHere: $0.00\n"
    )
    assert "Cost       $0.00 here, would be at most <$0.01 on Google\n" in ran.out
    assert newest(life)["trainingTaskInputs"]["scheduling"]["strategy"] == "SPOT"


def test_weights_of_the_user_s_own_are_in_the_bucket_first(life: Life, tmp_path: Path) -> None:
    """By their hash, once; the trainer gets where they lie, not where they came from."""
    path = tmp_path / "resnet50.weights.h5"
    path.write_bytes(b"weights, as far as ops can tell")
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    name = f"weights/{sha256}.weights.h5"

    life.result(*CUSTOM, "transfer", "--backbone", "ResNet50", "--weights", str(path))

    arguments = newest(life)["trainingTaskInputs"]["workerPoolSpecs"][0]["containerSpec"]["args"]
    stored = life.text(f"/storage/v1/b/{BUCKET}/o/{quote(name, safe='')}?alt=media")
    assert "--backbone=ResNet50" in arguments
    assert f"--weights=gs://{BUCKET}/{name}" in arguments
    assert stored == "weights, as far as ops can tell"


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (("--weights", "net.pth"), 2, "or a file of .weights.h5, .keras, .h5. Received: net.pth."),
        (("--weights", "/nowhere/net.h5"), 4, "There is no file /nowhere/net.h5."),
        (("--backbone", "Resnet50"), 2, "Type --backbone ResNet50"),
        (("--unfreeze", "0"), 2, "none, tail, all or a whole number from 1 to 1000. Received: 0."),
    ],
)
def test_a_backbone_that_there_is_not_costs_nothing(
    life: Life, words: tuple[str, ...], code: int, sentence: str
) -> None:
    """Refused before anything is made, with what to type."""
    refused = life.run(*CUSTOM, "transfer", *words)

    assert refused.code == code
    assert sentence in refused.err


def test_a_training_that_dies_says_why_and_what_to_type(life: Life) -> None:
    """The trainer's last words, what Google bills, and where the log is."""
    failed = life.run(*CUSTOM, "dnn", "--epochs", "13")
    run = newest(life)["labels"]["ops-run"]

    assert failed.code == 1
    assert f"Error: The training {run} failed: " in failed.err
    assert "No photo is a circle. Google bills the time that its machine ran." in failed.err
    assert failed.err.endswith(
        "The same command would end the same way: change what is named here (a flag, the photos, "
        f"the image), then train anew.\nType: ops logs {run}   to read what it said\n"
    )
    record = json.loads(life.text(f"/storage/v1/b/{BUCKET}/o/runs%2F{run}%2Fresult.json?alt=media"))
    assert record["state"] == "failed"
    assert record["result"]["usd_on_google"] > 0


def test_a_machine_that_is_too_small_is_named(life: Life) -> None:
    """Killed by the system, as it does when memory is out; that it was memory is not certain."""
    failed = life.run(*CUSTOM, "dnn", "--epochs", "14")

    assert failed.code == 1
    assert "was killed (exit code 137), most often for want of memory" in failed.err
    assert "out-of-memory" not in failed.err
    assert (
        "If memory was short, type a smaller --batch-size or --image-size, or a larger --machine.\n"
        in failed.err
    )


def test_a_broken_model_is_a_failure_and_the_next_try_is_new(life: Life) -> None:
    """A job that ended well and left half an evaluation: said, on record, and trained anew."""
    words = (*CUSTOM, "dnn", "--epochs", "15")
    failed = life.run(*words)
    run = newest(life)["labels"]["ops-run"]
    again = life.run(*words)

    assert (failed.code, again.code) == (1, 1)
    assert f"The training {run} ended well but left no evaluation that can be read at" in failed.err
    assert "and: ops models delete default-photos-custom@" in failed.err
    assert newest(life)["labels"]["ops-run"] == f"{run[:-1]}2"


def test_an_image_that_is_not_there_is_named(life: Life) -> None:
    """The job waits, fails, and says which image and how to name another."""
    failed = life.run(*CUSTOM, "dnn", "--image", "us-docker.pkg.dev/nobody/nothing:1")

    assert failed.code == 1
    assert "us-docker.pkg.dev/nobody/nothing:1" in failed.err
    assert "--image REGION-docker.pkg.dev/PROJECT/" in failed.err


def test_ctrl_c_says_what_goes_on(life: Life) -> None:
    """The job goes on; the same command sees it end, and there is one pipeline."""
    words = (*CUSTOM, "dnn", "--max-minutes", "5")
    life.gate.unlink()
    process = life.begin(*words)
    said = until_said(process, "Training: running")
    stopped = interrupted(process)
    life.gate.touch()
    done = life.result(*words)

    assert stopped.code == 130
    assert f"The training {done['run']} goes on" in said + stopped.err
    assert pipeline_of(life, done["run"])["state"] == "PIPELINE_STATE_SUCCEEDED"


def test_two_at_once_are_one_if_the_same_and_two_if_not(life: Life) -> None:
    """Four commands at once on one data set: one pipeline for the same three, one for the other."""
    same = (*CUSTOM, "dnn_dropout", "--json")
    other = (*CUSTOM, "dnn_dropout", "--seed", "7", "--json")
    running = [life.begin(*same), life.begin(*same), life.begin(*other)]
    ended = [process.communicate(timeout=240) for process in running]
    results = [json.loads(out)["result"] for out, _ in ended]

    assert results[0]["run"] == results[1]["run"] != results[2]["run"]
    assert results[0]["model"] == results[1]["model"] != results[2]["model"]
    assert all(pipeline_of(life, one["run"]) for one in results)
