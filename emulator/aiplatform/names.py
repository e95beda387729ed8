"""Resource names of Vertex AI: the one place that splits them."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from emulator.aiplatform.refusals import bad_field
from emulator.cloud import Cloud
from emulator.errors import ApiError
from emulator.resourcemanager import projects

# Regions of Vertex AI in google-cloud-aiplatform 2.7.0 (constants/base.py).
_REGIONS = """
    africa-south1 asia-east1 asia-east2 asia-northeast1 asia-northeast2 asia-northeast3
    asia-south1 asia-south2 asia-southeast1 asia-southeast2 australia-southeast1
    australia-southeast2 europe-central2 europe-north1 europe-north2 europe-southwest1 europe-west1
    europe-west2 europe-west3 europe-west4 europe-west6 europe-west8 europe-west9 europe-west12
    global me-central1 me-central2 me-west1 northamerica-northeast1 northamerica-northeast2
    southamerica-east1 southamerica-west1 us-central1 us-east1 us-east4 us-east5 us-east7 us-south1
    us-west1 us-west2 us-west3 us-west4 us-west8
"""
REGIONS = frozenset(_REGIONS.split())
# AutoML for images is offered in these two ("Locations", read 2026-08-22).
AUTOML_REGIONS = frozenset({"us-central1", "europe-west4"})
_PROJECT = re.compile(r"projects/([^/]+)(/.*)?", re.DOTALL)
_PARENT = re.compile(r"projects/([^/]+)/locations/([^/]+)")
# CreateEndpointRequest.endpoint_id (endpoint_service.proto); of digits, Terraform and the SDK take
# ten, the proto's text nine.
CLIENT_ID = re.compile(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?|[1-9][0-9]{0,9}")


# Collections whose ids only Google chooses: numbers. Others are the client's to choose.
NUMBERED = {
    "annotations": "Annotation",
    "annotationSpecs": "AnnotationSpec",
    "batchPredictionJobs": "BatchPredictionJob",
    "customJobs": "CustomJob",
    "dataItems": "DataItem",
    "datasets": "Dataset",
    "hyperparameterTuningJobs": "HyperparameterTuningJob",
    "schedules": "Schedule",
    "trainingPipelines": "TrainingPipeline",
}


@dataclass(frozen=True)
class Location:
    """A project and a region, from any name under them."""

    project: str
    region: str

    @property
    def name(self) -> str:
        """`projects/P/locations/L`."""
        return f"projects/{self.project}/locations/{self.region}"


def location(name: str) -> Location:
    """The project and region of a resource. INVALID_ARGUMENT for a region Google has not."""
    found = _PARENT.match(name)
    if found is None:
        raise ApiError("INVALID_ARGUMENT", f'Invalid resource name "{name}".')
    if found.group(2) not in REGIONS:
        message = f"Location {found.group(2)} is not supported by Vertex AI."
        raise ApiError("INVALID_ARGUMENT", f"{message} Example: us-central1.")
    return Location(found.group(1), found.group(2))


def check_ids(variables: Mapping[str, str]) -> None:
    """Raises INVALID_ARGUMENT, in the recorded words, for an id that cannot be one of Google's.

    `variables` are those of a path, by field. A region that Google has not is refused too.
    """
    for field, name in variables.items():
        if name.startswith("projects/"):
            location(name)
        parts = name.split("/")
        for collection, last in zip(parts[::2], parts[1::2], strict=False):
            if collection in NUMBERED and not last.isdecimal():
                message = f"Invalid {NUMBERED[collection]} resource name."
                raise bad_field(field, message)


def parent(name: str) -> str:
    """The name without its last collection and id."""
    return name.rsplit("/", 2)[0]


def last(name: str) -> str:
    """The last id of a name."""
    return name.rsplit("/", 1)[-1]


def new_id() -> str:
    """A numeric id of 19 digits, as Google's are."""
    return str(10**18 + secrets.randbelow(8 * 10**18))


def check_client_id(field: str, value: str) -> str:
    """The id that a client chose. INVALID_ARGUMENT when it has a form that Google refuses."""
    if not CLIENT_ID.fullmatch(value):
        raise ApiError(
            "INVALID_ARGUMENT",
            f'{field} must match {CLIENT_ID.pattern}. Received: "{value}".',
        )
    return value


def canonical(cloud: Cloud, name: str) -> str:
    """The name with the project's id, whether it came with the id or the number."""
    found = _PROJECT.fullmatch(name)
    if found is None:
        return name
    return f"projects/{projects.canonical(cloud, found.group(1))}{found.group(2) or ''}"


def rewrite(value: Any, change: Callable[[str], str]) -> Any:
    """A JSON value with every string that is a resource name changed."""
    if isinstance(value, str):
        return change(value) if value.startswith("projects/") else value
    if isinstance(value, dict):
        return {key: rewrite(item, change) for key, item in value.items()}
    if isinstance(value, list):
        return [rewrite(item, change) for item in value]
    return value


def with_project(value: Any, project: str, sent: str) -> Any:
    """A JSON value whose names carry the project as the client wrote it."""
    if project == sent:
        return value
    old, new = f"projects/{project}/", f"projects/{sent}/"
    return rewrite(value, lambda name: new + name[len(old) :] if name.startswith(old) else name)


def error_with_project(problem: ApiError, project: str, sent: str) -> ApiError:
    """The refusal, whose names carry the project as the client wrote it."""
    if project == sent or not project:
        return problem
    message = problem.message.replace(f"projects/{project}/", f"projects/{sent}/")
    return ApiError(problem.status, message, problem.details)
