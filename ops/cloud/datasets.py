"""Image data sets of Vertex AI: make one, fill it, find it by its labels, count what it holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ops import names
from ops.cloud import vertex_modules
from ops.cloud.session import Session
from ops.cloud.wire import error_message

if TYPE_CHECKING:
    from google.cloud import aiplatform_v1

_SCHEMAS = "gs://google-cloud-aiplatform/schema/dataset/"
IMAGE_METADATA = f"{_SCHEMAS}metadata/image_1.0.0.yaml"
SINGLE_LABEL_IMPORT = f"{_SCHEMAS}ioformat/image_classification_single_label_io_format_1.0.0.yaml"
MULTI_LABEL_IMPORT = f"{_SCHEMAS}ioformat/image_classification_multi_label_io_format_1.0.0.yaml"
CREATE_SECONDS = 600.0
DELETE_SECONDS = 600.0
# A million photos: no figure is published, so the longest that a person would wait for.
IMPORT_SECONDS = 24 * 3600.0
BEGINNING = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Dataset:
    """A data set; `items` is how many photos it holds."""

    name: str
    display_name: str
    labels: dict[str, str]
    items: int
    created: datetime | None


@dataclass(frozen=True)
class ImportOutcome:
    """How an import ended: what it could not take, at most 20 messages, and what stopped it."""

    failures: tuple[str, ...]
    error: str = ""


def get(session: Session, name: str) -> Dataset | None:
    """The data set of this full resource name; None when there is none."""
    from google.api_core.exceptions import NotFound

    try:
        return _dataset(session.call(session.datasets().get_dataset, request={"name": name}))
    except NotFound:
        return None


def exists(session: Session, name: str) -> bool:
    """Whether there is such a data set; asked without a client (1.6 s to import)."""
    from google.api_core import exceptions

    wire = session.wire(f"{session.settings.region}-aiplatform.googleapis.com")
    answer = session.call(wire.send, "GET", f"/v1/{name}", b"", {})
    if answer.status not in (200, 404):
        message = f"{name}: {error_message(answer)}"
        raise exceptions.from_http_status(answer.status, message)  # type: ignore[no-untyped-call]
    return bool(answer.status == 200)


def find(session: Session, labels: Mapping[str, str]) -> list[Dataset]:
    """The data sets that carry all these labels, newest first."""
    request = {"parent": session.parent, "filter": names.label_filter(labels)}
    found = [
        _dataset(raw) for raw in session.call(session.datasets().list_datasets, request=request)
    ]
    return sorted(found, key=lambda dataset: dataset.created or BEGINNING, reverse=True)


def create(session: Session, display_name: str, labels: Mapping[str, str]) -> Dataset:
    """The new, empty data set."""
    body = {
        "display_name": display_name,
        "metadata_schema_uri": IMAGE_METADATA,
        "labels": dict(labels),
    }
    request = {"parent": session.parent, "dataset": body}
    operation = session.submit(session.datasets().create_dataset, request=request)
    return _dataset(session.wait(operation, CREATE_SECONDS))


def delete(session: Session, name: str) -> bool:
    """Whether there was such a data set to delete; returns when it is gone."""
    from google.api_core.exceptions import NotFound

    try:
        operation = session.call(session.datasets().delete_dataset, request={"name": name})
        session.wait(operation, DELETE_SECONDS)
    except NotFound:
        return False
    return True


def start_import(session: Session, name: str, uri: str, *, multi_label: bool = False) -> Any:
    """The operation that fills the data set from an import file in the bucket."""
    schema = MULTI_LABEL_IMPORT if multi_label else SINGLE_LABEL_IMPORT
    configs = [{"gcs_source": {"uris": [uri]}, "import_schema_uri": schema}]
    request = {"name": name, "import_configs": configs}
    return session.submit(session.datasets().import_data, request=request)


def running_import(session: Session, operation_name: str) -> Any:
    """An import known by its operation's name; None when that has been forgotten."""
    from google.api_core.exceptions import NotFound

    types = vertex_modules.messages("dataset_service")
    try:
        return session.operation(
            session.datasets(),
            operation_name,
            types.ImportDataResponse,
            types.ImportDataOperationMetadata,
        )
    except NotFound:
        return None


def has_failed(operation: Any) -> bool:
    """Whether the operation has ended, and not well."""
    return bool(operation.done()) and operation.operation.HasField("error")


def finish_import(
    session: Session, operation: Any, on_poll: Callable[[Any], None] | None = None
) -> ImportOutcome:
    """How the import ended; waits for it. TIMED_OUT after a day: the import itself goes on."""
    from google.api_core.exceptions import GoogleAPICallError

    error = ""
    try:
        session.wait(operation, IMPORT_SECONDS, on_poll)
    except GoogleAPICallError as cause:
        if not operation.done():
            raise
        error = str(cause.message)
    return ImportOutcome(_failures(operation.metadata), error)


def _failures(metadata: Any) -> tuple[str, ...]:
    found: Sequence[Any] = metadata.generic_metadata.partial_failures if metadata else ()
    return tuple(str(status.message) for status in found)


def _dataset(raw: aiplatform_v1.Dataset) -> Dataset:
    """The API's message as plain values."""
    return Dataset(
        name=raw.name,
        display_name=raw.display_name,
        labels=dict(raw.labels),
        items=int(raw.data_item_count),
        created=raw.create_time,
    )
