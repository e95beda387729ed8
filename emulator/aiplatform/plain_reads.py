"""Get and list of the kinds that are answered as they are stored, from one table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from emulator.aiplatform import listing, names, resources
from emulator.cloud import Cloud

Body = dict[str, Any]
Handler = Callable[[Cloud, Body], Body]

# Message -> its noun in texts; rows are of the kind `aiplatform.MESSAGE`.
ALIKE = {
    "TrainingPipeline": "training pipeline",
    "CustomJob": "custom job",
    "HyperparameterTuningJob": "hyperparameter tuning job",
    "Endpoint": "endpoint",
    "Schedule": "schedule",
    "DeploymentResourcePool": "deployment resource pool",
    "PersistentResource": "persistent resource",
}


def getter(noun: str) -> Handler:
    """A method that answers one resource by its name; NOT_FOUND without it."""
    return lambda cloud, request: resources.require(cloud, noun, request["name"])


def lister(message: str) -> Handler:
    """A method that answers one page of a location's resources of a kind."""
    kind, collection = f"aiplatform.{message}", f"{message[0].lower()}{message[1:]}s"

    def listed(cloud: Cloud, request: Body) -> Body:
        location = names.location(request["parent"])
        return listing.page(collection, resources.children(cloud, kind, location.name), request)

    return listed


HANDLERS = {
    **{f"Get{message}": getter(noun) for message, noun in ALIKE.items()},
    **{f"List{message}s": lister(message) for message in ALIKE},
}
