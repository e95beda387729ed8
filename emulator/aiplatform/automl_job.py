"""One AutoML training as a job: its folder made ready, its command found, its outcome read."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emulator.aiplatform import data_items, dataset_rows, names
from emulator.aiplatform.splits import SETS, Example, assign, check
from emulator.aiplatform.training_inputs import AUTOML_TASK
from emulator.cloud import Cloud
from emulator.errors import ApiError
from emulator.jobs import Ending, JobSpec, engines
from emulator.jobs.gcs_view import GcsView
from emulator.jobs.spec import read_json
from emulator.resourcemanager import projects

Body = dict[str, Any]
# The trainer stops by asking at its deadline; the supervisor ends one that does not.
TIMEOUT_FACTOR = 4.0
TIMEOUT_EXTRA_SECONDS = 120.0
STOP_REASONS = ("MODEL_CONVERGED", "BUDGET_REACHED")
ERROR_LINES = 3


@dataclass(frozen=True)
class Outcome:
    """What a training cost and why it stopped."""

    milli_node_hours: int
    stop_reason: str

    def to_json(self) -> Body:
        """`trainingTaskMetadata` of the pipeline; int64 as a string."""
        return {
            "costMilliNodeHours": str(self.milli_node_hours),
            "successfulStopReason": self.stop_reason,
        }


def hidden_bucket(cloud: Cloud, project: str) -> str:
    """The server's own bucket for the outputs of AutoML, in no list."""
    return f"emulator-automl-{projects.number(cloud, project)}"


def prefix(pipeline: str) -> str:
    """Where a pipeline's files are in the hidden bucket."""
    return f"jobs/{names.last(pipeline)}"


def max_seconds(cloud: Cloud, body: Body) -> float:
    """Local seconds that stand for the budget's node hours."""
    budget = int(body["trainingTaskInputs"]["budgetMilliNodeHours"])
    return budget / 1000 * cloud.settings.seconds_per_node_hour


def prepare(cloud: Cloud, body: Body) -> JobSpec:
    """The job's spec, its data and photos in place. ApiError for data AutoML cannot use."""
    command = engines.find(cloud.settings.engines, "train", AUTOML_TASK)
    if command is None:
        raise ApiError(
            "FAILED_PRECONDITION",
            f"No engine trains {AUTOML_TASK}. Install the package with its extra 'train', or start "
            f"the server with --engine 'train:{AUTOML_TASK}=COMMAND'.",
        )
    location = names.location(body["name"])
    config = body["inputDataConfig"]
    dataset = f"{location.name}/datasets/{config['datasetId']}"
    only = config.get("annotationsFilter", "")
    items = dataset_rows.examples(cloud, dataset, unlabelled=False, annotations_filter=only)
    sets = assign(items, config)
    used = set(check(sets))
    labels = [name for _, name in data_items.specs(cloud, dataset) if name in used]
    view = GcsView(cloud.jobs.path(names.last(body["name"])) / "mount")
    bucket = hidden_bucket(cloud, location.project)
    shutil.rmtree(view.folder, ignore_errors=True)
    _write_data(cloud, view, bucket, body, sets)
    _write_task(cloud, view, bucket, body, labels)
    return _spec(cloud, view, bucket, body, command)


def _write_data(
    cloud: Cloud, view: GcsView, bucket: str, body: Body, sets: dict[str, list[Example]]
) -> None:
    """The three files of rows, and every photo as a link to the bytes that were imported."""
    folder = view.path(f"gs://{bucket}/{prefix(body['name'])}/data")
    folder.mkdir(parents=True)
    multi_label = body["trainingTaskInputs"].get("multiLabel", False)
    for name in SETS:
        with (folder / f"{name}-00000-of-00001.jsonl").open("w") as file:
            for example in sets[name]:
                uri = _linked(cloud, view, bucket, body, example)
                file.write(json.dumps(_row(example, uri, name, multi_label)) + "\n")


def _linked(cloud: Cloud, view: GcsView, bucket: str, body: Body, example: Example) -> str:
    """The photo's address in the mount; another where two imports gave one address two bytes."""
    blob = cloud.blobs.path(example.sha256)
    if view.link(example.uri, blob):
        return example.uri
    uri = f"gs://{bucket}/{prefix(body['name'])}/images/{example.sha256}"
    view.link(uri, blob)
    return uri


