"""Predict: to the deployed model that traffic chooses, the request's bytes as they came."""

from __future__ import annotations

import json
import random
from typing import Any

from starlette.requests import Request

from emulator.aiplatform import models, resources, results, serving
from emulator.aiplatform.prediction_client import Answered, post
from emulator.cloud import Cloud
from emulator.errors import ApiError

Body = dict[str, Any]
# "1.5 MB" (Choose an endpoint type, read 2026-08-22); Google's refusal counts 1,572,864 bytes.
MAX_REQUEST_BYTES = 1_572_864
# What a prediction server's statuses are called; any other is INTERNAL.
REFUSALS = {
    400: "INVALID_ARGUMENT",
    413: "INVALID_ARGUMENT",
    429: "RESOURCE_EXHAUSTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


async def predict(cloud: Cloud, variables: dict[str, str], request: Request) -> Body:
    """Predict on an endpoint; FAILED_PRECONDITION when nothing is deployed on it."""
    body = await body_of(request)
    name = variables["endpoint"]
    endpoint = resources.require(cloud, "endpoint", name)
    deployed = chosen(endpoint)
    answer = await ask(cloud, name, deployed, body)
    model = models.require(cloud, models.deployed_version(deployed))
    if models.is_automl(model):
        _require_answers(answer)
    return {
        "predictions": [with_ids(one, model) for one in answer],
        "deployedModelId": deployed["id"],
        "model": model["name"],
        "modelDisplayName": model.get("displayName", ""),
        "modelVersionId": model["versionId"],
    }


async def body_of(request: Request) -> bytes:
    """The request's body. INVALID_ARGUMENT where it is longer than Google takes."""
    body = await request.body()
    if len(body) > MAX_REQUEST_BYTES:
        message = f"Request payload size exceeds the limit: {MAX_REQUEST_BYTES} bytes."
        raise ApiError("INVALID_ARGUMENT", message)
    return body


def unavailable() -> ApiError:
    """The refusal while a prediction server is being started again."""
    return ApiError("UNAVAILABLE", "The prediction server is being started again. Try once more.")


def chosen(endpoint: Body) -> Body:
    """The deployed model that traffic chooses. FAILED_PRECONDITION where there is none."""
    split = {key: share for key, share in endpoint.get("trafficSplit", {}).items() if share > 0}
    if not split:
        message = f"Endpoint {endpoint['name']} doesn't have traffic_split."
        raise ApiError("FAILED_PRECONDITION", message)
    (picked,) = random.choices(list(split), weights=list(split.values()))
    deployed: Body = next(one for one in endpoint["deployedModels"] if one["id"] == picked)
    return deployed


async def ask(cloud: Cloud, endpoint: str, deployed: Body, body: bytes) -> list[Any]:
    """The predictions that the deployed model's server gives, refused as it refuses."""
    import httpx

    server = serving.address(cloud, endpoint, deployed["id"])
    try:
        if server is None:
            raise httpx.ConnectError("not launched")
        answer = await post(server.port, server.predict, body)
    except httpx.TimeoutException:
        raise ApiError("DEADLINE_EXCEEDED", "The prediction took longer than 60 s.") from None
    except httpx.HTTPError:
        raise unavailable() from None
    if answer.status != 200:
        raise refused(answer)
    return list(json.loads(answer.content)["predictions"])


def refused(answer: Answered) -> ApiError:
    """The server's own refusal, as one of Google's: what has no word of its own is INTERNAL."""
    try:
        said = str(json.loads(answer.content)["error"])
    except (ValueError, KeyError, TypeError):
        said = answer.content[:500].decode(errors="replace")
    if answer.status in REFUSALS:
        return ApiError(REFUSALS[answer.status], said)
    return ApiError("INTERNAL", f"The prediction server answered {answer.status}: {said}")


def problem_of(prediction: Any) -> str | None:
    """Why an instance has no prediction, where a server says so in its place; else None."""
    if not isinstance(prediction, dict) or not set(prediction) <= {"error", "key"}:
        return None
    error = prediction.get("error")
    if not isinstance(error, dict) or not {"code", "message"} <= set(error):
        return None
    return str(error["message"])


def _require_answers(predictions: list[Any]) -> None:
    """INVALID_ARGUMENT for the first instance without one.

    What AutoML's models answer has no place for an error ("image_classification_1.0.0", the
    prediction schema in google-cloud-aiplatform 2.7.0): the request fails as a whole.
    """
    for prediction in predictions:
        if (problem := problem_of(prediction)) is not None:
            raise ApiError("INVALID_ARGUMENT", problem)


def with_ids(prediction: Any, model: Body) -> Any:
    """An AutoML prediction with the annotation specs' ids, int64 as strings."""
    ids = model.get(results.SPEC_IDS)
    if ids is None or not isinstance(prediction, dict) or "displayNames" not in prediction:
        return prediction
    return {"ids": [ids.get(name, "") for name in prediction["displayNames"]], **prediction}
