"""What a prediction request means and how it is answered, in both forms that Vertex's clients send.

`{"content": base64}` is AutoML's instance, answered by falling confidence; `{"b64": base64}` is the
form for custom models, answered with every score. The rows of a batch prediction, of which Vertex
reads AutoML's itself, reach a custom model as they are: `{"content": "gs://…"}`.
"""

from __future__ import annotations

import base64
import binascii
import json
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from trainer.artifacts import likely
from trainer.errors import FetchError, PhotoError
from trainer.models.network import Floats
from trainer.paths import SCHEME
from trainer.serving import Model, readable

DEFAULT_THRESHOLD = 0.0
DEFAULT_MAX_PREDICTIONS = 10

_one_at_a_time = threading.Lock()


class RequestError(ValueError):
    """A request that cannot be answered; the text names the instance."""


def answer(model: Model, body: bytes, read: Callable[[str], bytes] | None = None) -> dict[str, Any]:
    """`{"predictions": […]}`, one for each instance, in order. Raises RequestError.

    `read` gives the bytes at a `gs://` address, which is refused without it.
    """
    request = _request(body)
    threshold, most = _parameters(request.get("parameters") or {})
    instances = request["instances"]
    photos = [_photo(instance, number, read) for number, instance in enumerate(instances)]
    scores = _scores(model, photos)
    return {
        "predictions": [
            _automl_form(model.labels, row, threshold, most)
            if "content" in instance
            else _custom_form(model, row, instance)
            for instance, row in zip(instances, scores, strict=True)
        ]
    }


def _request(body: bytes) -> dict[str, Any]:
    try:
        request = json.loads(body)
    except ValueError as error:
        raise RequestError(f"the request is not JSON ({error})") from error
    found = isinstance(request, dict) and request.get("instances")
    if not isinstance(request, dict) or not isinstance(found, list) or not found:
        # Clients of protobuf leave out an empty list, so none and no list are the same.
        raise RequestError('the request must be an object with at least one of "instances"')
    return request


def _parameters(raw: Any) -> tuple[float, int]:
    if not isinstance(raw, Mapping):
        raise RequestError('"parameters" must be an object')
    threshold = raw.get("confidenceThreshold", DEFAULT_THRESHOLD)
    most = raw.get("maxPredictions", DEFAULT_MAX_PREDICTIONS)
    if not _is_number(threshold) or not 0 <= threshold <= 1:
        raise RequestError(f"confidenceThreshold must be between 0 and 1, received {threshold!r}")
    if not _is_number(most) or most < 1 or most != int(most):
        raise RequestError(f"maxPredictions must be a whole number from 1, received {most!r}")
    return float(threshold), int(most)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and np.isfinite(value)


def _photo(instance: Any, number: int, read: Callable[[str], bytes] | None) -> bytes:
    names = [name for name in ("content", "b64") if isinstance(instance, dict) and name in instance]
    if len(names) != 1 or not isinstance(instance[names[0]], str):
        raise RequestError(f'instance {number}: needs a string, either "content" or "b64"')
    try:
        if read and instance[names[0]].startswith(SCHEME):
            return read(instance[names[0]])
        return base64.b64decode(instance[names[0]], validate=True)
    except FetchError as error:
        raise RequestError(f"instance {number}: {error}") from error
    except (binascii.Error, ValueError) as error:
        raise RequestError(f"instance {number}: not base64 ({error})") from error


def _scores(model: Model, photos: Sequence[bytes]) -> Floats:
    with _one_at_a_time:
        try:
            return model.scores(photos)
        except PhotoError:
            for number, photo in enumerate(photos):
                if reason := readable(model, photo):
                    raise RequestError(f"instance {number}: {reason}") from None
            raise


def _automl_form(labels: Sequence[str], row: Floats, threshold: float, most: int) -> dict[str, Any]:
    order = [int(place) for place in np.argsort(-row, kind="stable") if row[place] >= threshold]
    return {
        "displayNames": [labels[place] for place in order[:most]],
        "confidences": [float(row[place]) for place in order[:most]],
    }


def _custom_form(model: Model, row: Floats, instance: Mapping[str, Any]) -> dict[str, Any]:
    given = {"key": instance["key"]} if "key" in instance else {}
    several = {"predictions": likely(model.labels, row)} if model.multi_label else {}
    return given | {
        "prediction": model.labels[int(row.argmax())],
        **several,
        "labels": list(model.labels),
        "scores": [float(score) for score in row],
    }