def _row(example: Example, uri: str, name: str, multi_label: bool) -> Body:
    """One line of the data, as Vertex AI exports it."""
    shown = [{"displayName": label} for label in example.annotations]
    key = "classificationAnnotations" if multi_label else "classificationAnnotation"
    return {
        "imageGcsUri": uri,
        key: shown if multi_label else shown[0],
        "dataItemResourceLabels": {**example.labels, "aiplatform.googleapis.com/ml_use": name},
    }


def _write_task(cloud: Cloud, view: GcsView, bucket: str, body: Body, labels: list[str]) -> None:
    inputs = body["trainingTaskInputs"]
    task = {
        "trainingTaskDefinition": body["trainingTaskDefinition"],
        "trainingTaskInputs": {
            **inputs,
            "budgetMilliNodeHours": int(inputs["budgetMilliNodeHours"]),
        },
        "labels": labels,
        "maxSeconds": max_seconds(cloud, body),
        "seed": 0,
    }
    path = view.path(f"gs://{bucket}/{prefix(body['name'])}/data/task.json")
    path.write_text(json.dumps(task))


def _spec(
    cloud: Cloud, view: GcsView, bucket: str, body: Body, command: tuple[str, ...]
) -> JobSpec:
    base = f"gs://{bucket}/{prefix(body['name'])}"
    location = names.location(body["name"])
    data = {f"AIP_{name.upper()}_DATA_URI": f"{base}/data/{name}-*.jsonl" for name in SETS}
    environment = {
        **data,
        "AIP_DATA_FORMAT": "jsonl",
        "AIP_MODEL_DIR": f"{base}/model/",
        "AIP_CHECKPOINT_DIR": f"{base}/checkpoints/",
        "AIP_TENSORBOARD_LOG_DIR": f"{base}/logs/",
        "CLOUD_ML_JOB_ID": names.last(body["name"]),
        "CLOUD_ML_PROJECT_ID": str(projects.number(cloud, location.project)),
        "GCS_MOUNT": str(view.folder),
    }
    timeout = max_seconds(cloud, body) * TIMEOUT_FACTOR + TIMEOUT_EXTRA_SECONDS
    return JobSpec(names.last(body["name"]), command, environment, timeout)


def base_folder(cloud: Cloud, body: Body) -> Path:
    """The job's own folder inside its mount, where `model/` and `outcome.json` are."""
    bucket = hidden_bucket(cloud, names.location(body["name"]).project)
    view = GcsView(cloud.jobs.path(names.last(body["name"])) / "mount")
    return view.path(f"gs://{bucket}/{prefix(body['name'])}")


def outcome(cloud: Cloud, body: Body, ending: Ending) -> Outcome:
    """What `outcome.json` says; its cost is at most the budget. INTERNAL where it says nothing."""
    said = read_json(base_folder(cloud, body) / "outcome.json")
    if said is None or said.get("stopReason") not in STOP_REASONS:
        raise ApiError("INTERNAL", f"The training left no valid outcome.json. It says: {said}.")
    hours = float(said.get("nodeHours", node_hours_spent(cloud, ending)))
    budget = int(body["trainingTaskInputs"]["budgetMilliNodeHours"])
    return Outcome(min(round(hours * 1000), budget), said["stopReason"])


def node_hours_spent(cloud: Cloud, ending: Ending) -> float:
    """The node hours that a job's local seconds stand for; none for a job never started."""
    return (ending.ended - ending.started) / cloud.settings.seconds_per_node_hour


def failure(cloud: Cloud, job: str, ending: Ending) -> ApiError:
    """Why a job did not succeed, with the last it said."""
    if ending.reason == "timeout":
        return ApiError("DEADLINE_EXCEEDED", "The training did not stop at the end of its budget.")
    if ending.reason == "exited":
        said = last_words(cloud.jobs.path(job))
        return ApiError("INTERNAL", f"The training ended with exit code {ending.code}. {said}")
    return ApiError("INTERNAL", f"The training job was {ending.reason}. {ending.message}")


def last_words(folder: Path) -> str:
    """The last error that a job logged, else the last lines of its error output."""
    for line in reversed(_lines(folder / "stdout.log")):
        if '"ERROR"' in line or '"CRITICAL"' in line:
            try:
                return str(json.loads(line)["message"])
            except (ValueError, KeyError, TypeError):
                return line
    return " ".join(_lines(folder / "stderr.log")[-ERROR_LINES:])


def _lines(path: Path) -> list[str]:
    if not path.exists():
        return []
    return [line for line in path.read_text(errors="replace").splitlines() if line.strip()]
