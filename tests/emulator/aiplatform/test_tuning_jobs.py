"""Hyper-parameter tuning jobs: what is refused, what the trials get and tell, how a job ends."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.emulator.custom import ended, log
from tests.emulator.tuning import (
    RATE,
    UNITS,
    begin_tuning,
    parameters,
    study,
    tuned,
    tuning_engines,
    tuning_job,
)
from tests.emulator.vertex import Body, Vertex, error
from tests.local_cloud import LocalCloud, running_cloud, wait_until


@pytest.fixture(scope="module")
def tuning_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """One server for all tests of tuning jobs."""
    with running_cloud(tmp_path_factory.mktemp("tuning") / "data", *tuning_engines()) as cloud:
        yield cloud


@pytest.fixture
def tuning(tuning_server: LocalCloud) -> Vertex:
    """An empty project of it."""
    return Vertex(tuning_server.url, f"project-{uuid4().hex[:10]}")


def states(job: Body) -> list[str]:
    """The states of a job's trials."""
    return [trial["state"] for trial in job.get("trials", [])]


def test_trials_run_and_their_metric_is_read(tuning: Vertex) -> None:
    """Each trial is a custom job with its parameters as arguments; its last report counts."""
    bucket = tuning.bucket(f"bucket-{uuid4().hex[:10]}")
    args = ("--report=units", "--report=units*rate")

    job = tuned(tuning, tuning_job(study(), *args, base=f"gs://{bucket}/tuning"))

    assert job["state"] == "JOB_STATE_SUCCEEDED", job
    assert {"createTime", "startTime", "endTime"} <= job.keys()
    assert states(job) == ["SUCCEEDED"] * 3
    assert [trial["id"] for trial in job["trials"]] == ["1", "2", "3"]
    for trial in job["trials"]:
        given = parameters(trial)
        assert 0.0001 <= given["rate"] <= 1
        assert given["units"] in (1, 2, 3, 4)
        final = trial["finalMeasurement"]
        assert final["stepCount"] == "2"
        (metric,) = final["metrics"]
        assert metric["metricId"] == "accuracy"
        assert metric["value"] == pytest.approx(given["rate"] * given["units"])
        assert [one["stepCount"] for one in trial["measurements"]] == ["1", "2"]
        own = tuning.get(trial["customJob"])
        (pool,) = own["jobSpec"]["workerPoolSpecs"]
        said = pool["containerSpec"]["args"]
        assert said == [*args, f"--rate={given['rate']}", f"--units={given['units']}"]
        output = own["jobSpec"]["baseOutputDirectory"]["outputUriPrefix"]
        assert output == f"gs://{bucket}/tuning/{trial['id']}"
        assert log(tuning, trial["customJob"], 'textPayload:"accuracy is"')


def test_no_more_trials_run_than_may_at_once(tuning: Vertex, tuning_server: LocalCloud) -> None:
    """Two are active until one ends; a third begins only then."""
    gate = f"gate-{uuid4().hex[:8]}"
    name = begin_tuning(tuning, tuning_job(study(), f"--wait={gate}", "--report=units"))
    wait_until(lambda: states(tuning.get(name)) == ["ACTIVE", "ACTIVE"])
    assert tuning.get(name)["state"] == "JOB_STATE_RUNNING"

    (tuning_server.data / "jobs" / gate).touch()
    job = ended(tuning, name)

    assert states(job) == ["SUCCEEDED"] * 3
    first_ends = min(trial["endTime"] for trial in job["trials"][:2])
    assert tuning.get(job["trials"][2]["customJob"])["createTime"] >= first_ends


def test_cancelling_ends_every_trial(tuning: Vertex) -> None:
    """The job and its custom jobs are cancelled, and only then it can be deleted."""
    name = begin_tuning(tuning, tuning_job(study(), "--report=1", "--hold-if=True"))
    wait_until(lambda: states(tuning.get(name)) == ["ACTIVE", "ACTIVE"])
    refused = tuning.call("DELETE", name)

    tuning.post(f"{name}:cancel")
    job = ended(tuning, name)

    assert error(refused)[:2] == (400, "FAILED_PRECONDITION")
    assert (job["state"], job["error"]["code"]) == ("JOB_STATE_CANCELLED", 1)
    assert states(job) == ["INFEASIBLE"] * 2
    jobs = [tuning.get(trial["customJob"])["state"] for trial in job["trials"]]
    assert jobs == ["JOB_STATE_CANCELLED"] * 2
    assert tuning.call("DELETE", name).json()["done"]
    assert tuning.call("GET", name).status_code == 404


