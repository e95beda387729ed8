"""What one photo looks like in a prediction request, and one answer in its reply.

The form follows from the kind of model, and this file is the only place that knows it: AutoML image
models take ``{"content"}`` and answer lists by falling confidence (docs: "Get predictions from an
image classification model", read 2026-08-22); our own models take ``{"b64"}``, Vertex's form for
binary inputs, and answer with the label and every score.
"""

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ops.errors import Code, OpsError

ModelKind = Literal["automl", "custom"]


@dataclass(frozen=True)
class Scored:
    """One photo's answer: the best label and every score, 0-1, by falling score."""

    prediction: str
    scores: dict[str, float]


def kind_of(source_type: str, container_image: str) -> ModelKind:
    """The kind of a model: ours came from a container or say CUSTOM, AutoML's have no container.

    `source_type` is ``Model.modelSourceInfo.sourceType``, empty where the API left it out.
    """
    return "custom" if container_image or source_type == "CUSTOM" else "automl"


def instance(kind: ModelKind, photo: bytes, key: str) -> dict[str, str]:
    """One element of ``instances``; `photo` is an encoded file of at most about 1.1 MB."""
    encoded = base64.b64encode(photo).decode("ascii")
    if kind == "automl":
        return {"content": encoded}
    return {"b64": encoded, "key": key}


def every_score(kind: ModelKind, labels: int) -> dict[str, Any]:
    """The ``parameters`` with which a model answers the scores of all its `labels`.

    AutoML's models answer ten labels otherwise; ours always answer all and take no parameters.
    """
    if kind == "automl":
        return {"confidenceThreshold": 0.0, "maxPredictions": labels}
    return {}


def answer(kind: ModelKind, prediction: Mapping[str, Any]) -> Scored:
    """One element of ``predictions``, whatever the kind of model that gave it.

    BAD_DATA where our own server says in its place what is wrong with this photo.
    """
    if "error" in prediction:
        raise OpsError(
            Code.BAD_DATA,
            f"The model cannot read it: {_problem(prediction['error'])}.",
            "Save the photo anew as JPEG or PNG.",
        )
    if kind == "automl":
        pairs = zip(prediction["displayNames"], prediction["confidences"], strict=True)
    else:
        pairs = zip(prediction["labels"], prediction["scores"], strict=True)
    ranked = sorted(pairs, key=lambda pair: -float(pair[1]))
    scores = {str(label): float(score) for label, score in ranked}
    return Scored(prediction=str(ranked[0][0]), scores=scores)


def _problem(error: Any) -> str:
    said = error.get("message", error) if isinstance(error, Mapping) else error
    return re.sub(r"^instance \d+: ", "", str(said)).rstrip(".")
