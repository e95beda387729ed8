"""Routes of Cloud Build v1: builds of a region, and those without one."""

from __future__ import annotations

from pathlib import Path

from starlette.routing import Route

from emulator.cloud import Cloud
from emulator.cloudbuild import builds
from emulator.typed_api import TypedApi

TABLES = Path(__file__).parent / "tables"
PROJECT = "/v1/projects/{project}"
REGION = f"{PROJECT}/locations/{{location}}"
HANDLERS = {
    "CreateBuild": builds.create,
    "GetBuild": builds.get,
    "ListBuilds": builds.listed,
    "CancelBuild": builds.cancel,
}


def routes(cloud: Cloud) -> list[Route]:
    """Builds; triggers, worker pools and the rest are 501."""
    api = TypedApi(cloud, TABLES, HANDLERS)
    nouns = ("builds", "triggers", "workerPools")
    return api.routes(
        *(f"{place}/{noun}" for place in (PROJECT, REGION) for noun in nouns),
        *(f"{place}/{noun}/{{rest:path}}" for place in (PROJECT, REGION) for noun in nouns),
    )
