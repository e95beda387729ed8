"""ImportData: rows become data items in chunks; begun again after a crash, nothing is there twice.

A data item is known by its bytes and an annotation by item and label, so going over the same rows
again changes nothing; that is what makes an interrupted import resumable.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterator
from itertools import islice
from typing import Any

from emulator.aiplatform import input_files, names, resources, storage_access
from emulator.aiplatform.data_items import NewItem, add_items
from emulator.aiplatform.import_files import MULTI_LABEL, SINGLE_LABEL, Row, RowError, read_rows
from emulator.aiplatform.photos import PhotoReader, split_uri
from emulator.aiplatform.storage_access import Access
from emulator.cloud import Cloud
from emulator.errors import ApiError
from emulator.operations import Unfinished
from emulator.storage import objects

LOG = logging.getLogger("emulator.aiplatform")
Body = dict[str, Any]
WORK = "import"
CHUNK_ROWS = 100
# Between chunks, so that waiting requests get the store.
PAUSE_SECONDS = 0.001
# "partial failures ... will never exceed 20 entries" (operation.proto).
MAX_PARTIAL_FAILURES = 20


def import_data(cloud: Cloud, request: Body) -> Body:
    """ImportData: an operation that goes on beside the requests."""
    name = request["name"]
    configs = request.get("importConfigs", [])
    if not configs:
        raise resources.field_errors([("import_configs", "Required field is not set.")])
    for config in configs:
        _check(config)
    with cloud.store.transaction():
        resources.require(cloud, "dataset", name)
        metadata = resources.typed("ImportDataOperationMetadata", {})
        payload = {"dataset": name, "configs": configs}
        operation = cloud.operations.begin(name, metadata, WORK, payload)
    cloud.jobs.spawn(follow(cloud, operation["name"], payload), operation["name"])
    return operation


def _check(config: Body) -> None:
    if not config.get("gcsSource", {}).get("uris"):
        raise resources.field_errors([("import_configs.gcs_source.uris", "Must not be empty.")])
    schema = config.get("importSchemaUri", "")
    if schema not in (SINGLE_LABEL, MULTI_LABEL):
        message = f"Unsupported schema {schema!r} for an image dataset. Expected {SINGLE_LABEL}."
        raise resources.field_errors([("import_configs.import_schema_uri", message)])


def take_up(cloud: Cloud, unfinished: Unfinished) -> None:
    """An import that a crash interrupted goes on."""
    cloud.jobs.spawn(follow(cloud, unfinished.name, unfinished.payload), unfinished.name)


async def follow(cloud: Cloud, operation: str, payload: Body) -> None:
    """The operation has ended, well or with an error."""
    try:
        await asyncio.to_thread(_run, cloud, operation, payload)
    except ApiError as problem:
        cloud.operations.fail(operation, problem)
    except Exception as problem:
        LOG.exception("import %s failed", operation)
        cloud.operations.fail(operation, ApiError("INTERNAL", f"The import failed: {problem}"))


def _run(cloud: Cloud, operation: str, payload: Body) -> None:
    failures: list[Body] = []
    imported = 0
    for config in payload["configs"]:
        access = storage_access.of_agent(cloud, payload["dataset"])
        rows = _rows(cloud, config, access)
        reader = PhotoReader(cloud, names.location(payload["dataset"]).region, access)
        while chunk := list(islice(rows, CHUNK_ROWS)):
            # Judged inside the transaction: no photo's bytes can go before its row is there.
            with cloud.store.transaction():
                if cloud.operations.is_done(operation):  # cancelled, or another snapshot is back
                    return
                if cloud.resources.get(payload["dataset"]) is None:
                    raise ApiError("NOT_FOUND", f"The dataset {payload['dataset']} was deleted.")
                items = list(_judged(reader, chunk, config, failures))
                add_items(cloud, payload["dataset"], items)
            imported += len(items)
            time.sleep(PAUSE_SECONDS)
    _conclude(cloud, operation, imported, failures)


def _conclude(cloud: Cloud, operation: str, imported: int, failures: list[Body]) -> None:
    metadata = {"genericMetadata": {"partialFailures": failures}} if failures else {}
    if not imported:
        why = failures[0]["message"] if failures else "The import files have no rows."
        error = ApiError("INVALID_ARGUMENT", f"No data item was imported. {why}")
        cloud.operations.fail(operation, error, metadata)
        return
    response = resources.typed("ImportDataResponse", {})
    cloud.operations.finish(operation, response, metadata)


def _rows(cloud: Cloud, config: Body, access: Access) -> Iterator[Row]:
    multi_label = config["importSchemaUri"] == MULTI_LABEL
    for uri in input_files.expand(cloud, config["gcsSource"]["uris"]):
        bucket, name = split_uri(uri)
        access.require_read(uri)
        row = objects.get_object(cloud, bucket, name)
        if row is None:
            raise ApiError("NOT_FOUND", f'The import file "{uri}" does not exist.')
        yield from read_rows(uri, cloud.blobs.path(row.sha256), multi_label)


def _judged(
    reader: PhotoReader, rows: list[Row], config: Body, failures: list[Body]
) -> Iterator[NewItem]:
    """The rows that can be imported; what is wrong with the others goes to `failures`."""
    for row in rows:
        try:
            if row.problem:
                raise RowError(row.problem)
            photo = reader.read(row.uri)
            labels = {**config.get("dataItemLabels", {}), **row.labels}
            more = config.get("annotationLabels", {})
            yield NewItem(photo.sha256, row.uri, photo.mime, labels, row.annotations, more)
        except RowError as problem:
            if len(failures) < MAX_PARTIAL_FAILURES:
                failures.append({"code": 3, "message": f"{row.where}: {problem}"})
