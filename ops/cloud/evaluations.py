"""Evaluations put beside a model version: what AutoML does by itself and custom models need."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ops.cloud.session import Session

METRICS_SCHEMA = (
    "gs://google-cloud-aiplatform/schema/modelevaluation/classification_metrics_1.0.0.yaml"
)
# The dimension of AutoML's own slices: "Evaluate a model", read 2026-08-22.
DIMENSION = "annotationSpec"


def find(session: Session, model_full: str, display_name: str) -> str | None:
    """The name of the version's evaluation with this display name; None when it has none."""
    client = session.models()
    pages = session.call(client.list_model_evaluations, request={"parent": model_full})
    return next((one.name for one in pages if one.display_name == display_name), None)


def import_evaluation(
    session: Session, model_full: str, display_name: str, metrics: Mapping[str, Any]
) -> str:
    """The name of the new evaluation of a version (`…/models/ID@VERSION`).

    `metrics` are fields of ``classification_metrics_1.0.0``.
    """
    evaluation = {
        "display_name": display_name,
        "metrics_schema_uri": METRICS_SCHEMA,
        "metrics": _value(metrics),
        "slice_dimensions": [DIMENSION],
    }
    request = {"parent": model_full, "model_evaluation": evaluation}
    made = session.submit(session.models().import_model_evaluation, request=request)
    return str(made.name)


def import_slices(
    session: Session, evaluation_name: str, slices: Iterable[Mapping[str, Any]]
) -> list[str]:
    """The names of the slices of an evaluation: those it has already, and the others, made now.

    A slice is `{"label", "metrics"}`, as in `evaluation.json`.
    """
    client = session.models()
    listed = session.call(client.list_model_evaluation_slices, request={"parent": evaluation_name})
    present = {one.slice_.value: one.name for one in listed}
    missing = [one for one in slices if one["label"] not in present]
    if not missing:
        return list(present.values())
    request = {
        "parent": evaluation_name,
        "model_evaluation_slices": [_slice(one) for one in missing],
    }
    made = session.submit(client.batch_import_model_evaluation_slices, request=request)
    return [*present.values(), *made.imported_model_evaluation_slices]


def _slice(one: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "slice_": {"dimension": DIMENSION, "value": one["label"]},
        "metrics_schema_uri": METRICS_SCHEMA,
        "metrics": _value(one["metrics"]),
    }


def _value(metrics: Mapping[str, Any]) -> Any:
    """Plain JSON as the protobuf value that the client wants."""
    from google.protobuf import json_format, struct_pb2

    return json_format.ParseDict(dict(metrics), struct_pb2.Value())
