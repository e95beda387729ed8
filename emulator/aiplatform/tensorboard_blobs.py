"""Blobs of TensorBoard's time series: objects in the bucket that the tensorboard names."""

from __future__ import annotations

import base64
import re
import uuid
from typing import Any

from emulator.aiplatform.refusals import bad_field
from emulator.aiplatform.tensorboard_nouns import TENSORBOARD
from emulator.cloud import Cloud
from emulator.errors import ApiError
from emulator.storage import objects

Body = dict[str, Any]
_ID = re.compile(r"[A-Za-z0-9_.-]{1,256}")
_NAME = re.compile(r"(.*/tensorboards/(.*))/experiments/(.*)/runs/(.*)/timeSeries/(.*)")


def _place(cloud: Cloud, series: str, blob_id: str) -> tuple[str, str]:
    """Bucket and object of a blob, where the SDK's uploader puts it (tensorboard/uploader.py)."""
    found = _NAME.fullmatch(series)
    assert found is not None
    prefix = TENSORBOARD.require(cloud, found.group(1))["blobStoragePathPrefix"]
    bucket, _, folder = prefix.partition("/")
    path = "/".join([f"tensorboard-{found.group(2)}", *found.groups()[2:], blob_id])
    return bucket, f"{folder}/{path}" if folder else path


def stored(cloud: Cloud, series: str, sequence: Body) -> Body:
    """A blob sequence as it is kept: ids only; bytes that came with it are in the bucket."""
    return {"values": [_stored(cloud, series, blob) for blob in sequence.get("values", [])]}


def _stored(cloud: Cloud, series: str, blob: Body) -> Body:
    blob_id = blob.get("id") or str(uuid.uuid4())
    if not _ID.fullmatch(blob_id):
        raise bad_field("time_series_data.values.blobs.id", f"Invalid blob id '{blob_id[:100]}'.")
    if "data" in blob:
        bucket, name = _place(cloud, series, blob_id)
        with cloud.blobs.writer() as writer:
            writer.write(base64.b64decode(blob["data"]))
            objects.store_object(cloud, bucket, name, writer.finish(), {})
    return {"id": blob_id}


def read(cloud: Cloud, series: str, blob_id: str) -> Body:
    """A blob with its bytes. NOT_FOUND when no object has them."""
    bucket, name = _place(cloud, series, blob_id)
    row = objects.get_object(cloud, bucket, name)
    if row is None:
        raise ApiError("NOT_FOUND", f"Blob {blob_id} has no object gs://{bucket}/{name}.")
    data = cloud.blobs.path(row.sha256).read_bytes()
    return {"id": blob_id, "data": base64.b64encode(data).decode()}
