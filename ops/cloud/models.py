"""Models of the registry and the evaluations that belong to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeAlias

from ops import names
from ops.cloud.instances import ModelKind, kind_of
from ops.cloud.session import Session

if TYPE_CHECKING:
    from google.cloud import aiplatform_v1

Operation: TypeAlias = Any
"""google.api_core.operation.Operation: what `Session.wait` waits for."""
DEFAULT = "default"
BEGINNING = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Model:
    """One version of a model of the registry.

    `name` is without the version; `created` is when this version was. `artifact_uri` is empty for
    AutoML's models, `image_uri` for those without a container of their own.
    """

    name: str
    version: str
    aliases: tuple[str, ...]
    display_name: str
    kind: ModelKind
    labels: dict[str, str]
    pipeline_name: str
    artifact_uri: str
    image_uri: str
    export_formats: tuple[str, ...]
    deployed: tuple[str, ...]
    created: datetime | None

    @property
    def full(self) -> str:
        """`projects/…/models/ID@VERSION`."""
        return names.versioned(self.name, self.version)

    @property
    def short(self) -> str:
        """`ID@VERSION`, as `--model` takes it."""
        return names.short_model(self.full)

    @property
    def is_default(self) -> bool:
        """Whether it is the version that the model's plain name means."""
        return DEFAULT in self.aliases


@dataclass(frozen=True)
class Evaluation:
    """One evaluation: ``classification_metrics_1.0.0`` fields, overall or of one label."""

    name: str
    label: str
    metrics: dict[str, Any]
    display_name: str = ""


def get(session: Session, name: str) -> Model | None:
    """The model version of this full name; the default one of a name without `@VERSION`, `@ALIAS`.

    None when there is none.
    """
    from google.api_core.exceptions import NotFound

    try:
        return _model(session.call(session.models().get_model, request={"name": name}))
    except NotFound:
        return None


def find(session: Session, labels: Mapping[str, str]) -> list[Model]:
    """The default versions that carry all these labels, newest first."""
    request = {"parent": session.parent, "filter": names.label_filter(labels)}
    found = [_model(raw) for raw in session.call(session.models().list_models, request=request)]
    return sorted(found, key=lambda model: model.created or BEGINNING, reverse=True)


def versions(session: Session, name: str) -> list[Model]:
    """Every version of the model of this full name, newest first; none when there is no model."""
    from google.api_core.exceptions import NotFound

    method = session.models().list_model_versions
    try:
        pages = session.call(method, request={"name": name.partition("@")[0]})
        found = [_model(raw) for raw in pages]
    except NotFound:
        return []
    return sorted(found, key=lambda model: int(model.version), reverse=True)


def set_alias(session: Session, full: str, alias: str) -> Model:
    """The version `…/ID@VERSION` with an alias, which is taken from the version that has it."""
    return _merge(session, full, alias)


def remove_alias(session: Session, full: str, alias: str) -> Model:
    """The version `…/ID@VERSION` without an alias."""
    return _merge(session, full, f"-{alias}")


def _merge(session: Session, full: str, alias: str) -> Model:
    request = {"name": full, "version_aliases": [alias]}
    return _model(session.call(session.models().merge_version_aliases, request=request))


def delete_version(session: Session, full: str) -> Operation:
    """The operation that deletes one version; not the only one, nor one that is deployed."""
    return session.submit(session.models().delete_model_version, request={"name": full})


def delete(session: Session, name: str) -> Operation:
    """The operation that deletes a model with all its versions, none of which is deployed."""
    return session.submit(session.models().delete_model, request={"name": name})


def export(session: Session, full: str, format_id: str, folder_uri: str) -> Operation:
    """The operation that puts a version's files below a folder of Cloud Storage."""
    where = {"output_uri_prefix": folder_uri}
    config = {"export_format_id": format_id, "artifact_destination": where}
    request = {"name": full, "output_config": config}
    return session.submit(session.models().export_model, request=request)


def evaluations(session: Session, name: str) -> list[Evaluation]:
    """The overall evaluations of a model version, newest first; AutoML makes one."""
    client = session.models()
    pages = session.call(client.list_model_evaluations, request={"parent": name})
    found = sorted(pages, key=lambda one: one.create_time or BEGINNING, reverse=True)
    return [Evaluation(one.name, "", _plain(one.metrics), one.display_name) for one in found]


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
        name=raw.name.partition("@")[0],
        version=raw.version_id,
        aliases=tuple(raw.version_aliases),
        display_name=raw.display_name,
        kind=kind_of(source, raw.container_spec.image_uri),
        labels=dict(raw.labels),
        pipeline_name=raw.training_pipeline,
        artifact_uri=raw.artifact_uri,
        image_uri=raw.container_spec.image_uri,
        export_formats=tuple(one.id for one in raw.supported_export_formats),
        deployed=tuple(one.endpoint for one in raw.deployed_models),
        created=raw.version_create_time or raw.create_time or None,
    )


def _plain(value: Any) -> Any:
    """A protobuf struct as dictionaries, lists and numbers."""
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, str | int | float | bool) or value is None:
        return value
    return [_plain(inner) for inner in value]
