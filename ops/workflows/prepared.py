"""What a bootstrap prepared for trainings and deployments: accounts, and where images are.

Empty, or the default, for a stack that Terraform did not prepare: Google's own accounts serve.
"""

from __future__ import annotations

from importlib.metadata import version

from ops import image_names, names
from ops.cloud.instances import ModelKind
from ops.settings import Settings
from ops.workflows import records

TRAINER, PREDICTOR, REPOSITORY = "trainer_email", "predictor_email", "repository"
RUNNER = "runner_email"


def trainer(settings: Settings) -> str:
    """The account that custom trainings run as; AutoML's run as Vertex AI's own agent."""
    return records.output(settings, TRAINER)


def predictor(settings: Settings, kind: ModelKind) -> str:
    """The account that a model's container runs as; AutoML's models have no container of ours."""
    return records.output(settings, PREDICTOR) if kind == "custom" else ""


def builder(settings: Settings) -> str:
    """The account that builds of images run as: the stack's runner, who may push them."""
    return records.output(settings, RUNNER)


def repository(settings: Settings) -> str:
    """Where the stack's images are: REGION-docker.pkg.dev/PROJECT/REPOSITORY."""
    own = image_names.stack_repository(settings.project, settings.region, settings.stack)
    return records.output(settings, REPOSITORY) or own


def image(settings: Settings) -> str:
    """The image that trains and serves custom models: as set, else from the stack's repository."""
    repository = records.output(settings, REPOSITORY)
    if settings.trainer_image or not repository:
        return settings.image
    return names.image_in(repository, version("ops"))
