"""TensorBoard and experiments of Google's high-level SDK."""

from __future__ import annotations

from typing import Any

import pytest

from tests.emulator.vertex import Vertex


def test_an_experiment_is_logged_and_read_as_a_table(sdk_flow: Any, plain: Vertex) -> None:
    """`init(experiment=…)`, parameters, metrics, time series; `get_experiment_df` has them all."""
    sdk_flow.init(experiment="first-experiment")
    for number in (1, 2):
        with sdk_flow.start_run(f"run-{number}"):
            sdk_flow.log_params({"rate": 0.1 * number, "optimizer": "sgd"})
            sdk_flow.log_metrics({"accuracy": 0.5 + 0.1 * number})
            for step in range(1, 4):
                sdk_flow.log_time_series_metrics({"loss": 1.0 / step}, step=step)

    table = sdk_flow.get_experiment_df("first-experiment")

    rows = {row["run_name"]: row for row in table.to_dict("records")}
    assert set(rows) == {"run-1", "run-2"}
    assert rows["run-2"]["param.rate"] == pytest.approx(0.2)
    assert rows["run-1"]["param.optimizer"] == "sgd"
    assert rows["run-1"]["metric.accuracy"] == pytest.approx(0.6)
    assert rows["run-1"]["time_series_metric.loss"] == pytest.approx(1 / 3)
    assert rows["run-1"]["state"] == "COMPLETE"
    run = sdk_flow.ExperimentRun("run-1", experiment="first-experiment")
    frame = run.get_time_series_data_frame()
    assert list(frame["loss"]) == pytest.approx([1, 1 / 2, 1 / 3])
    found = plain.get(f"{plain.parent}/tensorboards?filter=is_default=true")
    assert len(found["tensorboards"]) == 1


def test_a_run_goes_on_and_an_experiment_is_deleted(sdk_flow: Any) -> None:
    """A run is resumed; names are taken; deleting an experiment takes its runs."""
    sdk_flow.init(experiment="short-experiment", experiment_tensorboard=False)
    with sdk_flow.start_run("run-a"):
        sdk_flow.log_params({"epochs": 3})
    with sdk_flow.start_run("run-a", resume=True):
        sdk_flow.log_metrics({"loss": 0.25})
        run = sdk_flow.ExperimentRun("run-a", experiment="short-experiment")
        run.log_classification_metrics(
            labels=["cat", "dog"], matrix=[[3, 1], [0, 4]], display_name="matrix"
        )
        with sdk_flow.start_execution(
            schema_title="system.ContainerExecution", display_name="train"
        ) as execution:
            model = sdk_flow.Artifact.create(schema_title="system.Model", uri="gs://b/model")
            execution.assign_output_artifacts([model])

    assert run.get_params() == {"epochs": 3} and run.get_metrics() == {"loss": 0.25}
    assert run.get_classification_metrics()[0]["display_name"] == "matrix"
    assert [one.name for one in execution.get_output_artifacts()] == [model.name]
    assert sdk_flow.Artifact.get_with_uri("gs://b/model").name == model.name
    experiment = sdk_flow.Experiment("short-experiment")
    experiment.delete()
    assert "short-experiment" not in [one.name for one in sdk_flow.Experiment.list()]
    assert sdk_flow.Experiment.get("short-experiment") is None


def test_a_tensorboard_its_runs_and_its_points(sdk_flow: Any) -> None:
    """Every class of `aiplatform.Tensorboard…`, created, listed, written, read, deleted."""
    from google.protobuf.timestamp_pb2 import Timestamp

    board = sdk_flow.Tensorboard.create(display_name="board", labels={"team": "a"})
    experiment = sdk_flow.TensorboardExperiment.create(
        tensorboard_experiment_id="photos", tensorboard_name=board.resource_name
    )
    run = sdk_flow.TensorboardRun.create(
        tensorboard_run_id="one", tensorboard_experiment_name=experiment.resource_name
    )
    series = sdk_flow.TensorboardTimeSeries.create(
        display_name="loss", tensorboard_run_name=run.resource_name
    )
    run._sync_time_series_display_name_to_id_mapping()
    for step, loss in ((1, 0.5), (2, 0.25)):
        run.write_tensorboard_scalar_data({"loss": loss}, step=step, wall_time=Timestamp(seconds=9))

    data = run.read_time_series_data()

    assert [point.scalar.value for point in data["loss"].values] == [0.5, 0.25]
    assert series.display_name == "loss"
    board.update(description="changed", labels={"team": "b"})
    assert sdk_flow.Tensorboard(board.resource_name).gca_resource.labels["team"] == "b"
    listed = sdk_flow.TensorboardRun.list(tensorboard_experiment_name=experiment.resource_name)
    assert [one.display_name for one in listed] == ["one"]
    run.delete()
    board.delete()
    assert sdk_flow.Tensorboard.list() == []
