"""Explain: a deployed model's answers with what its own prediction server says of their reasons.

The server is asked as for a prediction, with `parameters: {"explain": …}` beside; one that knows
nothing of it answers as ever, and the model is refused as one that does not explain.
"""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import Request

from emulator.aiplatform import models, predictions, resources
from emulator.cloud import Cloud
from emulator.errors import ApiError

Body = dict[str, Any]
# The methods of ExplanationParameters (explanation.proto of v1) that the trainer's server has.
METHODS = {"xraiAttribution": "xrai", "integratedGradientsAttribution": "ig"}
MOST_STEPS = 100
# AI Platform's name for the picture of an explanation, under the feature's own ("image").
FEATURE, PICTURE, OUTPUT = "image", "b64_jpeg", "confidences"


async def explain(cloud: Cloud, variables: dict[str, str], request: Request) -> Body:
    """Explain on an endpoint; FAILED_PRECONDITION for a model deployed without explanations."""
    body = _object(await predictions.body_of(request))
    name = variables["endpoint"]
    endpoint = resources.require(cloud, "endpoint", name)
    deployed = _chosen(endpoint, str(body.get("deployedModelId", "")))
    model = models.require(cloud, models.deployed_version(deployed))
    spec = spec_of(model, deployed)
    if spec is None:
        raise _unexplained(deployed)
    asked = _asked(spec, body.get("explanationSpecOverride") or {})
    sent = {
        "instances": body.get("instances") or [],
        "parameters": {**(body.get("parameters") or {}), "explain": asked},
    }
    answer = await predictions.ask(cloud, name, deployed, json.dumps(sent).encode())
    for one in answer:
        if (problem := predictions.problem_of(one)) is not None:
            raise ApiError("INVALID_ARGUMENT", problem)
        if not isinstance(one, dict) or "explanations" not in one:
            raise _unexplained(deployed)
    told = [one.pop("explanations") for one in answer]
    return {
        "explanations": [{"attributions": [_attribution(one) for one in each]} for each in told],
        "deployedModelId": deployed["id"],
        "predictions": [predictions.with_ids(one, model) for one in answer],
    }


def spec_of(model: Body, deployed: Body) -> Body | None:
    """The explanation spec that counts: the deployment's own, then the model's (endpoint.proto)."""
    if deployed.get("disableExplanations"):
        return None
    spec: Body | None = deployed.get("explanationSpec") or model.get("explanationSpec")
    return spec


def _object(body: bytes) -> Body:
    try:
        found = json.loads(body or b"{}")
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise ApiError("INVALID_ARGUMENT", "Invalid JSON payload received.")
    return found


def _chosen(endpoint: Body, asked: str) -> Body:
    deployed = {one["id"]: one for one in endpoint.get("deployedModels", [])}
    if asked and asked not in deployed:
        message = f'DeployedModel with id "{asked}" not found in endpoint "{endpoint["name"]}".'
        raise ApiError("NOT_FOUND", message)
    found: Body = deployed[asked] if asked else predictions.chosen(endpoint)
    return found


def _asked(spec: Body, override: Body) -> Body:
    """What the server is asked: the method and its steps, the override's before the spec's."""
    for parameters in (override.get("parameters") or {}, spec.get("parameters") or {}):
        for name, method in METHODS.items():
            if name in parameters:
                steps = int((parameters[name] or {}).get("stepCount", 0))
                if not 1 <= steps <= MOST_STEPS:
                    field = f"explanation_spec.parameters.{_snake(name)}.step_count"
                    message = f"Must be from 1 to {MOST_STEPS}. Received: {steps}."
                    raise resources.field_errors([(field, message)])
                return {"method": method, "steps": steps, "overlay": True}
        if parameters:
            others = ", ".join(sorted(parameters))
            message = f"The local cloud explains by {' and '.join(METHODS)} only, not {others}."
            raise ApiError("UNIMPLEMENTED", message)
    raise ApiError("INVALID_ARGUMENT", "The explanation spec has no parameters.")


def _attribution(told: Body) -> Body:
    """The server's explanation of one label, as Vertex AI's Attribution."""
    picture = (told.get("overlay") or {}).get("b64", "")
    return {
        "baselineOutputValue": told["baselineScore"],
        "instanceOutputValue": told["score"],
        "featureAttributions": {FEATURE: {PICTURE: picture}},
        "outputDisplayName": told["label"],
        "approximationError": told["completenessError"],
        "outputName": OUTPUT,
    }


def _unexplained(deployed: Body) -> ApiError:
    return ApiError(
        "FAILED_PRECONDITION",
        f"DeployedModel {deployed['id']} does not support explanations: it was deployed without an "
        "explanation_spec that its prediction server can answer.",
    )


def _snake(field: str) -> str:
    return "".join(f"_{one.lower()}" if one.isupper() else one for one in field)
