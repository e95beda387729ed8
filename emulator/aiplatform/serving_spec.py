"""The prediction server of a deployed model as a process: its command and Vertex's variables."""

from __future__ import annotations

import re
import socket
from collections.abc import Sequence
from typing import Any

from emulator.aiplatform import models, names, signed_in, storage_access
from emulator.aiplatform.training_inputs import AUTOML_TASK
from emulator.cloud import Cloud
from emulator.errors import ApiError
from emulator.jobs import JobSpec, engines
from emulator.resourcemanager import projects
from emulator.storage.rights import GET
from emulator.tokens import Caller

Body = dict[str, Any]
AUTOML_ROUTES = ("/health", "/predict")
# $(NAME) in a container's arguments (ModelContainerSpec.args).
_REFERENCE = re.compile(r"\$\(([A-Za-z_][A-Za-z0-9_]*)\)")


def server_spec(cloud: Cloud, job: str, endpoint: str, deployed: Body) -> JobSpec:
    """The process of a deployed model.

    FAILED_PRECONDITION when no engine serves it here, or its account may not read it. Blocks.
    """
    model = models.require(cloud, models.deployed_version(deployed))
    container: Body = model.get("containerSpec", {})
    command = _command(cloud, container.get("imageUri", ""))
    health, predict = _routes(container, endpoint, deployed["id"])
    environment = {
        **{one["name"]: one.get("value", "") for one in container.get("env", [])},
        **_variables(cloud, model, endpoint, deployed),
        **_signed_in(cloud, job, model, deployed),
        "AIP_HEALTH_ROUTE": health,
        "AIP_PREDICT_ROUTE": predict,
    }
    arguments = [_expanded(one, environment) for one in container.get("args", [])]
    return JobSpec(job, (*command, *arguments), environment)


def _command(cloud: Cloud, image: str) -> Sequence[str]:
    subject = image or AUTOML_TASK
    command = engines.find(cloud.settings.engines, "serve", subject)
    if command is not None:
        return command
    option = f"--engine 'serve:{engines.without_tag(subject)}=COMMAND'"
    if image:
        raise ApiError(
            "FAILED_PRECONDITION",
            f"Failed to pull the image {image}: it is not known here. Start the server with "
            f"{option} to say which command stands for it.",
        )
    raise ApiError(
        "FAILED_PRECONDITION",
        f"No engine serves {subject}. Install the package with its extra 'train', or start the "
        f"server with {option}.",
    )


def _routes(container: Body, endpoint: str, deployed_id: str) -> tuple[str, str]:
    """Health and prediction route; the defaults are ModelContainerSpec's."""
    if not container:
        return AUTOML_ROUTES
    default = f"/v1/endpoints/{names.last(endpoint)}/deployedModels/{deployed_id}"
    health = container.get("healthRoute") or default
    return health, container.get("predictRoute") or f"{default}:predict"


def _variables(cloud: Cloud, model: Body, endpoint: str, deployed: Body) -> dict[str, str]:
    """Custom container requirements, "Environment variables set by Vertex AI"; read 2026-08-22."""
    project = model["name"].split("/")[1]
    machine = deployed.get("dedicatedResources", {}).get("machineSpec", {})
    return {
        "AIP_HTTP_PORT": str(_free_port()),
        "AIP_MODE": "PREDICTION",
        "AIP_STORAGE_URI": _artifacts(model),
        "AIP_PROJECT_NUMBER": str(projects.number(cloud, project)),
        "AIP_ENDPOINT_ID": names.last(endpoint),
        "AIP_DEPLOYED_MODEL_ID": deployed["id"],
        "AIP_MACHINE_TYPE": machine.get("machineType", ""),
        "AIP_ACCELERATOR_TYPE": machine.get("acceleratorType", ""),
        "GOOGLE_CLOUD_PROJECT": project,
    }


def _artifacts(model: Body) -> str:
    return str(model.get("artifactUri") or model.get(models.ARTIFACTS, ""))


def _signed_in(cloud: Cloud, job: str, model: Body, deployed: Body) -> dict[str, str]:
    """Who the process is: a custom model's container runs as the account that was named for it.

    AutoML's, and a container for which none was named, are Google's own: what they may read is
    not asked.
    """
    if not deployed.get("serviceAccount") or not model.get("containerSpec"):
        return {
            "STORAGE_EMULATOR_HOST": cloud.settings.base_url,
            "GOOGLE_APPLICATION_CREDENTIALS": str(cloud.settings.data_dir / "service-account.json"),
        }
    account = storage_access.account_of_job(cloud, model["name"], deployed)
    if folder := _artifacts(model):
        access = storage_access.Access(cloud, Caller(account.email, owner=False))
        access.require_folder(folder, GET)
    return signed_in.variables(cloud, account, cloud.jobs.path(job))


def _expanded(argument: str, environment: dict[str, str]) -> str:
    """An argument with the variables it names; a name that is not set stays, as on Google."""
    return _REFERENCE.sub(lambda found: environment.get(found[1], found[0]), argument)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
