"""What is served is compared with the evaluation, and refused when it differs."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from tests.ops.life import PARENT, Life, living
from tests.ops.references import BUCKET, leave_reference, objects, put, read

SERVED_DIFFERS = 10
AUTOML = "default-photos-automl"


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    """A user with a trained model."""
    with living(tmp_path_factory.mktemp("check")) as found:
        found.result("train")
        yield found


@pytest.fixture
def run_of_model(life: Life) -> Iterator[str]:
    """The run of the model; nothing is deployed and no reference is left at the end."""
    run = life.result("evaluate", "--model", AUTOML)["run"]
    yield run
    life.result("undeploy")
    for name in objects(life, f"runs/{run}/batch/"):
        life.deleted(f"/storage/v1/b/{BUCKET}/o/{quote(name, safe='')}")


def events_of(life: Life, run: str) -> list[dict[str, Any]]:
    """What is on record of a run."""
    lines = read(life, f"runs/{run}/events.jsonl").decode().splitlines()
    return [json.loads(line) for line in lines]


def test_a_model_that_answers_as_evaluated_passes_and_is_checked_once(
    life: Life, run_of_model: str
) -> None:
    """The check is on record; deploying again only moves the end."""
    leave_reference(life, run_of_model)

    first = life.run("deploy", "--model", AUTOML, "--ttl", "30m")
    again = life.result("deploy", "--model", AUTOML, "--ttl", "30m")

    assert "\nCheck      passed: 3 photos answered as in gs://" in first.out
    assert (again["check"]["state"], again["check"]["same_label"]) == ("passed", 3)
    assert again["check"]["mean_difference"] < 1e-6
    recorded = [one["event"] for one in events_of(life, again["run"])]
    assert recorded == ["deployed", "checked", "extended"]


def test_a_model_that_answers_otherwise_is_taken_off_and_the_photos_are_named(
    life: Life, run_of_model: str
) -> None:
    """Exit code 10; nothing stays served or billed, and the next deployment begins anew."""
    leave_reference(life, run_of_model, turned=True)

    refused = life.run("deploy", "--model", AUTOML, "--ttl", "30m")
    in_json = life.run("deploy", "--model", AUTOML, "--ttl", "30m", "--json")

    assert refused.code == in_json.code == SERVED_DIFFERS
    assert "Error: What is served is not what was evaluated: of 3 photos 0 have" in refused.err
    assert "The model was undeployed." in refused.err
    assert "  gs://local-project-ops-default/images/" in refused.err
    assert in_json.json["error"]["code"] == "served-differs"
    assert life.listed("endpoints") == []
    deployments = [one for one in life.result("runs")["runs"] if one["kind"] == "deploy"]
    assert [one["state"] for one in deployments[-2:]] == ["failed", "failed"]
    check = deployments[-1]["result"]["check"]
    assert {one["reference"] for one in check["differing"]} == {"0", "red shoe", "t-shirt"}
    recorded = [one["event"] for one in events_of(life, deployments[-1]["run"])]
    assert recorded == ["deployed", "checked", "undeployed"]


def test_without_a_reference_it_is_not_checked_and_says_so(life: Life, run_of_model: str) -> None:
    """Google keeps no predictions of single photos of an AutoML model; a reference comes later."""
    before = life.run("deploy", "--model", AUTOML, "--ttl", "30m")
    leave_reference(life, run_of_model)
    after = life.result("deploy", "--model", AUTOML, "--ttl", "30m")

    assert "Check      not checked: Google keeps no predictions of an AutoML model" in before.out
    assert "Type: ops deploy --check" in before.out
    assert after["check"]["state"] == "passed"
    assert after["endpoint"].startswith(f"{PARENT}/endpoints/")


def test_a_custom_model_whose_file_was_swapped_is_refused(life: Life) -> None:
    """Another model's file where the served one is read from: undeployed, exit code 10."""
    trained = life.result("train", "--mode", "custom", "--model-type", "cnn")
    words = ("deploy", "--model", "default-photos-custom", "--ttl", "30m")
    name = f"runs/{trained['run']}/model/means.json"
    original = read(life, name).decode()
    means = json.loads(original)
    labels = list(means)

    whole = life.result(*words)
    life.result("undeploy")
    turned = zip(labels, [means[one] for one in labels[::-1]], strict=True)
    put(life, name, json.dumps(dict(turned)))
    swapped = life.run(*words)
    check = life.result("runs")["runs"][-1]["result"]["check"]
    left = life.listed("endpoints")
    put(life, name, original)
    mended = life.result(*words)
    life.result("undeploy")

    assert (whole["check"]["state"], mended["check"]["state"]) == ("passed", "passed")
    assert whole["machine"] == "n1-standard-2"
    assert swapped.code == SERVED_DIFFERS
    said = [(one["reference"], one["served"]) for one in check["differing"]]
    assert sorted(said) == [("0", "t-shirt"), ("t-shirt", "0")]
    assert all(f"  {one['uri']}: evaluated as " in swapped.err for one in check["differing"])
    assert left == []


