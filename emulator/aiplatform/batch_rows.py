"""The rows of a batch prediction: read from the input's objects, turned into instances."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from emulator.aiplatform import batch_formats, batch_instances, input_files
from emulator.aiplatform.batch_formats import FILE_LIST
from emulator.aiplatform.import_files import RowError
from emulator.aiplatform.photos import MAX_PHOTO_BYTES, location_problem, split_uri
from emulator.aiplatform.storage_access import Access
from emulator.cloud import Cloud
from emulator.errors import ApiError
from emulator.storage import objects
from emulator.storage.rights import GET

Body = dict[str, Any]
# "Batch prediction: 1,000,000 images" (Quotas and limits, read 2026-08-22).
MAX_ROWS = 1_000_000
# google-cloud-aiplatform 2.7.0, schema/predict/instance_v1/types/image_classification.py.
MIME_TYPES = frozenset(
    f"image/{kind}" for kind in ("jpeg", "gif", "png", "webp", "bmp", "tiff", "vnd.microsoft.icon")
)


@dataclass(frozen=True)
class BatchRow:
    """One line of the input, and where it stands."""

    where: str
    text: str


def read(cloud: Cloud, body: Body, region: str, access: Access) -> list[BatchRow]:
    """Every row that is not blank, in order. ApiError for a file that is not there, or too many."""
    rows: list[BatchRow] = []
    source = body["inputConfig"]
    for uri in input_files.expand(cloud, source["gcsSource"]["uris"]):
        access.require_read(uri)
        found = batch_formats.rows(uri, _content(cloud, uri, region), source["instancesFormat"])
        rows += [BatchRow(where, text) for where, text in found]
    if not rows:
        raise ApiError("INVALID_ARGUMENT", "The input files have no rows.")
    if len(rows) > MAX_ROWS:
        message = f"A batch prediction may have {MAX_ROWS} rows. Received: {len(rows)}."
        raise ApiError("INVALID_ARGUMENT", message)
    return rows


def _content(cloud: Cloud, uri: str, region: str) -> bytes:
    try:
        bucket, name = split_uri(uri)
        if problem := location_problem(cloud, bucket, region, "the job"):
            raise RowError(problem)
    except RowError as problem:
        raise ApiError("INVALID_ARGUMENT", str(problem)) from None
    row = objects.get_object(cloud, bucket, name)
    if row is None:
        raise ApiError("NOT_FOUND", f'The input file "{uri}" does not exist.')
    return cloud.blobs.path(row.sha256).read_bytes()


def told(row: BatchRow, body: Body) -> Body:
    """How the results name a row: its key, or the instance; a line that is no JSON as text."""
    kind = body["inputConfig"]["instancesFormat"]
    if kind == FILE_LIST:
        return {"instance": row.text}
    try:
        value = json.loads(row.text)
    except ValueError:
        value = row.text
    return batch_instances.told(value, body.get("instanceConfig", {}), kind)


def instance(cloud: Cloud, row: BatchRow, body: Body, is_automl: bool, access: Access) -> Any:
    """What is sent to the model. RowError for a row, or a photo, that cannot be used.

    AutoML's rows name photos in Cloud Storage, which are read here; a custom model is sent its rows
    as the job's `instanceConfig` has them, or the bytes of a file for each address (`file-list`).
    """
    kind = body["inputConfig"]["instancesFormat"]
    if kind == FILE_LIST:
        return {"b64": _encoded(cloud, row.text, access)}
    try:
        value = json.loads(row.text)
    except ValueError as problem:
        raise RowError(f"{row.where}: not JSON ({problem}).") from None
    if not is_automl:
        return batch_instances.sent(value, body.get("instanceConfig", {}), kind, row.where)
    uri = value.get("content") if isinstance(value, dict) else None
    if not isinstance(uri, str):
        raise RowError(
            f'{row.where}: "content" must be a gs:// address. Received: {row.text[:200]}'
        )
    mime = value.get("mimeType", "image/jpeg")
    if mime not in MIME_TYPES:
        raise RowError(f"{row.where}: unsupported mimeType {mime!r}.")
    return {"content": _encoded(cloud, uri, access)}


def _encoded(cloud: Cloud, uri: str, access: Access) -> str:
    bucket, name = split_uri(uri)
    if not access.may(GET, bucket, name):
        raise RowError(f'{access.caller.email} does not have {GET} access to "{uri}".')
    row = objects.get_object(cloud, bucket, name)
    if row is None:
        raise RowError(f'The file "{uri}" does not exist.')
    if row.size_bytes > MAX_PHOTO_BYTES:
        raise RowError(f'"{uri}" has {row.size_bytes} bytes; a photo may have {MAX_PHOTO_BYTES}.')
    try:
        return base64.b64encode(cloud.blobs.path(row.sha256).read_bytes()).decode()
    except FileNotFoundError:
        raise RowError(f'The file "{uri}" was deleted.') from None


def failures(results: Iterable[Body]) -> list[Body]:
    """The first of the errors among results, as `partialFailures` has them: 20 at most."""
    return [one["error"] for one in results if "error" in one][:20]
