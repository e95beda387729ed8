"""The life of projects: created, renamed, labelled, deleted, brought back.

A project that nobody created exists all the same on first use, unless the server was started
with `--project`; what is written here are only the differences from such a one.
"""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

from emulator.clock import timestamp
from emulator.cloud import Cloud
from emulator.errors import ApiError
from emulator.resourcemanager import projects

Body = dict[str, Any]

KIND = projects.KIND
# Project in google-cloud-resource-manager 1.19 (resourcemanager_v3/types/projects.py).
ID = re.compile(r"[a-z][a-z0-9-]{4,28}[a-z0-9]")
DISPLAY_NAME = re.compile(r"(?:[^\W_]|[ \-'\"!]){4,30}")
# App Engine opened on this day: projects that nobody created are as old as Google Cloud.
CREATED = "2008-04-07T00:00:00Z"
EXISTS = "Requested entity already exists"
DENIED = "The caller does not have permission"
OPERATION = "cp."


def create(cloud: Cloud, sent: Body) -> Body:
    """The new project. ALREADY_EXISTS for an id that has been used, INVALID_ARGUMENT for a bad one.

    `sent`: id, name, labels, parent.
    """
    project_id = str(sent.get("id", ""))
    if not ID.fullmatch(project_id):
        message = f"field [project_id] has issue [{project_id!r} is not a project id: 6 to 30"
        raise ApiError("INVALID_ARGUMENT", f"{message} lowercase letters, digits or hyphens]")
    name = str(sent.get("name") or project_id)
    _check_name(name)
    with cloud.store.transaction():
        if projects.used(cloud, project_id):
            raise ApiError("ALREADY_EXISTS", EXISTS)
        now = timestamp(cloud.clock.now())
        body = {"id": project_id, "name": name, "state": "ACTIVE", "created": now, "updated": now}
        body |= {key: sent[key] for key in ("labels", "parent") if sent.get(key)}
        cloud.resources.insert(KIND, projects.row_name(project_id), body, "projects")
        projects.number(cloud, project_id)
    return body


def get(cloud: Cloud, project: str) -> Body:
    """The project as it is kept, with its number. PERMISSION_DENIED for one that is not there."""
    try:
        project_id = projects.canonical(cloud, project, deleted_too=True)
    except ApiError as error:
        raise ApiError(error.status, DENIED) from None
    number = projects.number(cloud, project_id, deleted_too=True)
    plain = {"id": project_id, "name": project_id, "state": "ACTIVE"}
    plain |= {"created": CREATED, "updated": CREATED}
    kept = cloud.resources.get(projects.row_name(project_id)) or {}
    return {**plain, **kept, "number": number}


def change(cloud: Cloud, project: str, changes: Body) -> Body:
    """The project with other fields (name, labels, parent, state); None removes one."""
    with cloud.store.transaction():
        before = get(cloud, project)
        if before["state"] != "ACTIVE" and changes.get("state") != "ACTIVE":
            message = f"Project {before['id']} is marked for deletion."
            raise ApiError("FAILED_PRECONDITION", message)
        if "name" in changes:
            _check_name(str(changes["name"]))
        body = {**before, **changes, "updated": timestamp(cloud.clock.now())}
        body = {key: value for key, value in body.items() if value not in (None, {})}
        number = body.pop("number")
        row = projects.row_name(body["id"])
        if cloud.resources.get(row) is None:
            cloud.resources.insert(KIND, row, body, "projects")
        else:
            cloud.resources.replace(row, body)
    return {**body, "number": number}


def delete(cloud: Cloud, project: str) -> Body:
    """The project, marked for deletion: for 30 days on Google it can be brought back."""
    return change(cloud, project, {"state": "DELETE_REQUESTED"})


def undelete(cloud: Cloud, project: str) -> Body:
    """The project, active again. FAILED_PRECONDITION for one that was."""
    if get(cloud, project)["state"] == "ACTIVE":
        raise ApiError("FAILED_PRECONDITION", f"Project {project} is not marked for deletion.")
    return change(cloud, project, {"state": "ACTIVE"})


def every(cloud: Cloud) -> list[Body]:
    """Every project that has been used, named or created, by id."""
    return [get(cloud, project_id) for project_id in projects.known(cloud)]


def over(cloud: Cloud, metadata: Body, response: Body) -> Body:
    """An operation that is done, and can be asked for again."""
    name = f"operations/{OPERATION}{uuid4().int >> 64}"
    body = {"name": name, "metadata": metadata, "done": True, "response": response}
    cloud.resources.insert("projectOperation", name, body, "operations")
    return body


def _check_name(name: str) -> None:
    if not DISPLAY_NAME.fullmatch(name):
        message = f"field [display_name] has issue [{name!r} is not 4 to 30 letters, digits, "
        raise ApiError("INVALID_ARGUMENT", f"{message}spaces, hyphens, quotes or marks]")