def test_the_first_failed_trial_fails_a_job_without_a_limit(tuning: Vertex) -> None:
    """Its error tells the trial, its parameters and what it said; the other trial is ended."""
    body = tuning_job(study(), "--fail-if=trial==1", "--hold-if=True")

    job = tuned(tuning, body)

    assert job["state"] == "JOB_STATE_FAILED"
    assert "Trial #1 Failed before any other successful trials" in job["error"]["message"]
    assert f"units={parameters(job['trials'][0])['units']}" in job["error"]["message"]
    assert "exited with a non-zero status of 3" in job["trials"][0]["infeasibleReason"]
    assert states(job)[0] == "INFEASIBLE"


def test_as_many_trials_may_fail_as_are_allowed(tuning: Vertex) -> None:
    """With a limit of two one failure does no harm, two do."""
    good = tuned(
        tuning,
        tuning_job(study(), "--fail-if=trial==1", "--report=1", maxFailedTrialCount=2),
    )
    bad = tuned(
        tuning,
        tuning_job(study(), "--fail-if=trial<3", "--report=1", trials=4, maxFailedTrialCount=2),
    )

    assert good["state"] == "JOB_STATE_SUCCEEDED"
    assert sorted(states(good)) == ["INFEASIBLE", "SUCCEEDED", "SUCCEEDED"]
    assert bad["state"] == "JOB_STATE_FAILED"
    assert bad["error"]["message"].startswith("2 trials have failed.")


def test_a_trial_without_its_metric_is_infeasible(tuning: Vertex) -> None:
    """It ended well and told of another metric only."""
    job = tuned(tuning, tuning_job(study(), "--metric=loss", "--report=1", trials=1))

    assert states(job) == ["INFEASIBLE"]
    assert "accuracy" in job["trials"][0]["infeasibleReason"]


def test_a_grid_is_walked_in_order_and_then_over(tuning: Vertex) -> None:
    """Five points, though ten trials were asked for; `units` only where it is active."""
    cnn = {"parentCategoricalValues": {"values": ["cnn"]}, "parameterSpec": UNITS}
    model = {
        "parameterId": "model",
        "categoricalValueSpec": {"values": ["cnn", "linear"]},
        "conditionalParameterSpecs": [cnn],
    }
    spec = study(model, algorithm="GRID_SEARCH")

    job = tuned(tuning, tuning_job(spec, "--report=1", trials=10, parallelTrialCount=3))

    assert job["state"] == "JOB_STATE_SUCCEEDED"
    found = [parameters(trial) for trial in job["trials"]]
    assert found == [{"model": "cnn", "units": n} for n in (1, 2, 3, 4)] + [{"model": "linear"}]


def test_the_best_measurement_counts_where_it_is_asked_for(tuning: Vertex) -> None:
    """With MINIMIZE the least of three; the last of them otherwise."""
    args = ("--report=3", "--report=1", "--report=2")
    metrics = [{"metricId": "accuracy", "goal": "MINIMIZE"}]
    best = study(metrics=metrics, measurementSelectionType="BEST_MEASUREMENT")

    finals = [
        tuned(tuning, tuning_job(spec, *args, trials=1))["trials"][0]["finalMeasurement"]
        for spec in (best, study(metrics=metrics))
    ]

    assert [(one["metrics"][0]["value"], one["stepCount"]) for one in finals] == [
        (1, "2"),
        (2, "3"),
    ]


def test_several_metrics_are_kept_together(tuning: Vertex) -> None:
    """A measurement has both, in whatever order they came."""
    spec = study()
    spec["metrics"].append({"metricId": "size", "goal": "MINIMIZE"})

    job = tuned(tuning, tuning_job(spec, "--report=0.5", "--metric=size", "--report=7"))

    assert states(job) == ["SUCCEEDED"] * 3
    metrics = job["trials"][0]["finalMeasurement"]["metrics"]
    assert metrics == [{"metricId": "accuracy", "value": 0.5}, {"metricId": "size", "value": 7}]


