"""Experiments, runs and time series of a tensorboard."""

from __future__ import annotations

from typing import Any

from emulator.aiplatform import names, resources, tensorboards
from emulator.aiplatform.nouns import Noun, delete_tree
from emulator.aiplatform.refusals import bad_field
from emulator.aiplatform.tensorboard_nouns import EXPERIMENT, RUN, SERIES, TENSORBOARD
from emulator.aiplatform.tensorboard_points import described
from emulator.cloud import Cloud
from emulator.errors import ApiError

Body = dict[str, Any]
# BatchCreateTensorboardRunsRequest.requests: "A maximum of 1000".
MAX_BATCH = 1000


def create_experiment(cloud: Cloud, request: Body) -> Body:
    """CreateTensorboardExperiment."""
    TENSORBOARD.require(cloud, request["parent"])
    resources.require_fields("", request, ("tensorboard_experiment_id",))
    sent = request.get("tensorboardExperiment", {})
    return EXPERIMENT.add(cloud, request["parent"], request["tensorboardExperimentId"], sent)


def create_run(cloud: Cloud, request: Body) -> Body:
    """CreateTensorboardRun; its display name is its own in the experiment."""
    EXPERIMENT.require(cloud, request["parent"])
    resources.require_fields("", request, ("tensorboard_run_id",))
    sent = request.get("tensorboardRun", {})
    resources.require_fields("tensorboard_run", sent, ("display_name",))
    _check_display_name(cloud, RUN, request["parent"], sent["displayName"])
    return RUN.add(cloud, request["parent"], request["tensorboardRunId"], sent)


def create_series(cloud: Cloud, request: Body) -> Body:
    """CreateTensorboardTimeSeries; its display name is its own in the run."""
    RUN.require(cloud, request["parent"])
    sent = request.get("tensorboardTimeSeries", {})
    resources.require_fields("tensorboard_time_series", sent, ("display_name", "value_type"))
    _check_display_name(cloud, SERIES, request["parent"], sent["displayName"])
    last = request.get("tensorboardTimeSeriesId") or names.new_id()
    with cloud.store.transaction() as db:
        body = SERIES.add(cloud, request["parent"], last, sent)
        db.execute("INSERT INTO tensorboard_series (name) VALUES (?)", (body["name"],))
    return body


def _check_display_name(cloud: Cloud, noun: Noun, parent: str, wanted: str) -> None:
    if any(row.get("displayName") == wanted for row in noun.rows(cloud, parent)):
        message = f'{noun.title} with display name "{wanted}" already exists in {parent}.'
        raise ApiError("ALREADY_EXISTS", message)


def batch_create_runs(cloud: Cloud, request: Body) -> Body:
    """BatchCreateTensorboardRuns: all or none."""
    parent, wanted = request["parent"], request.get("requests", [])
    _check_batch(wanted)
    EXPERIMENT.require(cloud, parent)
    if any(one.get("parent", parent) != parent for one in wanted):
        raise bad_field("requests.parent", f"Must be the parent of the batch: {parent}.")
    with cloud.store.transaction():
        made = [create_run(cloud, {**one, "parent": parent}) for one in wanted]
    return {"tensorboardRuns": made}


def batch_create_series(cloud: Cloud, request: Body) -> Body:
    """BatchCreateTensorboardTimeSeries in runs of one experiment: all or none."""
    parent, wanted = request["parent"], request.get("requests", [])
    _check_batch(wanted)
    EXPERIMENT.require(cloud, parent)
    if any(not one.get("parent", "").startswith(f"{parent}/runs/") for one in wanted):
        raise bad_field("requests.parent", f"Must be a run of the experiment {parent}.")
    with cloud.store.transaction():
        made = [create_series(cloud, one) for one in wanted]
    return {"tensorboardTimeSeries": made}


def _check_batch(wanted: list[Body]) -> None:
    resources.require_fields("", {"requests": wanted}, ("requests",))
    if len(wanted) > MAX_BATCH:
        raise bad_field("requests", f"At most {MAX_BATCH} requests. Received: {len(wanted)}.")


def get_experiment(cloud: Cloud, request: Body) -> Body:
    """GetTensorboardExperiment."""
    return EXPERIMENT.require(cloud, request["name"])


def get_run(cloud: Cloud, request: Body) -> Body:
    """GetTensorboardRun."""
    return RUN.require(cloud, request["name"])


def get_series(cloud: Cloud, request: Body) -> Body:
    """GetTensorboardTimeSeries, with the largest step and time of its points."""
    return described(cloud, SERIES.require(cloud, request["name"]))


def list_experiments(cloud: Cloud, request: Body) -> Body:
    """ListTensorboardExperiments."""
    TENSORBOARD.require(cloud, request["parent"])
    return EXPERIMENT.page(EXPERIMENT.rows(cloud, request["parent"]), request)


def list_runs(cloud: Cloud, request: Body) -> Body:
    """ListTensorboardRuns; of all experiments with `-` for the experiment."""
    parent = request["parent"]
    if names.last(parent) == "-":
        board = names.parent(parent)
        TENSORBOARD.require(cloud, board)
        rows = [
            row for one in EXPERIMENT.rows(cloud, board) for row in RUN.rows(cloud, one["name"])
        ]
        return RUN.page(rows, request)
    EXPERIMENT.require(cloud, parent)
    return RUN.page(RUN.rows(cloud, parent), request)


def list_series(cloud: Cloud, request: Body) -> Body:
    """ListTensorboardTimeSeries."""
    RUN.require(cloud, request["parent"])
    rows = [described(cloud, row) for row in SERIES.rows(cloud, request["parent"])]
    return SERIES.page(rows, request)


def _delete(cloud: Cloud, noun: Noun, name: str) -> Body:
    with cloud.store.transaction() as db:
        noun.require(cloud, name)
        tensorboards.delete_points(db, name)
        delete_tree(cloud, name)
        metadata = resources.typed("DeleteOperationMetadata", {})
        return cloud.operations.done(names.parent(name), metadata, resources.EMPTY)


HANDLERS = {
    "CreateTensorboardExperiment": create_experiment,
    "GetTensorboardExperiment": get_experiment,
    "ListTensorboardExperiments": list_experiments,
    "UpdateTensorboardExperiment": EXPERIMENT.update,
    "DeleteTensorboardExperiment": lambda cloud, body: _delete(cloud, EXPERIMENT, body["name"]),
    "CreateTensorboardRun": create_run,
    "BatchCreateTensorboardRuns": batch_create_runs,
    "GetTensorboardRun": get_run,
    "ListTensorboardRuns": list_runs,
    "UpdateTensorboardRun": RUN.update,
    "DeleteTensorboardRun": lambda cloud, body: _delete(cloud, RUN, body["name"]),
    "CreateTensorboardTimeSeries": create_series,
    "BatchCreateTensorboardTimeSeries": batch_create_series,
    "GetTensorboardTimeSeries": get_series,
    "ListTensorboardTimeSeries": list_series,
    "UpdateTensorboardTimeSeries": SERIES.update,
    "DeleteTensorboardTimeSeries": lambda cloud, body: _delete(cloud, SERIES, body["name"]),
}
