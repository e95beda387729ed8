"""ExportModel: a version's files copied to a new folder of the user's bucket."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from emulator.aiplatform import models, resources, storage_access
from emulator.clock import timestamp
from emulator.cloud import Cloud
from emulator.errors import ApiError
from emulator.storage import objects
from emulator.storage.object_resource import ObjectRow
from emulator.store.blobs import BlobRef

Body = dict[str, Any]
CUSTOM = "custom-trained"
# What of an AutoML Edge model is in which format ("Export your AutoML Edge models", read
# 2026-08-22), as far as an engine leaves it; an empty name stands for all files.
EDGE_FORMATS = {"tflite": "model.tflite", "tf-saved-model": "saved_model.pb"}
WHOLE_FORMATS = (CUSTOM, "tf-saved-model")


def edge_formats(folder: Path) -> list[Body]:
    """`supportedExportFormats` of an AutoML Edge model that left these files."""
    return [
        {"id": format_id, "exportableContents": ["ARTIFACT"]}
        for format_id, file in EDGE_FORMATS.items()
        if (folder / file).is_file()
    ]


def export_model(cloud: Cloud, request: Body) -> Body:
    """ExportModel: done when it is answered, since no bytes move; all files are there or none.

    FAILED_PRECONDITION for a model without export formats (AutoML in the cloud); INVALID_ARGUMENT
    for a format that it has not, or a place that is no folder of a bucket.
    """
    version = models.require(cloud, request["name"])
    config = request.get("outputConfig", {})
    format_id = _format(version, config.get("exportFormatId", ""))
    where = config.get("artifactDestination", {}).get("outputUriPrefix", "")
    if not re.fullmatch(r"gs://[^/]+(/.*)?", where):
        message = f'Must be a Cloud Storage folder (gs://BUCKET/FOLDER). Received: "{where}".'
        field = "output_config.artifact_destination.output_uri_prefix"
        raise resources.field_errors([(field, message)])
    folder = f"{where.rstrip('/')}/{_folder_name(cloud, version)}"
    storage_access.of_agent(cloud, version["name"]).require_folder(folder)
    with cloud.store.transaction():
        _copy(cloud, version, format_id, folder)
        info = {"outputInfo": {"artifactOutputUri": folder}}
        metadata = resources.typed("ExportModelOperationMetadata", info)
        response = resources.typed("ExportModelResponse", {})
        return cloud.operations.done(version["name"], metadata, response)


def _format(version: Body, asked: str) -> str:
    supported = [one["id"] for one in version.get("supportedExportFormats", [])]
    if not supported:
        message = f'The Model "{version["name"]}" has no supported export formats.'
        raise ApiError("FAILED_PRECONDITION", f"{message} It cannot be exported.")
    if asked and asked not in supported:
        message = f'The Model "{version["name"]}" cannot be exported as "{asked}".'
        raise ApiError("INVALID_ARGUMENT", f"{message} Supported: {', '.join(supported)}.")
    return asked or supported[0]


def _folder_name(cloud: Cloud, version: Body) -> str:
    """`model-export-<model-display-name>-<timestamp-of-export-call>`, as the API says."""
    return f"model-export-{version['displayName']}-{timestamp(cloud.clock.now())}"


def _copy(cloud: Cloud, version: Body, format_id: str, folder: str) -> None:
    uri = version.get("artifactUri") or version.get(models.ARTIFACTS, "")
    bucket, _, prefix = uri.removeprefix("gs://").rstrip("/").partition("/")
    files = [EDGE_FORMATS[format_id]] if format_id not in WHOLE_FORMATS else []
    found = [
        row
        for name in objects.list_names(cloud, bucket, f"{prefix}/")
        if (row := objects.get_object(cloud, bucket, name)) is not None
        and (not files or name.removeprefix(f"{prefix}/") in files)
    ]
    if not found:
        what = f"no {', '.join(files)}" if files else "no files"
        raise ApiError("FAILED_PRECONDITION", f'There are {what} under "{uri}" to export.')
    to_bucket, _, to_prefix = folder.removeprefix("gs://").partition("/")
    for row in found:
        _copy_object(cloud, row, to_bucket, f"{to_prefix}/{row.name.removeprefix(f'{prefix}/')}")


def _copy_object(cloud: Cloud, row: ObjectRow, bucket: str, name: str) -> None:
    reference = BlobRef(row.sha256, row.md5, row.crc32c, row.size_bytes)
    objects.store_object(cloud, bucket, name, reference, {"contentType": row.content_type})
