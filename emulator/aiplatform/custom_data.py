"""The data of a custom training pipeline: exported to the user's bucket as Vertex AI does it."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from emulator.aiplatform import custom_environment, dataset_rows, names, resources, storage_access
from emulator.aiplatform.splits import SETS, assign
from emulator.aiplatform.training_inputs import check_split
from emulator.cloud import Cloud

Body = dict[str, Any]
FIELD = "training_pipeline.input_data_config"
ANNOTATION = re.compile(
    r"gs://google-cloud-aiplatform/schema/dataset/annotation/([a-z_]+)_1\.0\.0\.yaml"
)


def check(cloud: Cloud, location: names.Location, config: Body) -> None:
    """Raises INVALID_ARGUMENT for a request whose data could not be exported, 404 without data."""
    if not config.get("datasetId"):
        raise resources.field_errors([(f"{FIELD}.dataset_id", "Required field is not set.")])
    destination = config.get("gcsDestination", {}).get("outputUriPrefix", "")
    if not destination.startswith("gs://"):
        message = f"A Cloud Storage folder is required for custom training: {destination!r}"
        raise resources.field_errors([(f"{FIELD}.gcs_destination", message)])
    if not ANNOTATION.fullmatch(config.get("annotationSchemaUri", "")):
        message = f"Not an annotation schema: {config.get('annotationSchemaUri', '')!r}"
        raise resources.field_errors([(f"{FIELD}.annotation_schema_uri", message)])
    check_split(config)
    resources.require(cloud, "dataset", f"{location.name}/datasets/{config['datasetId']}")


def moment(text: str) -> str:
    """A time as folder names have it: YYYY-MM-DDThh:mm:ss.sssZ."""
    time = datetime.fromisoformat(text).astimezone(UTC)
    return time.strftime("%Y-%m-%dT%H:%M:%S.") + f"{time.microsecond // 1000:03d}Z"


def export(cloud: Cloud, pipeline: Body) -> Body:
    """What the job must know of its data: variables, and the buckets of its photos. Blocks.

    The same pipeline always writes the same objects, so that a repeat does no harm.
    """
    config = pipeline.get("inputDataConfig", {})
    if not config.get("datasetId"):
        return {}
    location = names.location(pipeline["name"])
    dataset = f"{location.name}/datasets/{config['datasetId']}"
    only = config.get("annotationsFilter", "")
    items = dataset_rows.examples(cloud, dataset, unlabelled=False, annotations_filter=only)
    multi_label = dataset_rows.is_multi_label(items)
    folder = _folder(pipeline)
    storage_access.of_agent(cloud, dataset).require_folder(folder)
    for use, chosen in assign(items, config).items():
        rows = [dataset_rows.row(item, use, multi_label=multi_label) for item in chosen]
        dataset_rows.write(cloud, f"{folder}/{use}-00001-of-00001.jsonl", rows)
    data = {f"AIP_{use.upper()}_DATA_URI": f"{folder}/{use}-*.jsonl" for use in SETS}
    photos = {item.uri.removeprefix("gs://").partition("/")[0] for item in items}
    return {
        custom_environment.VARIABLES: {"AIP_DATA_FORMAT": "jsonl", **data},
        custom_environment.DATA_BUCKETS: sorted(photos),
    }


def _folder(pipeline: Body) -> str:
    """`<destination>/dataset-<id>-<annotation type>-<time>` (training_pipeline.proto)."""
    config = pipeline["inputDataConfig"]
    found = ANNOTATION.fullmatch(config["annotationSchemaUri"])
    assert found is not None, "checked when the pipeline was made"
    prefix = config["gcsDestination"]["outputUriPrefix"].rstrip("/")
    when = moment(pipeline["createTime"])
    return f"{prefix}/dataset-{config['datasetId']}-{found.group(1)}-{when}"
