"""The image that a custom training runs in: which one, whether it is there, and having it built.

An image is named by its source: the same source is built once for a stack. Where the target runs
no containers (local), there is none to build. After it is there, a training names it by digest.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ops import image_names
from ops.cloud import docker, registry_images
from ops.cloud import session as sessions
from ops.cloud.session import Session
from ops.data import trainer_source
from ops.data.trainer_source import Device, Source
from ops.errors import Code, OpsError
from ops.image_names import ImageName
from ops.ledger import Ledger, Run
from ops.pricing import estimate
from ops.pricing.estimate import Cost
from ops.pricing.machines import Machine
from ops.progress import Progress
from ops.settings import Settings
from ops.workflows import preflight, prepared, trainer_build
from ops.workflows.train_options import CLOUD, DOCKER, NEVER, CustomOptions

EVENT = "image"
OURS = "src-"


def planned(settings: Settings, custom: CustomOptions, machine: Machine) -> str:
    """The image of a training: what was named, else that of the source for its machine."""
    named = custom.image or settings.trainer_image
    if named or not sessions.capabilities(settings).builds_images:
        return named or prepared.image(settings)
    source = trainer_source.read(device(machine.accelerator))
    return image_names.trainer(prepared.repository(settings), source.tag)


def kept_usd(settings: Settings, custom: CustomOptions, machine: Machine) -> float:
    """What of a cap is kept for a build, if it should be needed; nothing where none can be."""
    named = custom.image or settings.trainer_image
    if named or not sessions.capabilities(settings).builds_images:
        return 0.0
    return build_cost(device(machine.accelerator), settings.region).usd


def device(accelerator: str) -> Device:
    """What the image computes on."""
    return "gpu" if accelerator else "cpu"


def build_cost(kind: Device, region: str) -> Cost:
    """The most that a build can cost: its whole time limit."""
    return estimate.image_build(trainer_build.MOST_SECONDS[kind], region)


def beforehand(session: Session, inputs: Mapping[str, Any], how: str) -> tuple[Cost, ...]:
    """What having the image built will cost at most: nothing when it is there.

    NOT_FOUND for an image that is not there and is not to be built, or cannot be; NOT_PREPARED and
    DENIED when Google would not let it be built. Nothing is begun.
    """
    found = _in_registry(session, inputs)
    if found is None or _is_there(session, found):
        return ()
    source = _source(inputs, found)
    if source is None:
        raise _not_there(inputs["image"])
    if how == NEVER:
        raise _not_built(inputs["image"])
    if not registry_images.has_repository(session, found):
        raise _no_repository(found)
    if how == DOCKER:
        docker.check()
        return ()
    preflight.check_build(session)
    return (build_cost(source.device, session.settings.region),)


def ensure(ledger: Ledger, run: Run, how: str, progress: Progress) -> None:
    """The run's image is there and on record by its digest, built if it has to be."""
    inputs, session = run.plan["inputs"], ledger.session
    found = _in_registry(session, inputs)
    if found is None or not found.tag.startswith(OURS) or _on_record(run):
        return
    there = registry_images.digest(session, found)
    if not there:
        beforehand(session, inputs, how)
        there = _build(ledger, run, found, how, progress)
    run.event(EVENT, image=found.at(there), tag=found.tag)


def of(run: Run) -> str:
    """The image that a run trains in: by digest, where it was looked up."""
    return _on_record(run) or str(run.plan["inputs"]["image"])


def usd(run: Run) -> float:
    """What the builds cost that the run began, at most: the free minutes are not counted."""
    return sum(float(event.facts.get("usd", 0.0)) for event in run.events())


def _build(ledger: Ledger, run: Run, image: ImageName, how: str, progress: Progress) -> str:
    source = _source(run.plan["inputs"], image)
    assert source is not None
    name = str(run.plan["inputs"]["image"])
    if how == CLOUD:
        return trainer_build.by_cloud(ledger, run, source, image, name, progress)
    with progress.step("Building the trainer's image with Docker here"):
        docker.build(
            source.archive(),
            trainer_source.DOCKERFILE,
            trainer_build.arguments(source),
            name,
            trainer_build.MOST_SECONDS[source.device],
        )
    with progress.step("Pushing it"):
        return docker.push(ledger.session, image.host, name)


def _is_there(session: Session, image: ImageName) -> bool:
    """Whether the image is there; one of others' that may not be looked at is taken as there."""
    from google.api_core.exceptions import Forbidden

    try:
        return bool(registry_images.digest(session, image))
    except Forbidden:
        if image.tag.startswith(OURS):
            raise
        return True


def _in_registry(session: Session, inputs: Mapping[str, Any]) -> ImageName | None:
    """The image's name, if it is in Artifact Registry and the target runs containers."""
    if not session.capabilities.builds_images:
        return None
    return image_names.parse(str(inputs["image"]))


def _source(inputs: Mapping[str, Any], image: ImageName) -> Source | None:
    """The source that the image's tag is of; None for an image that somebody named."""
    if not image.tag.startswith(OURS):
        return None
    kind = device(str(inputs["machine"].get("acceleratorType", "")))
    source = trainer_source.read(kind)
    return source if source.tag == image.tag else None


def _on_record(run: Run) -> str:
    events = [event for event in run.events() if event.event == EVENT]
    return str(events[-1].facts["image"]) if events else ""


def _not_there(image: str) -> OpsError:
    return OpsError(
        Code.NOT_FOUND,
        f"There is no image {image}, and it is not the one of the source here.",
        "Leave --image out: the image of the trainer here is built and pushed",
    )


def _not_built(image: str) -> OpsError:
    return OpsError(
        Code.NOT_FOUND,
        f"There is no image {image} yet, and --build never builds none.",
        f"Type --build {CLOUD} or --build {DOCKER}",
    )


def _no_repository(image: ImageName) -> OpsError:
    return OpsError(
        Code.NOT_PREPARED,
        f"There is no repository {image.repository} for images in {image.region} of project "
        f"{image.project}.",
        "Type: make bootstrap   (it makes the repository), or name an image that is there: --image",
    )
