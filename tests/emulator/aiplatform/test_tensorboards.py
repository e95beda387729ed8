"""Tensorboards, experiments, runs and time series, by plain HTTP."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from tests.emulator.vertex import Body, Vertex, error


@pytest.fixture
def board(vertex: Vertex) -> str:
    """The name of a new tensorboard."""
    name: str = vertex.post(f"{vertex.parent}/tensorboards", {"displayName": "board"})["response"][
        "name"
    ]
    return name


@pytest.fixture
def run(vertex: Vertex, board: str) -> str:
    """The name of a run of a new experiment."""
    vertex.post(f"{board}/experiments?tensorboardExperimentId=exp")
    path = f"{board}/experiments/exp/runs?tensorboardRunId=run"
    name: str = vertex.post(path, {"displayName": "run"})["name"]
    return name


def series(vertex: Vertex, run: str, name: str, kind: str = "SCALAR") -> str:
    """The name of a new time series."""
    body = {"displayName": name, "valueType": kind}
    made: str = vertex.post(f"{run}/timeSeries?tensorboardTimeSeriesId={name}", body)["name"]
    return made


def write(vertex: Vertex, run: str, name: str, values: list[Body]) -> Any:
    """The answer to points written."""
    data = {"tensorboardTimeSeriesId": name, "values": values}
    return vertex.call("POST", f"{run}:write", {"timeSeriesData": [data]})


def scalars(*values: float, start: int = 0) -> list[Body]:
    """Points of rising steps."""
    return [
        {
            "step": str(start + place),
            "scalar": {"value": value},
            "wallTime": "2026-01-01T00:00:00Z",
        }
        for place, value in enumerate(values)
    ]


def test_points_are_written_by_step_read_and_exported(vertex: Vertex, run: str) -> None:
    """A later point of the same step replaces the earlier; pages and filters go by step."""
    name = series(vertex, run, "loss")
    assert write(vertex, run, "loss", scalars(3, 2, 1)).status_code == 200
    assert write(vertex, run, "loss", scalars(0.5, start=2)).status_code == 200

    data = vertex.get(f"{name}:read")["timeSeriesData"]
    page = vertex.post(f"{name}:exportTensorboardTimeSeries", {"pageSize": 2})
    more = {"pageSize": 2, "pageToken": page["nextPageToken"]}
    rest = vertex.post(f"{name}:exportTensorboardTimeSeries", more)
    late = vertex.post(f"{name}:exportTensorboardTimeSeries", {"filter": "step>=1"})

    assert [point["scalar"]["value"] for point in data["values"]] == [3, 2, 0.5]
    assert data["valueType"] == "SCALAR" and data["tensorboardTimeSeriesId"] == "loss"
    assert [point["step"] for point in page["timeSeriesDataPoints"]] == ["0", "1"]
    assert [point["step"] for point in rest["timeSeriesDataPoints"]] == ["2"]
    assert len(late["timeSeriesDataPoints"]) == 2
    thin = vertex.get(f"{name}:read?maxDataPoints=2")["timeSeriesData"]["values"]
    assert [point["step"] for point in thin] == ["0", "2"]
    metadata = vertex.get(name)["metadata"]
    assert metadata == {"maxStep": "2", "maxWallTime": "2026-01-01T00:00:00Z"}
    board = run.split("/experiments/")[0]
    assert int(vertex.get(f"{board}:readSize")["storageSizeByte"]) > 0
    assert vertex.get(board)["runCount"] == 1


def test_a_batch_is_all_or_nothing(vertex: Vertex, board: str, run: str) -> None:
    """Of runs with a taken id none is made; data of several runs is one write."""
    experiment = f"{board}/experiments/exp"
    wanted = [
        {"tensorboardRunId": one, "tensorboardRun": {"displayName": one}} for one in ("a", "run")
    ]
    taken = vertex.call("POST", f"{experiment}/runs:batchCreate", {"requests": wanted})
    assert error(taken)[:2] == (409, "ALREADY_EXISTS")
    assert len(vertex.get(f"{experiment}/runs")["tensorboardRuns"]) == 1

    made = vertex.post(f"{experiment}/runs:batchCreate", {"requests": wanted[:1]})
    one = {"displayName": "loss", "valueType": "SCALAR"}
    requests = [{"parent": run, "tensorboardTimeSeries": one}]
    (new,) = vertex.post(f"{experiment}:batchCreate", {"requests": requests})[
        "tensorboardTimeSeries"
    ]
    data = {"tensorboardTimeSeriesId": new["name"].rsplit("/", 1)[1], "values": scalars(1)}
    body = [{"tensorboardRun": run, "timeSeriesData": [data]}]
    vertex.post(f"{experiment}:write", {"writeRunDataRequests": body})

    assert made["tensorboardRuns"][0]["name"].endswith("/runs/a")
    read = vertex.get(f"{board}:batchRead?timeSeries={new['name']}")["timeSeriesData"]
    assert read[0]["values"][0]["scalar"] == {"value": 1.0}


def test_blobs_are_objects_of_the_tensorboards_bucket(vertex: Vertex, run: str) -> None:
    """Bytes sent with a point come back by their id, as a stream of one message."""
    name = series(vertex, run, "images", "BLOB_SEQUENCE")
    data = base64.b64encode(b"picture").decode()
    point = {"step": "0", "blobs": {"values": [{"id": "one", "data": data}]}}
    assert write(vertex, run, "images", [point]).status_code == 200

    (message,) = vertex.call("GET", f"{name}:readBlobData").json()
    missing = vertex.call("GET", f"{name}:readBlobData?blobIds=none")

    assert message["blobs"] == [{"id": "one", "data": data}]
    assert vertex.get(name)["metadata"]["maxBlobSequenceLength"] == "1"
    assert missing.status_code == 404


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ([{"step": "1", "tensor": {"value": ""}}], "time_series_data.values"),
        (scalars(*range(5001)), "time_series_data"),
    ],
)
def test_points_that_are_refused(vertex: Vertex, run: str, values: list[Body], field: str) -> None:
    """Another type than the time series has, more than 5000 at once: and nothing is written."""
    name = series(vertex, run, "loss")

    answer = write(vertex, run, "loss", [*scalars(1), *values])

    assert error(answer)[:2] == (400, "INVALID_ARGUMENT")
    violations = answer.json()["error"]["details"][0]["fieldViolations"]
    assert violations[0]["field"] == field
    assert "values" not in vertex.get(f"{name}:read")["timeSeriesData"]


def test_deleting_takes_everything_inside(vertex: Vertex, board: str, run: str) -> None:
    """Runs go with their experiment, and an experiment of the same name begins empty."""
    series(vertex, run, "loss")
    write(vertex, run, "loss", scalars(1, 2))

    deleted = vertex.call("DELETE", f"{board}/experiments/exp").json()
    vertex.post(f"{board}/experiments?tensorboardExperimentId=exp")

    assert deleted["done"] and deleted["response"]["@type"].endswith("protobuf.Empty")
    assert vertex.get(f"{board}/experiments/exp/runs") == {}
    assert vertex.get(f"{board}:readSize")["storageSizeByte"] == "0"


def test_one_tensorboard_is_the_default(vertex: Vertex, board: str) -> None:
    """Making another the default ends the first; the SDK finds it by a filter."""
    parent = f"{vertex.parent}/tensorboards"
    first = vertex.post(parent, {"displayName": "a", "isDefault": True})["response"]["name"]
    answer = vertex.call("PATCH", f"{board}?updateMask=isDefault", {"isDefault": True})
    assert answer.json()["response"]["isDefault"]

    (found,) = vertex.get(f"{parent}?filter=is_default=true")["tensorboards"]

    assert found["name"] == board
    assert "isDefault" not in vertex.get(first)


def test_experiments_and_runs_are_changed(vertex: Vertex, board: str, run: str) -> None:
    """What is named TensorboardRun lies in `runs`: an update finds it, and no other collection."""
    for name in (f"{board}/experiments/exp", run, series(vertex, run, "loss")):
        answer = vertex.call("PATCH", f"{name}?updateMask=description", {"description": "new"})

        assert answer.json()["description"] == "new", answer.text
