"""How a batch prediction goes on: a server of the model, rows sent to it, results as objects.

Each row's result is a line of a file in the job's folder; a server that was killed finds there how
far it had come, starts the model's server again and goes on with the next row.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from emulator.aiplatform import batch_results, batch_rows, models, names, serving, storage_access
from emulator.aiplatform.batch_rows import BatchRow
from emulator.aiplatform.batch_server import ask, no_answer
from emulator.aiplatform.lifecycles import BATCH_PREDICTION_JOB, CANCELLED
from emulator.cloud import Cloud
from emulator.errors import ApiError
from emulator.metering import record_batch_prediction
from emulator.operations import status
from emulator.storage.errors import StorageError

LOG = logging.getLogger("emulator.aiplatform")
Body = dict[str, Any]
LIFE = BATCH_PREDICTION_JOB
ROWS_AT_ONCE = 16
ATTEMPTS = 2


def take_up(cloud: Cloud) -> set[str]:
    """Every job that has not ended is followed again; the ids of their models' servers."""
    unfinished = LIFE.unfinished(cloud)
    batch_results.keep_only(cloud, unfinished)
    for name in unfinished:
        cloud.jobs.spawn(follow(cloud, name), name)
    return {_server(name) for name in unfinished}


def _server(name: str) -> str:
    """The job id of the model's server that belongs to a batch prediction."""
    return serving.job_id(name, names.last(name))


async def follow(cloud: Cloud, name: str) -> None:
    """The job is in a final state, and its model's server is gone."""
    problem: ApiError | None = None
    try:
        await _advance(cloud, name)
    except Exception as said:
        problem = _error(name, said)
    await asyncio.to_thread(cloud.jobs.remove, _server(name))
    try:
        await asyncio.to_thread(_conclude, cloud, name, problem)
    except Exception as said:
        # The results cannot be written: the job ends without them.
        await asyncio.to_thread(batch_results.drop, cloud, name)
        await asyncio.to_thread(_conclude, cloud, name, _error(name, said))
    await asyncio.to_thread(batch_results.drop, cloud, name)


def _error(name: str, problem: Exception) -> ApiError:
    """What a job's own error says of an exception."""
    if isinstance(problem, ApiError):
        return problem
    if isinstance(problem, StorageError):
        return ApiError("NOT_FOUND", problem.message)
    LOG.error("batch prediction %s failed", name, exc_info=problem)
    return ApiError("INTERNAL", f"Internal error: {problem!r}")


async def _advance(cloud: Cloud, name: str) -> None:
    """Every row has its result, or somebody has asked for the job's end."""
    body = cloud.resources.require(name)
    region = names.location(name).region
    access = storage_access.of_batch(cloud, body)
    rows = await asyncio.to_thread(batch_rows.read, cloud, body, region, access)
    batch_results.check_target(cloud, body, region)
    access.require_folder(body["outputConfig"]["gcsDestination"]["outputUriPrefix"])
    # A server of before a restart may look for its model where no server listens any more.
    await asyncio.to_thread(cloud.jobs.remove, _server(name))
    deployed = _deployed(body)
    place = await asyncio.to_thread(batch_results.count, cloud, name)
    while place < len(rows) and not LIFE.is_cancelling(cloud, name):
        await serving.healthy(cloud, name, deployed, lambda: LIFE.is_cancelling(cloud, name))
        LIFE.mark_running(cloud, name)
        place = await _predict(cloud, body, deployed, rows, place)


def _deployed(body: Body) -> Body:
    """The job's model as if it were deployed: what a prediction server is started for."""
    return {
        "id": names.last(body["name"]),
        "model": models.split_version(body["model"])[0],
        "modelVersionId": body["modelVersionId"],
        **{key: body[key] for key in ("dedicatedResources", "serviceAccount") if key in body},
    }


async def _predict(
    cloud: Cloud, body: Body, deployed: Body, rows: list[BatchRow], place: int
) -> int:
    """How far the results go: to the end, or to where nobody wants them any more.

    Rows that the server does not survive are sent one at a time; such a row has an error.
    """
    name, size = body["name"], _rows_at_once(body)
    while place < len(rows) and not LIFE.is_cancelling(cloud, name):
        chunk = rows[place : place + size]
        results = await _asked(cloud, body, deployed, chunk)
        if results is None and size > 1:
            size = 1
            continue
        found = results or [no_answer(body, chunk[0])]
        await asyncio.to_thread(batch_results.add, cloud, name, found)
        place += len(chunk)
    return place


async def _asked(
    cloud: Cloud, body: Body, deployed: Body, chunk: list[BatchRow]
) -> list[Body] | None:
    """A result for each row; None when the server went away each time it was asked."""
    name = body["name"]
    for _ in range(ATTEMPTS):
        results = await ask(cloud, body, deployed, chunk)
        if results is not None:
            return results
        await asyncio.to_thread(cloud.jobs.remove, _server(name))
        await serving.healthy(cloud, name, deployed, lambda: LIFE.is_cancelling(cloud, name))
    return None


def _rows_at_once(body: Body) -> int:
    asked = body.get("manualBatchTuningParameters", {}).get("batchSize")
    return int(asked) if asked else ROWS_AT_ONCE


def _conclude(cloud: Cloud, name: str, problem: ApiError | None) -> None:
    """State, results and usage are there together or not at all."""
    with cloud.store.transaction():
        body = cloud.resources.get(name)
        if body is None or LIFE.is_final(body):
            return
        results = batch_results.read(cloud, name)
        changes: Body = {}
        if results:
            changes |= batch_results.export(cloud, body, results)
        word = "SUCCEEDED"
        if body["state"] == LIFE.state("CANCELLING"):
            word, changes["error"] = "CANCELLED", CANCELLED
        elif problem := problem or batch_results.failure(results):
            word, changes["error"] = "FAILED", status(problem)
        record_batch_prediction(cloud, LIFE.end(cloud, body, word, **changes))
