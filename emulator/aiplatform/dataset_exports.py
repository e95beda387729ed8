"""ExportData: the rows of a dataset as files of a bucket, beside the requests."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from emulator.aiplatform import dataset_rows, resources, storage_access
from emulator.aiplatform.custom_data import ANNOTATION, moment
from emulator.aiplatform.splits import SETS, Example, assign
from emulator.aiplatform.training_inputs import check_split
from emulator.cloud import Cloud
from emulator.errors import ApiError
from emulator.operations import Unfinished
from emulator.storage.errors import StorageError

LOG = logging.getLogger("emulator.aiplatform")
Body = dict[str, Any]
WORK = "export"
FIELD = "export_config"
CUSTOM_TRAINING = "CUSTOM_CODE_TRAINING"
SPLITS = ("fractionSplit", "filterSplit")
TITLE = "image_classification"


def export_data(cloud: Cloud, request: Body) -> Body:
    """ExportData: an operation that goes on beside the requests."""
    name, config = request["name"], request.get("exportConfig", {})
    _check(config)
    with cloud.store.transaction():
        dataset = resources.require(cloud, "dataset", name)
        folder = _folder(cloud, dataset, config)
        metadata = resources.typed("ExportDataOperationMetadata", {"gcsOutputDirectory": folder})
        payload = {"dataset": name, "config": config, "folder": folder}
        operation = cloud.operations.begin(name, metadata, WORK, payload)
    cloud.jobs.spawn(follow(cloud, operation["name"], payload), operation["name"])
    return operation


def _check(config: Body) -> None:
    destination = config.get("gcsDestination", {}).get("outputUriPrefix", "")
    if not destination.startswith("gs://"):
        message = f"Not a Cloud Storage folder: {destination!r}"
        raise resources.field_errors([(f"{FIELD}.gcs_destination.output_uri_prefix", message)])
    schema = config.get("annotationSchemaUri")
    if schema and not ANNOTATION.fullmatch(schema):
        message = f"Not an annotation schema: {schema!r}"
        raise resources.field_errors([(f"{FIELD}.annotation_schema_uri", message)])
    if config.get("savedQueryId"):
        raise ApiError("UNIMPLEMENTED", "The local cloud has no saved queries (savedQueryId).")
    check_split(config)


def _folder(cloud: Cloud, dataset: Body, config: Body) -> str:
    """`<destination>/export-data-<display name>-<time>` (ExportDataConfig in dataset.proto)."""
    prefix = config["gcsDestination"]["outputUriPrefix"].rstrip("/")
    return f"{prefix}/export-data-{dataset['displayName']}-{moment(resources.now(cloud))}"


def take_up(cloud: Cloud, unfinished: Unfinished) -> None:
    """An export that a crash interrupted is written again, to the same place."""
    cloud.jobs.spawn(follow(cloud, unfinished.name, unfinished.payload), unfinished.name)


async def follow(cloud: Cloud, operation: str, payload: Body) -> None:
    """The operation has ended, well or with an error."""
    try:
        response = await asyncio.to_thread(_run, cloud, payload)
        cloud.operations.finish(operation, resources.typed("ExportDataResponse", response))
    except ApiError as problem:
        cloud.operations.fail(operation, problem)
    except StorageError as problem:
        cloud.operations.fail(operation, ApiError("NOT_FOUND", problem.message))
    except Exception as problem:
        LOG.exception("export %s failed", operation)
        cloud.operations.fail(operation, ApiError("INTERNAL", f"The export failed: {problem}"))


def _run(cloud: Cloud, payload: Body) -> Body:
    config, folder = payload["config"], payload["folder"]
    storage_access.of_agent(cloud, payload["dataset"]).require_folder(folder)
    for_training = config.get("exportUse") == CUSTOM_TRAINING
    has_split = any(key in config for key in SPLITS)
    items = dataset_rows.examples(
        cloud,
        payload["dataset"],
        unlabelled=not (for_training or has_split),
        annotations_filter=config.get("annotationsFilter", ""),
    )
    multi_label = dataset_rows.is_multi_label(items)
    sets = assign(items, config) if for_training or has_split else {"": items}
    rows = {
        use: [dataset_rows.row(item, use, multi_label=multi_label) for item in chosen]
        for use, chosen in sets.items()
    }
    if for_training:
        return _training_files(cloud, folder, rows) | {"dataStats": _statistics(sets)}
    everything = [row for chosen in rows.values() for row in chosen]
    uri = f"{folder}/{TITLE}/data-00001-of-00001.jsonl"
    return {"exportedFiles": [dataset_rows.write(cloud, uri, everything)]}


def _training_files(cloud: Cloud, folder: str, rows: Mapping[str, Sequence[Body]]) -> Body:
    """Three addresses with wildcards, as for a custom training."""
    for use in SETS:
        dataset_rows.write(cloud, f"{folder}/{use}-00001-of-00001.jsonl", rows[use])
    return {"exportedFiles": [f"{folder}/{use}-*" for use in SETS]}


def _statistics(sets: Mapping[str, Sequence[Example]]) -> Body:
    """How many photos and annotations are in each set; int64 as strings."""
    found: Body = {}
    for use, items in sets.items():
        found[f"{use}DataItemsCount"] = str(len(items))
        found[f"{use}AnnotationsCount"] = str(sum(len(item.annotations) for item in items))
    return found
