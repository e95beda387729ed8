"""Google's high-level SDK, unmodified, trains custom models against the emulator started alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.contract.sdk import initialise
from tests.emulator.custom import IMAGE, content, custom_engines, log
from tests.emulator.vertex import Vertex
from tests.local_cloud import LocalCloud, running_cloud

PROJECT = "sdk-custom"
BUCKET = "sdk-custom-runs"
SCRIPT = """
import os, pathlib, sys
folder = pathlib.Path(os.environ["GCS_MOUNT"], os.environ["AIP_MODEL_DIR"][5:])
folder.mkdir(parents=True)
(folder / "arguments.txt").write_text(" ".join(sys.argv[1:]))
print("trained")
"""


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """A server that knows the image and runs uploaded packages."""
    folder = tmp_path_factory.mktemp("sdk-custom") / "data"
    with running_cloud(folder, *custom_engines(), "--run-user-code") as server:
        Vertex(server.url, PROJECT).bucket(BUCKET)
        yield server


@pytest.fixture
def vertex(cloud: LocalCloud) -> Vertex:
    """The same project by plain HTTP, as a second witness."""
    return Vertex(cloud.url, PROJECT)


@pytest.fixture
def sdk(cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch, only_this_machine: list[str]) -> Any:
    """google.cloud.aiplatform, sent to the local cloud as its `env` file says."""
    assert only_this_machine == []
    return initialise(cloud, monkeypatch, project=PROJECT, staging_bucket=f"gs://{BUCKET}")


def test_a_container_training_job_leaves_a_model(sdk: Any, vertex: Vertex) -> None:
    """`CustomContainerTrainingJob.run` with an image data set returns the registered model."""
    dataset = vertex.filled_dataset(vertex.bucket("sdk-custom-photos"))
    job = sdk.CustomContainerTrainingJob(
        display_name="container",
        container_uri=IMAGE,
        model_serving_container_image_uri=IMAGE,
        model_serving_container_predict_route="/predict",
        model_serving_container_health_route="/health",
    )
    base = f"gs://{BUCKET}/container"

    model = job.run(
        sdk.ImageDataset(dataset),
        annotation_schema_uri=sdk.schema.dataset.annotation.image.classification,
        model_display_name="mine",
        args=["write", f"{base}/model/labels.txt", "cat", "say", "hello"],
        environment_variables={"COLOUR": "red"},
        base_output_dir=base,
        machine_type="n1-standard-4",
        training_fraction_split=0.8,
        validation_fraction_split=0.1,
        test_fraction_split=0.1,
        timeout=600,
    )

    assert model.display_name == "mine"
    assert model.uri == f"{base}/model" and content(vertex, BUCKET, "container/model/labels.txt")
    assert model.version_id == "1" and model.container_spec.image_uri == IMAGE
    (backing,) = sdk.CustomJob.list(filter='display_name="container-custom-job"')
    assert backing.state.name == "JOB_STATE_SUCCEEDED"
    assert any(one.get("textPayload") == "hello" for one in log(vertex, backing.resource_name))


def test_a_custom_job_runs_and_its_failure_is_raised(sdk: Any) -> None:
    """`CustomJob.run` returns, or raises with the error of the job."""
    pool = {
        "machine_spec": {"machine_type": "n1-standard-4"},
        "replica_count": 1,
        "container_spec": {"image_uri": IMAGE, "args": ["say", "x"]},
    }
    good = sdk.CustomJob(display_name="good", worker_pool_specs=[pool])
    good.run(timeout=60)
    failing = {**pool, "container_spec": {"image_uri": IMAGE, "args": ["raise", "no luck"]}}
    bad = sdk.CustomJob(display_name="bad", worker_pool_specs=[failing])

    with pytest.raises(RuntimeError, match="exited with a non-zero status of 1"):
        bad.run()

    assert good.state.name == "JOB_STATE_SUCCEEDED"
    assert good.start_time is not None and good.end_time >= good.start_time
    assert bad.error.code == 3
    bad.delete()
    assert [one.display_name for one in sdk.CustomJob.list()].count("bad") == 0


def test_a_job_is_cancelled(sdk: Any) -> None:
    """`submit` comes back at once; `cancel` ends the job."""
    pool = {
        "machine_spec": {"machine_type": "n1-standard-4"},
        "replica_count": 1,
        "container_spec": {"image_uri": IMAGE, "args": ["sleep", "60"]},
    }
    job = sdk.CustomJob(display_name="long", worker_pool_specs=[pool])
    job.submit()

    job.cancel()

    with pytest.raises(RuntimeError):
        job._block_until_complete()
    assert job.state.name == "JOB_STATE_CANCELLED"


def test_a_script_is_packaged_uploaded_and_run(sdk: Any, vertex: Vertex, tmp_path: Path) -> None:
    """`CustomTrainingJob.run` makes a package of a local script; the server runs it."""
    script = tmp_path / "task.py"
    script.write_text(SCRIPT)
    job = sdk.CustomTrainingJob(
        display_name="script",
        script_path=str(script),
        container_uri="us-docker.pkg.dev/vertex-ai/training/tf-cpu.2-17.py310:latest",
        model_serving_container_image_uri=IMAGE,
    )

    model = job.run(
        model_display_name="scripted",
        args=["--epochs", "3"],
        base_output_dir=f"gs://{BUCKET}/script",
    )

    assert model.uri == f"gs://{BUCKET}/script/model"
    assert content(vertex, BUCKET, "script/model/arguments.txt") == "--epochs 3"


def test_a_script_runs_as_a_custom_job(sdk: Any, vertex: Vertex, tmp_path: Path) -> None:
    """`CustomJob.from_local_script` stages the script, and the job runs it."""
    script = tmp_path / "task.py"
    script.write_text(SCRIPT)
    job = sdk.CustomJob.from_local_script(
        display_name="local-script",
        script_path=str(script),
        container_uri="us-docker.pkg.dev/vertex-ai/training/tf-cpu.2-17.py310:latest",
        args=["--epochs", "5"],
        base_output_dir=f"gs://{BUCKET}/local-script",
    )

    job.run(timeout=60)

    assert content(vertex, BUCKET, "local-script/model/arguments.txt") == "--epochs 5"


def test_a_job_is_of_an_experiments_run(sdk: Any) -> None:
    """`CustomJob.run(experiment=…)`: the job names the run, whose end is its own."""
    sdk.init(experiment="job-experiment", experiment_tensorboard=False)
    pool = {
        "machine_spec": {"machine_type": "n1-standard-4"},
        "replica_count": 1,
        "container_spec": {"image_uri": IMAGE, "args": ["say", "x"]},
    }
    job = sdk.CustomJob(display_name="tracked", worker_pool_specs=[pool])

    sdk.ExperimentRun.create("first-run", experiment="job-experiment")

    job.run(experiment="job-experiment", experiment_run="first-run")

    run = sdk.ExperimentRun("first-run", experiment="job-experiment")
    assert run.get_state() == "COMPLETE"
    assert job.gca_resource.job_spec.experiment_run.endswith("/job-experiment-first-run")
