"""Models of the registry and the evaluations that belong to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ops import names
from ops.cloud.instances import ModelKind, kind_of
from ops.cloud.session import Session

if TYPE_CHECKING:
    from google.cloud import aiplatform_v1

BEGINNING = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Model:
    """A model of the registry."""

    name: str
    version: str
    display_name: str
    kind: ModelKind
    labels: dict[str, str]
    pipeline_name: str
    created: datetime | None


@dataclass(frozen=True)
class Evaluation:
    """One evaluation: ``classification_metrics_1.0.0`` fields, overall or of one label."""

    name: str
    label: str
    metrics: dict[str, Any]


def get(session: Session, name: str) -> Model | None:
    """The model of this full resource name; None when there is none."""
    from google.api_core.exceptions import NotFound

    try:
        return _model(session.call(session.models().get_model, request={"name": name}))
    except NotFound:
        return None


def find(session: Session, labels: Mapping[str, str]) -> list[Model]:
    """The models that carry all these labels, newest first."""
    request = {"parent": session.parent, "filter": names.label_filter(labels)}
    found = [_model(raw) for raw in session.call(session.models().list_models, request=request)]
    return sorted(found, key=lambda model: model.created or BEGINNING, reverse=True)


def evaluations(session: Session, name: str) -> list[Evaluation]:
    """The overall evaluations of a model; AutoML makes one."""
    client = session.models()
    pages = session.call(client.list_model_evaluations, request={"parent": name})
    return [Evaluation(one.name, "", _plain(one.metrics)) for one in pages]


def slices(session: Session, evaluation_name: str) -> list[Evaluation]:
    """The evaluation of each label on its own."""
    client = session.models()
    request = {"parent": evaluation_name}
    pages = session.call(client.list_model_evaluation_slices, request=request)
    return [Evaluation(one.name, one.slice_.value, _plain(one.metrics)) for one in pages]


def _model(raw: aiplatform_v1.Model) -> Model:
    """The API's message as plain values."""
    source = raw.model_source_info.source_type.name
    return Model(
        name=raw.name,
        version=raw.version_id,
        display_name=raw.display_name,
        kind=kind_of(source, raw.container_spec.image_uri),
        labels=dict(raw.labels),
        pipeline_name=raw.training_pipeline,
        created=raw.create_time or None,
    )


def _plain(value: Any) -> Any:
    """A protobuf struct as dictionaries, lists and numbers."""
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, str | int | float | bool) or value is None:
        return value
    return [_plain(inner) for inner in value]