def test_check_asks_a_batch_job_once_at_its_price(life: Life, run_of_model: str) -> None:
    """The answers serve the check of this deployment, of later ones, and the evaluation."""
    model = ("--model", AUTOML)
    first = life.run("deploy", *model, "--check", "--ttl", "30m")
    jobs = life.listed("batchPredictionJobs")
    life.result("undeploy")
    again = life.result("deploy", *model, "--check", "--ttl", "30m")
    evaluated = life.result("evaluate", *model)
    report = life.result("cost-report")["lines"]

    (asked,) = [one for one in report if one["note"].startswith("batch prediction of --check")]
    assert (asked["state"], asked["estimate_usd"]) == ("succeeded", 2.222)
    assert 0 < asked["cost"]["usd"] < 2.222
    assert first.code == 0, first.err
    assert "AutoML batch prediction: at most 1 node hour x $2.222 = $2.22 " in first.err
    assert f"passed: 3 photos answered as in gs://{BUCKET}/runs/{run_of_model}/batch/" in first.out
    assert "100.0% of its 3 photos are right, 100.0% by the evaluation" in first.out
    assert len(jobs) == len(life.listed("batchPredictionJobs")) == 1
    assert jobs[0]["modelParameters"] == {"confidenceThreshold": 0.0, "maxPredictions": 3}
    assert again["check"]["state"] == "passed"
    assert evaluated["predictions"].endswith(f"runs/{run_of_model}/batch/predictions.jsonl")


def test_check_is_refused_when_the_cap_leaves_less_than_it_needs(
    life: Life, run_of_model: str
) -> None:
    """The sum that it names is enough for both, and one cent less is not; nothing is begun."""
    words = ("deploy", "--model", AUTOML, "--check", "--ttl", "30m")

    refused = life.run(*words, "--max-cost", "0.70")
    nearly = life.run(*words, "--max-cost", "2.90")
    left = life.listed("endpoints")
    enough = life.run(*words, "--max-cost", "2.91")

    assert run_of_model
    assert refused.code == nearly.code == 5
    assert "Error: The time to live costs $0.69 (0.5 hours at $1.375) and the batch " in refused.err
    assert "together $2.91, more than the cap of $0.70.\n" in refused.err
    assert "Type a shorter --ttl, or --max-cost 2.91, or leave out --check\n" in nearly.err
    assert left == []
    assert enough.code == 0, enough.err


def test_a_second_model_is_announced_with_what_both_cost(life: Life, run_of_model: str) -> None:
    """Before anything is made: what is served, on which endpoint, and the sum."""
    assert run_of_model
    life.result("train", "--mode", "custom", "--model-type", "linear")
    first = life.result("deploy", "--model", AUTOML, "--ttl", "30m")
    second = life.run("deploy", "--model", "default-photos-custom", "--ttl", "30m")
    both = life.listed("endpoints")

    id = first["endpoint"].rpartition("/")[2]
    served = f"Served already: default-photos-automl@1 on endpoint {id}, $1.375 an hour, until 20"
    assert served in second.err
    assert "This makes another endpoint: together $1.484 an hour on Google. " in second.err
    assert f"To end the other: ops undeploy --endpoint {id}\n" in second.err
    assert len(both) == 2
