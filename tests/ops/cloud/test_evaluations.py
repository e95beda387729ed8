"""Evaluations imported for a model version, through Google's client."""

from __future__ import annotations

from typing import Any

import pytest

from ops.cloud import evaluations, models
from ops.cloud.session import Session

IMAGE = "us-central1-docker.pkg.dev/local-project/ops/trainer:1"
METRICS: dict[str, Any] = {
    "auPrc": 0.9675,
    "logLoss": 0.25,
    "confidenceMetrics": [
        {"precision": 0.5, "recall": 1.0},
        {"confidenceThreshold": 0.5, "precision": 1.0, "recall": 0.875, "truePositiveCount": "7"},
    ],
    "confusionMatrix": {
        "annotationSpecs": [{"displayName": "cat"}, {"displayName": "dog"}],
        "rows": [[7, 1], [0, 8]],
    },
}
SLICES = [{"label": label, "metrics": {"auPrc": 0.5, "logLoss": 0}} for label in ("dog", "cat")]


def uploaded(session: Session, **more: str) -> models.Model:
    """A new custom model, or with `parent_model` its next version."""
    model = {"display_name": "m", "container_spec": {"image_uri": IMAGE}}
    request = {"parent": session.parent, "model": model, **more}
    made = session.wait(session.submit(session.models().upload_model, request=request), 60)
    found = models.get(session, f"{made.model}@{made.model_version_id}")
    assert found is not None
    return found


def test_numbers_and_the_nested_matrix_survive(session: Session) -> None:
    """What is read is what was imported, whole numbers and nested arrays included."""
    model = uploaded(session)

    name = evaluations.import_evaluation(session, model.full, "run-1", METRICS)

    (found,) = models.evaluations(session, model.full)
    assert (found.name, found.display_name, found.metrics) == (name, "run-1", METRICS)
    assert evaluations.find(session, model.full, "run-1") == name
    assert evaluations.find(session, model.full, "run-2") is None


def test_slices_are_imported_once_in_their_order(session: Session) -> None:
    """A repeat after a part of them makes only what is missing."""
    name = evaluations.import_evaluation(session, uploaded(session).full, "run-1", METRICS)

    first = evaluations.import_slices(session, name, SLICES[:1])
    both = evaluations.import_slices(session, name, SLICES)
    again = evaluations.import_slices(session, name, SLICES)

    assert first == both[:1] and again == both
    found = models.slices(session, name)
    assert [(one.name, one.label) for one in found] == [(both[0], "dog"), (both[1], "cat")]
    assert found[0].metrics == SLICES[0]["metrics"]


def test_each_version_has_its_own_evaluations(session: Session) -> None:
    """The second version of a model is not judged by the first one's figures."""
    first = uploaded(session)
    second = uploaded(session, parent_model=first.name)

    evaluations.import_evaluation(session, first.full, "run-1", METRICS)
    evaluations.import_evaluation(session, second.full, "run-2", {**METRICS, "auPrc": 1})

    assert [one.metrics["auPrc"] for one in models.evaluations(session, first.full)] == [0.9675]
    assert [one.metrics["auPrc"] for one in models.evaluations(session, second.full)] == [1]
    assert models.evaluations(session, first.name)[0].display_name == "run-1"


def test_metrics_that_are_no_object_are_refused(session: Session) -> None:
    """Google's own check of required fields, by name."""
    from google.api_core.exceptions import BadRequest

    with pytest.raises(BadRequest, match=r"model_evaluation\.metrics"):
        evaluations.import_evaluation(session, uploaded(session).full, "run-1", {})
