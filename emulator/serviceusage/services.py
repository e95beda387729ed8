"""Services of a project: enabled from the start where the catalogue has them, until disabled."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from emulator.cloud import Cloud
from emulator.errors import ApiError
from emulator.resourcemanager import projects

Body = dict[str, Any]

CATALOGUE = Path(__file__).with_name("catalogue.toml")
KIND = "service"
NAME = re.compile(r"[a-z][a-z0-9-]*(\.[a-z0-9-]+)+")
GOOGLE = ".googleapis.com"
# serviceusage.googleapis.com, REST reference of services.batchGet and batchEnable
MOST_GOT, MOST_ENABLED = 30, 20


def get(cloud: Cloud, project: str, service: str) -> Body:
    """The service with its state. PERMISSION_DENIED for one that does not exist."""
    if not NAME.fullmatch(service) or not service.endswith(GOOGLE):
        raise _unknown(service)
    number = projects.number(cloud, projects.canonical(cloud, project))
    name = f"projects/{number}/services/{service}"
    kept = cloud.resources.get(name) or {}
    first = "ENABLED" if service in catalogue() else "DISABLED"
    return {
        "name": name,
        "config": {"name": service, "title": catalogue().get(service, service)},
        "state": kept.get("state", first),
        "parent": f"projects/{number}",
    }


def batch_get(cloud: Cloud, project: str, names: list[str]) -> list[Body]:
    """The services of these full names, in this order."""
    if not 1 <= len(names) <= MOST_GOT:
        message = f"Between 1 and {MOST_GOT} service names are needed. Received: {len(names)}."
        raise ApiError("INVALID_ARGUMENT", message)
    return [get(cloud, project, _service_of(cloud, project, name)) for name in names]


def listed(cloud: Cloud, project: str, state: str | None) -> list[Body]:
    """The services in a state (of any, without), by name."""
    number = projects.number(cloud, projects.canonical(cloud, project))
    kept = cloud.resources.list(KIND, f"projects/{number}")
    known = {*catalogue(), *(name.rsplit("/", 1)[1] for name, _ in kept)}
    found = [get(cloud, project, service) for service in sorted(known)]
    return [one for one in found if state in (None, one["state"])]


def put(cloud: Cloud, project: str, service: str, state: str) -> Body:
    """The service, from now on ENABLED or DISABLED."""
    found = get(cloud, project, service)
    name, body = found["name"], {"state": state}
    with cloud.store.transaction():
        if cloud.resources.get(name) is None:
            cloud.resources.insert(KIND, name, body, found["parent"])
        else:
            cloud.resources.replace(name, body)
    return {**found, "state": state}


def batch_enable(cloud: Cloud, project: str, services: list[str]) -> list[Body]:
    """The services, all of them enabled; none is when one of them does not exist."""
    if not 1 <= len(services) <= MOST_ENABLED:
        message = f"Between 1 and {MOST_ENABLED} service ids are needed. Received: {len(services)}."
        raise ApiError("INVALID_ARGUMENT", message)
    with cloud.store.transaction():
        return [put(cloud, project, service, "ENABLED") for service in services]


@cache
def catalogue() -> dict[str, str]:
    """Service name → title."""
    return tomllib.loads(CATALOGUE.read_text(encoding="utf-8"))


def _service_of(cloud: Cloud, project: str, name: str) -> str:
    """The service in a full name, whose project must be the one that is asked."""
    found = re.fullmatch(r"projects/([^/]+)/services/([^/]+)", name)
    wanted = projects.canonical(cloud, project)
    if found is None or projects.canonical(cloud, found[1]) != wanted:
        message = f"The service name {name} is not of projects/{project}."
        raise ApiError("INVALID_ARGUMENT", message)
    return found[2]


def _unknown(service: str) -> ApiError:
    detail = {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": "SERVICE_CONFIG_NOT_FOUND_OR_PERMISSION_DENIED",
        "domain": "serviceusage.googleapis.com",
        "metadata": {"services": service},
    }
    message = f"Not found or permission denied for service(s): {service}."
    return ApiError("PERMISSION_DENIED", message, [detail])
