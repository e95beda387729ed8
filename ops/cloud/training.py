"""Training pipelines: submit one, find it again by its labels, read how it goes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ops import names
from ops.cloud.session import Session

if TYPE_CHECKING:
    from google.cloud import aiplatform_v1

BEGINNING = datetime.min.replace(tzinfo=UTC)

AUTOML_IMAGE_CLASSIFICATION = (
    "gs://google-cloud-aiplatform/schema/trainingjob/definition/"
    "automl_image_classification_1.0.0.yaml"
)
CUSTOM_TASK = "gs://google-cloud-aiplatform/schema/trainingjob/definition/custom_task_1.0.0.yaml"
# A custom job's disk: the default of WorkerPoolSpec.diskSpec in aiplatform_v1, said aloud.
DISK = {"bootDiskType": "pd-ssd", "bootDiskSizeGb": 100}
SERVING = {
    "predict_route": "/predict",
    "health_route": "/health",
    "ports": [{"container_port": 8080}],
    # In place of the image's entry point, which trains (trainer/Dockerfile).
    "command": ["python", "-m", "trainer.serve"],
}
ML_USE_FILTER = "labels.aiplatform.googleapis.com/ml_use={split}"
ENDED = frozenset({"PIPELINE_STATE_SUCCEEDED", "PIPELINE_STATE_FAILED", "PIPELINE_STATE_CANCELLED"})


@dataclass(frozen=True)
class Pipeline:
    """A training pipeline as the API tells it; absent values are None or empty."""

    name: str
    display_name: str
    state: str
    labels: dict[str, str]
    model_id: str
    parent_model: str
    model_name: str
    error: str
    created: datetime | None
    started: datetime | None
    ended: datetime | None
    stop_reason: str
    node_hours: float | None

    @property
    def is_ended(self) -> bool:
        """Whether the state is final."""
        return self.state in ENDED

    @property
    def succeeded(self) -> bool:
        """Whether the pipeline left a model."""
        return self.state == "PIPELINE_STATE_SUCCEEDED"


@dataclass(frozen=True)
class AutoMlSpec:
    """What an AutoML image classification pipeline is asked to do.

    `place` is `model_id` or `parent_model` with its value: `ops.workflows.registry.Place.fields`.
    """

    display_name: str
    dataset_id: str
    place: Mapping[str, str]
    model_display_name: str
    budget_node_hours: float
    multi_label: bool
    labels: Mapping[str, str]

    def body(self) -> dict[str, Any]:
        """The pipeline in the API's own field names.

        The budget is always sent: the API's own default is 192 node hours (vertex.md, 1.3). The
        split was decided at the import and is matched on ``ml_use``, never drawn again.
        """
        return {
            "display_name": self.display_name,
            "labels": dict(self.labels),
            "input_data_config": {
                "dataset_id": self.dataset_id,
                "filter_split": {
                    f"{split}_filter": ML_USE_FILTER.format(split=split)
                    for split in ("training", "validation", "test")
                },
            },
            "training_task_definition": AUTOML_IMAGE_CLASSIFICATION,
            "training_task_inputs": {
                "modelType": "CLOUD",
                "budgetMilliNodeHours": round(self.budget_node_hours * 1000),
                "multiLabel": self.multi_label,
                "disableEarlyStopping": False,
            },
            **self.place,
            "model_to_upload": {
                "display_name": self.model_display_name,
                "labels": dict(self.labels),
            },
        }


@dataclass(frozen=True)
class CustomSpec:
    """What a custom training pipeline is asked to do: a container, its arguments, its machine.

    `machine_spec` is Vertex's; `place` is model_id or parent_model with its value; the output
    folder gets model/, logs/ and checkpoints/. `service_account` is whom it runs as; empty: Vertex
    AI's own agent for custom code.
    """

    display_name: str
    place: Mapping[str, str]
    model_display_name: str
    image: str
    arguments: Sequence[str]
    machine_spec: Mapping[str, Any]
    spot: bool
    output_uri: str
    timeout_seconds: int
    labels: Mapping[str, str]
    service_account: str = ""

    def body(self) -> dict[str, Any]:
        """The pipeline in the API's own field names; the task's inputs in its schema's."""
        acting = {"serviceAccount": self.service_account} if self.service_account else {}
        return {
            "display_name": self.display_name,
            "labels": dict(self.labels),
            "training_task_definition": CUSTOM_TASK,
            "training_task_inputs": {
                "workerPoolSpecs": [self._worker_pool()],
                "baseOutputDirectory": {"outputUriPrefix": self.output_uri},
                "scheduling": {
                    "timeout": f"{self.timeout_seconds}s",
                    "strategy": "SPOT" if self.spot else "STANDARD",
                },
                **acting,
            },
            **self.place,
            "model_to_upload": {
                "display_name": self.model_display_name,
                "labels": dict(self.labels),
                "container_spec": {"image_uri": self.image, **SERVING},
            },
        }

    def _worker_pool(self) -> dict[str, Any]:
        return {
            "machineSpec": dict(self.machine_spec),
            "replicaCount": "1",
            "diskSpec": DISK,
            "containerSpec": {"imageUri": self.image, "args": list(self.arguments)},
        }


def submit(session: Session, spec: AutoMlSpec | CustomSpec) -> Pipeline:
    """The new pipeline; it runs from now on, and on Google it costs money."""
    request = {"parent": session.parent, "training_pipeline": spec.body()}
    return _pipeline(session.submit(session.pipelines().create_training_pipeline, request=request))


def get(session: Session, name: str) -> Pipeline:
    """The pipeline of this full resource name."""
    client = session.pipelines()
    return _pipeline(session.call(client.get_training_pipeline, request={"name": name}))


def find(session: Session, labels: Mapping[str, str]) -> list[Pipeline]:
    """The pipelines that carry all these labels, oldest first."""
    request = {"parent": session.parent, "filter": names.label_filter(labels)}
    pages = session.call(session.pipelines().list_training_pipelines, request=request)
    found = [_pipeline(raw) for raw in pages]
    return sorted(found, key=lambda pipeline: pipeline.created or BEGINNING)


def cancel(session: Session, name: str) -> None:
    """The pipeline is asked to stop, and what it used is billed on Google."""
    session.call(session.pipelines().cancel_training_pipeline, request={"name": name})


def _pipeline(raw: aiplatform_v1.TrainingPipeline) -> Pipeline:
    """The API's message as plain values."""
    metadata: Mapping[str, Any] = raw.training_task_metadata or {}
    cost = metadata.get("costMilliNodeHours")
    return Pipeline(
        name=raw.name,
        display_name=raw.display_name,
        state=raw.state.name,
        labels=dict(raw.labels),
        model_id=raw.model_id,
        parent_model=raw.parent_model,
        model_name=names.versioned(raw.model_to_upload.name, raw.model_to_upload.version_id),
        error=raw.error.message,
        created=raw.create_time or None,
        started=raw.start_time or None,
        ended=raw.end_time or None,
        stop_reason=str(metadata.get("successfulStopReason", "")),
        node_hours=None if cost is None else float(cost) / 1000,
    )
