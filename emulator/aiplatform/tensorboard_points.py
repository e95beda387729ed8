"""Points of TensorBoard's time series: written by step, read, thinned, exported by the page."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

from emulator.aiplatform import listing, names, resources, tensorboard_blobs
from emulator.aiplatform.list_schemas import ListSchema
from emulator.aiplatform.refusals import bad_field
from emulator.aiplatform.tensorboard_nouns import EXPERIMENT, RUN, SERIES, TENSORBOARD
from emulator.cloud import Cloud
from emulator.errors import ApiError

Body = dict[str, Any]
# WriteTensorboardRunDataRequest.time_series_data: "The upper limit … is 5000."
MAX_POINTS = 5000
# The member of a point that each value type fills.
MEMBERS = {"SCALAR": "scalar", "TENSOR": "tensor", "BLOB_SEQUENCE": "blobs"}
KEY = "timeSeriesDataPoints"


def write_run_data(cloud: Cloud, request: Body) -> Body:
    """WriteTensorboardRunData: a point replaces that of the same step."""
    with cloud.store.transaction():
        _write(cloud, request["tensorboardRun"], request.get("timeSeriesData", []))
    return {}


def write_experiment_data(cloud: Cloud, request: Body) -> Body:
    """WriteTensorboardExperimentData: of several runs of one experiment, all or none."""
    experiment = request["tensorboardExperiment"]
    EXPERIMENT.require(cloud, experiment)
    sent = request.get("writeRunDataRequests", [])
    if any(not one.get("tensorboardRun", "").startswith(f"{experiment}/runs/") for one in sent):
        message = f"Must be a run of the experiment {experiment}."
        raise bad_field("write_run_data_requests.tensorboard_run", message)
    with cloud.store.transaction():
        for one in sent:
            _write(cloud, one["tensorboardRun"], one.get("timeSeriesData", []))
    return {}


def _write(cloud: Cloud, run: str, data: list[Body]) -> None:
    RUN.require(cloud, run)
    resources.require_fields("", {"timeSeriesData": data}, ("time_series_data",))
    count = sum(len(one.get("values", [])) for one in data)
    if count > MAX_POINTS:
        message = f"At most {MAX_POINTS} data points a request. Received: {count}."
        raise bad_field("time_series_data", message)
    for one in data:
        resources.require_fields("time_series_data", one, ("tensorboard_time_series_id",))
        series = SERIES.require(cloud, f"{run}/timeSeries/{one['tensorboardTimeSeriesId']}")
        _add(cloud, series, one)


def _add(cloud: Cloud, series: Body, data: Body) -> None:
    wanted = series["valueType"]
    if data.get("valueType", wanted) != wanted:
        message = f"The time series {series['name']} holds {wanted}."
        raise bad_field("time_series_data.value_type", message)
    member = MEMBERS[wanted]
    with cloud.store.transaction() as db:
        number = _number(db, series["name"])
        for point in data.get("values", []):
            if member not in point:
                message = f"Every point of a {wanted} time series has '{member}'."
                raise bad_field("time_series_data.values", message)
            value = point[member]
            if member == "blobs":
                value = tensorboard_blobs.stored(cloud, series["name"], value)
            db.execute(
                "INSERT OR REPLACE INTO tensorboard_points (series, step, wall_time, value, blobs)"
                " VALUES (?, ?, ?, ?, ?)",
                (
                    number,
                    int(point.get("step", 0)),
                    point.get("wallTime") or resources.now(cloud),
                    json.dumps({member: value}),
                    len(value.get("values", [])) if member == "blobs" else 0,
                ),
            )


def _number(db: sqlite3.Connection, name: str) -> int:
    row = db.execute("SELECT id FROM tensorboard_series WHERE name = ?", (name,)).fetchone()
    return int(row[0])


def described(cloud: Cloud, series: Body) -> Body:
    """A time series with `metadata`: the largest step, time and number of blobs of its points."""
    with cloud.store.read() as db:
        step, moment, blobs = db.execute(
            "SELECT MAX(step), MAX(wall_time), MAX(blobs) FROM tensorboard_points WHERE series = ?",
            (_number(db, series["name"]),),
        ).fetchone()
    if step is None:
        return series
    metadata = {"maxStep": str(step), "maxWallTime": moment}
    if blobs:
        metadata["maxBlobSequenceLength"] = str(blobs)
    return {**series, "metadata": metadata}


def _points(cloud: Cloud, name: str, after: int | None = None, limit: int = -1) -> list[Body]:
    """The points of a time series by step, from behind a step on."""
    with cloud.store.read() as db:
        rows = db.execute(
            "SELECT step, wall_time, value FROM tensorboard_points"
            " WHERE series = ? AND (?2 IS NULL OR step > ?2) ORDER BY step LIMIT ?3",
            (_number(db, name), after, limit),
        ).fetchall()
    return [
        {"step": str(step), "wallTime": moment, **json.loads(value)} for step, moment, value in rows
    ]


def _data(series: Body, points: list[Body]) -> Body:
    return {
        "tensorboardTimeSeriesId": names.last(series["name"]),
        "valueType": series["valueType"],
        **({"values": points} if points else {}),
    }


def read_series_data(cloud: Cloud, request: Body) -> Body:
    """ReadTensorboardTimeSeriesData: all points, or so many, evenly spread, the last among them."""
    series = SERIES.require(cloud, request["tensorboardTimeSeries"])
    most = int(request.get("maxDataPoints", -1))
    if most < -1 or most == 0:
        message = f"Must be positive, or -1 for all points. Received: {most}."
        raise bad_field("max_data_points", message)
    passes = listing.matcher(request.get("filter", ""), KEY)
    points = [point for point in _points(cloud, series["name"]) if passes(point)]
    if 0 < most < len(points):
        step = (len(points) - 1) / max(1, most - 1)
        points = [points[len(points) - 1 - round(place * step)] for place in range(most)][::-1]
    return {"timeSeriesData": _data(series, points)}


def batch_read_series_data(cloud: Cloud, request: Body) -> Body:
    """BatchReadTensorboardTimeSeriesData: all points of several time series of a tensorboard."""
    board = request["tensorboard"]
    TENSORBOARD.require(cloud, board)
    resources.require_fields("", request, ("time_series",))
    if any(not name.startswith(f"{board}/") for name in request["timeSeries"]):
        raise bad_field("time_series", f"Must be time series of {board}.")
    series = [SERIES.require(cloud, name) for name in request["timeSeries"]]
    return {"timeSeriesData": [_data(one, _points(cloud, one["name"])) for one in series]}


def export_series_data(cloud: Cloud, request: Body) -> Body:
    """ExportTensorboardTimeSeriesData: a page of points, by step unless ordered otherwise."""
    name = SERIES.require(cloud, request["tensorboardTimeSeries"])["name"]
    query = {**request, "parent": name}
    if request.get("filter") or request.get("orderBy"):
        return listing.page(KEY, _points(cloud, name), query)
    schema = ListSchema(KEY)
    size = listing.page_size(query, schema)
    after = _after(query) if request.get("pageToken") else None
    points = _points(cloud, name, after, size + 1)
    answer: Body = {KEY: points[:size]} if points else {}
    if len(points) > size:
        answer["nextPageToken"] = listing.token(KEY, query, int(points[size - 1]["step"]))
    return answer


def _after(query: Body) -> int:
    step = listing.token_position(KEY, query)
    if not isinstance(step, int):
        raise bad_field("page_token", "The page token is invalid.")
    return step


def read_blob_data(cloud: Cloud, request: Body) -> Body:
    """ReadTensorboardBlobData: blobs by id, or all of the time series. NOT_FOUND for an id."""
    series = SERIES.require(cloud, request["timeSeries"])
    known = [
        blob["id"]
        for point in _points(cloud, series["name"])
        for blob in point.get("blobs", {}).get("values", [])
    ]
    wanted = request.get("blobIds") or known
    if missing := [one for one in wanted if one not in known]:
        raise ApiError("NOT_FOUND", f"Blob {missing[0]} not found in {series['name']}.")
    return {"blobs": [tensorboard_blobs.read(cloud, series["name"], one) for one in wanted]}


HANDLERS = {
    "WriteTensorboardRunData": write_run_data,
    "WriteTensorboardExperimentData": write_experiment_data,
    "ReadTensorboardTimeSeriesData": read_series_data,
    "BatchReadTensorboardTimeSeriesData": batch_read_series_data,
    "ExportTensorboardTimeSeriesData": export_series_data,
    "ReadTensorboardBlobData": read_blob_data,
}
