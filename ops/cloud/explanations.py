"""Why a deployed model answers a photo as it does, asked in the way that its kind of model knows.

This file is the only place that knows it: our own models answer explanations beside predictions
(``parameters: {"explain": …}``, docs/adr/0006); AutoML's answer Vertex Explainable AI's ``explain``
where they were deployed with it ("Getting explanations", read 2026-11-22: deprecated since
2026-03-16, to end on 2027-03-16).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ops.cloud import endpoints, instances
from ops.cloud.instances import ModelKind
from ops.cloud.session import Session
from ops.errors import Code, OpsError

METHODS = ("xrai", "ig")
# Steps that AutoML's own explainer is asked for; ours has its own default.
AUTOML_STEPS = 25
_AUTOML_METHODS = {"xrai": "xrai_attribution", "ig": "integrated_gradients_attribution"}
_PICTURE = "b64_jpeg"


@dataclass(frozen=True)
class Asked:
    """The method, `steps` gradients (None: the usual), and labels (the best one if none)."""

    method: str = "xrai"
    steps: int | None = None
    labels: tuple[str, ...] = ()


@dataclass(frozen=True)
class Explanation:
    """What made a photo's score for one label, as the service tells it.

    `error` is the share of the score's rise that the attributions miss (0 is exact). `regions` are
    boxes in pixels of the photo that was sent, with their share (0-1) of the weight, heaviest
    first; `cells` is the map as rows of what each part added to the score. AutoML's models give
    neither. `picture` is a JPEG.
    """

    label: str
    score: float
    baseline_score: float
    error: float
    picture: bytes = b""
    regions: Sequence[Mapping[str, Any]] = ()
    cells: Sequence[Sequence[float]] = ()
    photo: Mapping[str, Any] = field(default_factory=dict)
    square: Mapping[str, Any] = field(default_factory=dict)


def ask(
    session: Session, endpoint: str, kind: ModelKind, photo: bytes, key: str, asked: Asked
) -> list[Explanation]:
    """An explanation for each label asked for. REFUSED where the model gives none."""
    instance = instances.instance(kind, photo, key)
    if kind == "automl":
        return _of_automl(session, endpoint, instance, asked)
    wanted: dict[str, Any] = {"method": asked.method, "overlay": True}
    if asked.steps is not None:
        wanted["steps"] = asked.steps
    if asked.labels:
        wanted["label"] = list(asked.labels)
    (prediction,) = endpoints.predict(session, endpoint, [instance], {"explain": wanted})
    instances.answer(kind, prediction)  # a photo that cannot be read says so here
    if "explanations" not in prediction:
        raise OpsError(
            Code.REFUSED,
            "The deployed model answers without explanations: its server does not know them.",
            "Train it again with this version, and type: ops deploy",
        )
    return [_own(one) for one in prediction["explanations"]]


def _own(told: Mapping[str, Any]) -> Explanation:
    overlay = told.get("overlay") or {}
    return Explanation(
        label=str(told["label"]),
        score=float(told["score"]),
        baseline_score=float(told["baselineScore"]),
        error=float(told["completenessError"]),
        picture=base64.b64decode(str(overlay.get("b64", ""))),
        regions=[dict(one) for one in told["regions"]],
        cells=[list(row) for row in told["map"]],
        photo=dict(told["photo"]),
        square=dict(told["square"]),
    )


def _of_automl(
    session: Session, endpoint: str, instance: Mapping[str, Any], asked: Asked
) -> list[Explanation]:
    from google.api_core.exceptions import BadRequest

    if asked.labels:
        raise OpsError(
            Code.USAGE,
            "An AutoML model explains the label that it answers, no other.",
            "Leave out --label.",
        )
    steps = {"step_count": asked.steps or AUTOML_STEPS}
    try:
        response = endpoints.explain(
            session, endpoint, instance, {_AUTOML_METHODS[asked.method]: steps}
        )
    except BadRequest as refused:
        # Over REST a failed precondition is any 400; other refusals are of the photo.
        if "explanation" not in str(refused.message):
            raise
        said = str(refused.message).rstrip(".")
        raise OpsError(
            Code.REFUSED,
            f"The AutoML model on this endpoint gives no explanations: {said}.",
            "Type: ops undeploy   and then: ops deploy --explain   (Google ends explanations of "
            "AutoML models on 2027-03-16; models of ops train --mode custom explain themselves)",
        ) from refused
    return [_attributed(one) for one in response.explanations[0].attributions]


def _attributed(attribution: Any) -> Explanation:
    return Explanation(
        label=str(attribution.output_display_name),
        score=float(attribution.instance_output_value),
        baseline_score=float(attribution.baseline_output_value),
        error=float(attribution.approximation_error),
        picture=_picture(attribution.feature_attributions),
    )


def _picture(features: Any) -> bytes:
    """The first picture among the features' attributions; empty without one.

    Its key, whatever the feature's name, is that of AI Platform's explanations of images; no record
    of Vertex AI's was found.
    """
    for one in dict(features or {}).values():
        if isinstance(one, Mapping) and isinstance(one.get(_PICTURE), str):
            try:
                return base64.b64decode(one[_PICTURE], validate=True)
            except binascii.Error:
                return b""
    return b""
