"""Repositories: made, found, changed, deleted; changes are operations that are over at once."""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

from starlette.requests import Request

from emulator.clock import timestamp
from emulator.cloud import Cloud
from emulator.errors import ApiError
from emulator.resourcemanager import projects
from emulator.typed_api import masked, page

Body = dict[str, Any]

KIND = "repository"
TYPES = "type.googleapis.com/google.devtools.artifactregistry.v1."
NAME = re.compile(r"projects/([^/]+)/locations/([a-z0-9-]+)/repositories/([^/]+)")
PARENT = re.compile(r"projects/([^/]+)/locations/([a-z0-9-]+)")
# AIP-122's form of an id; no source found for one of Artifact Registry's own.
ID = re.compile(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?")
NOT_FOUND = "Requested entity was not found."
EXISTS = "the repository already exists"
MUTABLE = frozenset(
    {"description", "labels", "cleanupPolicies", "cleanupPolicyDryRun", "dockerConfig",
     "virtualRepositoryConfig", "remoteRepositoryConfig", "vulnerabilityScanningConfig"}
)  # fmt: skip
UNSCANNED = "API containerscanning.googleapis.com is not enabled."
UNSCANNABLE = "Repository mode {} is not supported."


def create(cloud: Cloud, request: Body, _: Request) -> Body:
    """An operation that ends with the repository. ALREADY_EXISTS when the name is taken."""
    found = PARENT.fullmatch(request["parent"])
    last = request.get("repositoryId", "")
    if found is None or not ID.fullmatch(last):
        message = f"Invalid repository name: '{request['parent']}/repositories/{last}'."
        raise ApiError("INVALID_ARGUMENT", message)
    sent = request.get("repository", {})
    if sent.get("format", "FORMAT_UNSPECIFIED") == "FORMAT_UNSPECIFIED":
        raise ApiError("INVALID_ARGUMENT", "The repository format must be set.")
    project_id = projects.canonical(cloud, found[1])
    key = f"projects/{project_id}/locations/{found[2]}/repositories/{last}"
    now = timestamp(cloud.clock.now())
    body = {**sent, "mode": _mode(sent), "name": key, "createTime": now, "updateTime": now}
    with cloud.store.transaction():
        if cloud.resources.get(key) is not None:
            raise ApiError("ALREADY_EXISTS", EXISTS)
        cloud.resources.insert(KIND, key, body, key.rpartition("/repositories/")[0])
        return _over(cloud, key, {"@type": f"{TYPES}Repository", **_shown(body, now)})


def get(cloud: Cloud, request: Body, _: Request) -> Body:
    """The repository, with the address that images are pushed to."""
    body = _require(cloud, request["name"])
    _, project_id, _, location, _, last = body["name"].split("/")
    kind = str(body["format"]).lower()
    address = f"{location}-{kind}.pkg.dev/{project_id}/{last}"
    return {**_shown(body, body["createTime"]), "registryUri": address}


def listed(cloud: Cloud, request: Body, _: Request) -> Body:
    """The repositories of a place."""
    found = PARENT.fullmatch(request["parent"])
    if found is None:
        raise ApiError("INVALID_ARGUMENT", f"Invalid parent: '{request['parent']}'.")
    parent = f"projects/{projects.canonical(cloud, found[1])}/locations/{found[2]}"
    rows = [_shown(body, body["createTime"]) for _, body in cloud.resources.list(KIND, parent)]
    return page("repositories", rows, request)


def update(cloud: Cloud, request: Body, _: Request) -> Body:
    """The repository after an update by mask."""
    sent = request.get("repository", {})
    mask = request.get("updateMask", "")
    with cloud.store.transaction():
        before = _require(cloud, sent.get("name", ""))
        changed = masked(before, sent, mask)
        for field in changed.keys() | before.keys():
            if field not in MUTABLE and changed.get(field) != before.get(field):
                raise ApiError("INVALID_ARGUMENT", f"Field {field} cannot be updated.")
        changed["updateTime"] = timestamp(cloud.clock.now())
        cloud.resources.replace(before["name"], changed)
    return _shown(changed, changed["createTime"])


def delete(cloud: Cloud, request: Body, _: Request) -> Body:
    """An operation; the repository is gone."""
    with cloud.store.transaction():
        body = _require(cloud, request["name"])
        cloud.resources.delete(body["name"])
        policy = policy_name(body["name"])
        if cloud.resources.get(policy) is not None:
            cloud.resources.delete(policy)
        empty = {"@type": "type.googleapis.com/google.protobuf.Empty"}
        return _over(cloud, body["name"], empty)


def key_of(cloud: Cloud, name: str) -> str:
    """The name with the project's id. NOT_FOUND for what is no repository's."""
    found = NAME.fullmatch(name)
    if found is None:
        raise ApiError("NOT_FOUND", NOT_FOUND)
    project_id = projects.canonical(cloud, found[1])
    return f"projects/{project_id}/locations/{found[2]}/repositories/{found[3]}"


def policy_name(key: str) -> str:
    """Where the repository's policy is kept."""
    return f"{key}:policy"


def _require(cloud: Cloud, name: str) -> Body:
    body = cloud.resources.get(key_of(cloud, name))
    if body is None:
        raise ApiError("NOT_FOUND", NOT_FOUND)
    return body


def _mode(sent: Body) -> str:
    mode = str(sent.get("mode", "MODE_UNSPECIFIED"))
    return "STANDARD_REPOSITORY" if mode == "MODE_UNSPECIFIED" else mode


def _shown(body: Body, since: str) -> Body:
    """With the scanning of images, which nothing here does, in the words of recorded answers."""
    state, reason = "SCANNING_DISABLED", UNSCANNED
    if body["mode"] != "STANDARD_REPOSITORY":
        state, reason = "SCANNING_UNSUPPORTED", UNSCANNABLE.format(body["mode"])
    scanning = {
        "lastEnableTime": since,
        **body.get("vulnerabilityScanningConfig", {}),
        "enablementState": state,
        "enablementStateReason": reason,
    }
    return {**body, "satisfiesPzi": True, "vulnerabilityScanningConfig": scanning}


def _over(cloud: Cloud, key: str, response: Body) -> Body:
    """An operation that is done; named by a UUID, which tells it from Vertex AI's."""
    name = f"{key.rpartition('/repositories/')[0]}/operations/{uuid4()}"
    metadata = {"@type": f"{TYPES}OperationMetadata"}
    body = {"name": name, "metadata": metadata, "done": True, "response": response}
    cloud.resources.insert("registryOperation", name, body, name.rpartition("/operations/")[0])
    return body
