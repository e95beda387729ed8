"""Tuning jobs, pipelines and schedules by Google's high-level SDK."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.contract.sdk import initialise, lead_resource_manager
from tests.emulator.custom import IMAGE, content, objects
from tests.emulator.pipelines import STRING, Pipeline, pipeline_engines
from tests.emulator.tuning import tuning_engines
from tests.emulator.vertex import Vertex
from tests.local_cloud import LocalCloud, running_cloud

OUT = "{{$.outputs.parameters['Output'].output_file}}"


@pytest.fixture(scope="module")
def jobs_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """A server that knows the images of the trials and of the steps."""
    folder = tmp_path_factory.mktemp("sdk-jobs") / "data"
    with running_cloud(folder, *tuning_engines(), *pipeline_engines()) as server:
        yield server


@pytest.fixture
def project(jobs_server: LocalCloud) -> Vertex:
    """A new project by plain HTTP."""
    return Vertex(jobs_server.url, f"sdk-{uuid4().hex[:10]}")


@pytest.fixture
def sdk(
    jobs_server: LocalCloud,
    project: Vertex,
    monkeypatch: pytest.MonkeyPatch,
    only_this_machine: list[str],
) -> Any:
    """google.cloud.aiplatform in the new project, with a staging bucket of its own."""
    assert only_this_machine == []
    bucket = project.bucket(f"{project.project}-staging")
    lead_resource_manager(jobs_server, monkeypatch)
    return initialise(
        jobs_server, monkeypatch, project=project.project, staging_bucket=f"gs://{bucket}"
    )


def test_a_tuning_job_finds_its_trials(sdk: Any) -> None:
    """`HyperparameterTuningJob.run`: parameters, metrics, the trials in the end."""
    from google.cloud.aiplatform import hyperparameter_tuning as hpt

    pool = {
        "machine_spec": {"machine_type": "n1-standard-4"},
        "replica_count": 1,
        "container_spec": {"image_uri": IMAGE, "args": ["--report=units*rate"]},
    }
    job = sdk.HyperparameterTuningJob(
        display_name="tune",
        custom_job=sdk.CustomJob(display_name="trial", worker_pool_specs=[pool]),
        metric_spec={"accuracy": "maximize"},
        parameter_spec={
            "rate": hpt.DoubleParameterSpec(min=0.001, max=1, scale="log"),
            "units": hpt.IntegerParameterSpec(min=1, max=4, scale="linear"),
        },
        max_trial_count=3,
        parallel_trial_count=2,
        search_algorithm="random",
    )

    job.run()

    assert job.state.name == "JOB_STATE_SUCCEEDED"
    assert [trial.state.name for trial in job.trials] == ["SUCCEEDED"] * 3
    for trial in job.trials:
        given = {one.parameter_id: one.value for one in trial.parameters}
        (metric,) = trial.final_measurement.metrics
        assert metric.value == pytest.approx(given["units"] * given["rate"])
    (found,) = sdk.HyperparameterTuningJob.list(filter="state=JOB_STATE_SUCCEEDED")
    assert found.resource_name == job.resource_name
    job.delete()


def compiled(folder: Path) -> str:
    """A compiled pipeline of one step that writes its parameter."""
    pipeline = Pipeline(greeting="STRING")
    pipeline.step(
        "say",
        *("write", OUT, "{{$.inputs.parameters['greeting']}} there"),
        inputs={"parameters": {"greeting": {"componentInputParameter": "greeting"}}},
        parameters={"Output": STRING},
    )
    file = folder / "pipeline.json"
    file.write_text(json.dumps(pipeline.spec()))
    return str(file)


def test_a_pipeline_is_submitted_waited_for_and_found(
    sdk: Any, project: Vertex, tmp_path: Path
) -> None:
    """`PipelineJob.submit`, `wait`, `list`, `delete`; the parameter reaches the step."""
    root = project.bucket(f"{project.project}-root")
    job = sdk.PipelineJob(
        display_name="greet",
        template_path=compiled(tmp_path),
        pipeline_root=f"gs://{root}/runs",
        parameter_values={"greeting": "hello"},
        enable_caching=False,
        labels={"team": "a"},
    )

    job.submit()
    job.wait()

    assert job.state.name == "PIPELINE_STATE_SUCCEEDED"
    states = {one.task_name: one.state.name for one in job.task_details}
    assert states["say"] == "SUCCEEDED"
    (found,) = sdk.PipelineJob.list(filter='labels.team=a AND display_name:"gr*"')
    assert found.resource_name == job.resource_name
    (written,) = [name for name in objects(project, root, "runs/") if name.endswith("/Output")]
    assert content(project, root, written) == "hello there"
    job.delete()
    assert sdk.PipelineJob.list() == []


def test_a_pipeline_is_a_run_of_an_experiment(sdk: Any, project: Vertex, tmp_path: Path) -> None:
    """`submit(experiment=…)`: its parameters and its end are a row of the experiment's table."""
    root = project.bucket(f"{project.project}-root")
    sdk.init(experiment="pipeline-experiment", experiment_tensorboard=False)
    job = sdk.PipelineJob(
        display_name="greet",
        template_path=compiled(tmp_path),
        pipeline_root=f"gs://{root}/runs",
        parameter_values={"greeting": "hello"},
    )

    job.submit(experiment="pipeline-experiment")
    job.wait()

    (row,) = sdk.get_experiment_df("pipeline-experiment").to_dict("records")
    assert row["run_type"] == "system.PipelineRun" and row["run_name"] == job.job_id
    assert row["param.greeting"] == "hello" and row["state"] == "COMPLETE"
    assert job.get_associated_experiment().name == "pipeline-experiment"


def test_a_pipeline_is_scheduled_paused_and_removed(
    sdk: Any, project: Vertex, tmp_path: Path
) -> None:
    """`PipelineJob.create_schedule`, pause, resume, list, delete."""
    root = project.bucket(f"{project.project}-root")
    job = sdk.PipelineJob(
        display_name="greet",
        template_path=compiled(tmp_path),
        pipeline_root=f"gs://{root}/runs",
        parameter_values={"greeting": "hello"},
    )

    schedule = job.create_schedule(display_name="yearly", cron="0 0 1 1 *", max_run_count=2)
    schedule.pause()
    paused = schedule.state.name
    schedule.resume()

    assert paused == "PAUSED" and schedule.state.name == "ACTIVE"
    (found,) = sdk.PipelineJobSchedule.list(filter='display_name="yearly"')
    assert found.resource_name == schedule.resource_name
    schedule.delete()
    assert sdk.PipelineJobSchedule.list() == []
