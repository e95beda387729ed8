"""Whether a folder of a bucket holds a model that could be served."""

from __future__ import annotations

import json
import re

from emulator.aiplatform import storage_access
from emulator.cloud import Cloud
from emulator.errors import ApiError
from emulator.storage import objects
from emulator.storage.object_resource import ObjectRow
from emulator.storage.rights import GET

# Prediction images that load a SavedModel themselves (docs "Prebuilt containers for prediction").
TENSORFLOW_IMAGES = re.compile(r".*-docker\.pkg\.dev/vertex-ai(-restricted)?/prediction/tf.*")
SAVED_MODEL = ("saved_model.pb", "saved_model.pbtxt")


def check(cloud: Cloud, parent: str, uri: str, image: str) -> None:
    """Raises FAILED_PRECONDITION for a folder that is empty, or whose model is plainly broken.

    And for one that the agent of the project in `parent` may not read.
    """
    folder = uri.rstrip("/")
    storage_access.of_agent(cloud, parent).require_folder(folder, GET)
    bucket, _, prefix = folder.removeprefix("gs://").partition("/")
    found = {
        name.removeprefix(f"{prefix}/"): objects.get_object(cloud, bucket, name)
        for name in objects.list_names(cloud, bucket, f"{prefix}/")
        if not name.endswith("/")
    }
    if not found:
        raise _refused(f'There are no files under "{folder}" to copy.')
    if TENSORFLOW_IMAGES.fullmatch(image) and not any(name in found for name in SAVED_MODEL):
        wanted = ", ".join(SAVED_MODEL)
        message = f'The folder "{folder}" is expected to contain one of: {wanted}.'
        raise _refused(f"{message} It has: {', '.join(sorted(found)[:10])}.")
    for name, row in found.items():
        _check_file(cloud, folder, name, row)


def _check_file(cloud: Cloud, folder: str, name: str, row: ObjectRow | None) -> None:
    if row is None:
        return
    if name in SAVED_MODEL and row.size_bytes == 0:
        raise _refused(f'The model in "{folder}" is broken: {name} is empty.')
    if name == "model.json":
        try:
            json.loads(cloud.blobs.path(row.sha256).read_bytes())
        except ValueError as problem:
            raise _refused(
                f'The model in "{folder}" is broken: {name} is not JSON ({problem}).'
            ) from None


def _refused(message: str) -> ApiError:
    return ApiError("FAILED_PRECONDITION", message)