def test_the_median_rule_stops_a_hopeless_trial(tuning: Vertex) -> None:
    """It is below what the first trial had by then: stopped, and judged by what it reported."""
    spec = study(medianAutomatedStoppingSpec={})
    args = ("--report=1/trial", "--hold-if=trial==2")

    job = tuned(tuning, tuning_job(spec, *args, trials=2, parallelTrialCount=1))

    assert (job["state"], states(job)) == ("JOB_STATE_SUCCEEDED", ["SUCCEEDED"] * 2)
    assert job["trials"][1]["finalMeasurement"]["metrics"][0]["value"] == 0.5
    assert tuning.get(job["trials"][1]["customJob"])["state"] == "JOB_STATE_CANCELLED"


def test_a_study_without_progress_ends(tuning: Vertex) -> None:
    """Two trials no better than the first are enough, though nine were asked for."""
    spec = study(studyStoppingConfig={"maxNumTrialsNoProgress": 2})

    job = tuned(tuning, tuning_job(spec, "--report=1/trial", trials=9, parallelTrialCount=1))

    assert (job["state"], len(job["trials"])) == ("JOB_STATE_SUCCEEDED", 3)


def test_trials_are_billed_one_by_one(tuning: Vertex) -> None:
    """Each for its own machine and time, with the job's labels."""
    job = tuned(tuning, tuning_job(study(), "--report=1", labels={"team": "a"}))

    rows = httpx.get(f"{tuning.url}/_emulator/usage").json()["usage"]

    billed = {row["resource"]: row for row in rows}
    for trial in job["trials"]:
        assert billed[trial["customJob"]]["labels"] == {"team": "a"}
        assert billed[trial["customJob"]]["sku"].endswith("n1-standard-4")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"maxTrialCount": 0}, "max_trial_count; Message: Required"),
        ({"maxTrialCount": -1}, "max_trial_count; Message: Must be at least 1"),
        ({"studySpec": {"metrics": [], "parameters": [UNITS]}}, "study_spec.metrics; Message: At"),
        ({"studySpec": study(UNITS, UNITS)}, 'The parameter_id "units" is not unique'),
        ({"studySpec": study({"parameterId": "a b"})}, "must not contain whitespaces"),
        ({"studySpec": study({"parameterId": "a"})}, "One of the value specs must be specified"),
        ({"studySpec": study(RATE, algorithm="GRID_SEARCH")}, "parameters[0].double_value_spec"),
        (
            {"studySpec": study({**UNITS, "integerValueSpec": {"minValue": 2, "maxValue": 1}})},
            "min_value 2 must not be greater than max_value 1",
        ),
        (
            {"studySpec": study({**RATE, "doubleValueSpec": {"maxValue": 1}})},
            "must be strictly positive for UNIT_LOG_SCALE",
        ),
        (
            {"studySpec": study({"parameterId": "a", "discreteValueSpec": {"values": [2, 1]}})},
            "must be in increasing order",
        ),
        (
            {"studySpec": study({"parameterId": "a", "discreteValueSpec": {"values": ["NaN"]}})},
            "The values must be finite",
        ),
        (
            {"studySpec": study({"parameterId": "a", "doubleValueSpec": {"maxValue": "Infinity"}})},
            "The values must be finite",
        ),
        ({"trialJobSpec": {}}, "trial_job_spec.worker_pool_specs; Message: At least one"),
        ({"studySpec": {"colour": 1}}, 'Unknown name "colour"'),
    ],
)
def test_what_google_would_refuse_is_refused(tuning: Vertex, change: Body, message: str) -> None:
    """400 with the field and what is wrong with it, before anything starts."""
    body = tuning_job(study()) | change

    answer = tuning.call("POST", f"{tuning.parent}/hyperparameterTuningJobs", body)

    assert error(answer)[:2] == (400, "INVALID_ARGUMENT")
    assert message in error(answer)[2]


@pytest.mark.parametrize(
    "change",
    [{"decayCurveStoppingSpec": {}}, {"convexAutomatedStoppingSpec": {}}],
)
def test_a_stopping_rule_that_is_not_there_is_named(tuning: Vertex, change: dict[str, Any]) -> None:
    """501, not a job that silently goes on."""
    body = tuning_job(study(**change))

    answer = tuning.call("POST", f"{tuning.parent}/hyperparameterTuningJobs", body)

    assert error(answer)[:2] == (501, "UNIMPLEMENTED")
    assert "_stopping_spec" in json.loads(answer.text)["error"]["message"]
