"""Roles: Google's own to read, and a project's, made, changed, deleted and taken back."""

from __future__ import annotations

import re
from typing import Any

from emulator.errors import ApiError
from emulator.iam import rights, roles
from emulator.iam.calls import Call
from emulator.resourcemanager import projects
from emulator.typed_api import etag, masked, page

Body = dict[str, Any]

# docs.cloud.google.com/iam/quotas and .../docs/creating-custom-roles, as of 2026-05-30.
ROLE_ID = re.compile(r"[a-zA-Z0-9_.]{3,64}")
SETTABLE = ("title", "description", "includedPermissions", "stage")
STAGES = ("ALPHA", "BETA", "GA", "DEPRECATED", "DISABLED", "EAP")
LIMITS_BYTES = {"title": 100, "description": 300}
MOST_ROLES, MOST_PERMISSIONS, MOST_BYTES = 300, 3_000, 64 << 10


def listed(call: Call) -> Body:
    """`GET projects/P/roles`: without permissions unless `view=FULL`, deleted ones if asked."""
    parent = f"projects/{_project(call)}"
    rows = [_shown(name, body) for name, body in call.cloud.resources.list(roles.CUSTOM, parent)]
    if call.query.get("showDeleted") != "true":
        rows = [row for row in rows if not row.get("deleted")]
    return _page(call, rows)


def listed_predefined(call: Call) -> Body:
    """`GET roles`: those of Google's that the table has."""
    return _page(call, [_predefined(name) for name in roles.predefined()])


def create(call: Call) -> Body:
    """`POST projects/P/roles`. ALREADY_EXISTS for an id that is, or lately was, another's."""
    call.only("roleId", "role")
    role_id = str(call.body.get("roleId") or "")
    if not ROLE_ID.fullmatch(role_id):
        message = f"The role ID must match {ROLE_ID.pattern}. Received: {role_id}"
        raise ApiError("INVALID_ARGUMENT", message)
    project_id = _project(call)
    name = f"projects/{project_id}/roles/{role_id}"
    body = _checked(call.inner("role"))
    if call.cloud.resources.get(name) is not None:
        message = f"A role named {role_id} in projects/{project_id} already exists."
        raise ApiError("ALREADY_EXISTS", message)
    kept = call.cloud.resources.list(roles.CUSTOM, f"projects/{project_id}")
    if sum(not one.get("deleted") for _, one in kept) >= MOST_ROLES:
        raise ApiError("RESOURCE_EXHAUSTED", f"A project has at most {MOST_ROLES} custom roles.")
    call.cloud.resources.insert(roles.CUSTOM, name, body, f"projects/{project_id}")
    return _shown(name, body)


def get(call: Call) -> Body:
    """`GET projects/P/roles/R`."""
    return _shown(*_require(call))


def get_predefined(call: Call) -> Body:
    """`GET roles/R`."""
    name = f"roles/{call.names['role']}"
    if name not in roles.predefined():
        raise _missing(name)
    return _predefined(name)


def patch(call: Call) -> Body:
    """`PATCH projects/P/roles/R`: what the mask names, or what is sent."""
    with call.cloud.store.transaction():
        name, before = _require(call)
        if call.body.get("etag") not in (None, "", etag(before)):
            raise ApiError("ABORTED", f"There were concurrent changes of {name}.")
        sent = {key: value for key, value in call.body.items() if key not in ("name", "etag")}
        kept = {key: value for key, value in before.items() if key != "deleted"}
        mask = call.query.get("updateMask") or ",".join(sent)
        after = _checked(masked(kept, sent, mask) if mask else kept)
        after |= {key: before[key] for key in ("deleted",) if key in before}
        call.cloud.resources.replace(name, after)
    return _shown(name, after)


def delete(call: Call) -> Body:
    """`DELETE projects/P/roles/R`: it grants nothing any more, and can be taken back."""
    with call.cloud.store.transaction():
        name, body = _require(call)
        call.cloud.resources.replace(name, body | {"deleted": True})
    return _shown(name, body | {"deleted": True})


def undelete(call: Call) -> Body:
    """`POST projects/P/roles/R:undelete`."""
    with call.cloud.store.transaction():
        name, body = _require(call)
        if not body.pop("deleted", False):
            raise ApiError("FAILED_PRECONDITION", f"The role {name} is not deleted.")
        call.cloud.resources.replace(name, body)
    return _shown(name, body)


def _checked(sent: Body) -> Body:
    body = {key: sent[key] for key in SETTABLE if sent.get(key)}
    for key in sent:
        if key not in (*SETTABLE, "name", "etag", "deleted"):
            message = f"Invalid JSON payload received. Unknown name \"{key}\" at 'role'"
            raise ApiError("INVALID_ARGUMENT", f"{message}: Cannot find field.")
    for field, limit in LIMITS_BYTES.items():
        if len(str(body.get(field, "")).encode()) > limit:
            raise ApiError("INVALID_ARGUMENT", f"The {field} may have {limit} bytes.")
    if str(body.get("stage", "GA")) not in STAGES:
        raise ApiError("INVALID_ARGUMENT", f"Invalid value at 'role.stage': {body['stage']}")
    held = body.get("includedPermissions", [])
    if not isinstance(held, list):
        raise ApiError("INVALID_ARGUMENT", "Invalid value at 'role.included_permissions'.")
    rights.check_form(map(str, held))
    _check_size(body, held)
    return body


def _check_size(body: Body, held: list[Any]) -> None:
    if len(held) > MOST_PERMISSIONS:
        raise ApiError("INVALID_ARGUMENT", f"A role may have {MOST_PERMISSIONS} permissions.")
    texts = [str(body.get(field, "")) for field in LIMITS_BYTES] + [str(one) for one in held]
    if sum(len(text.encode()) for text in texts) > MOST_BYTES:
        raise ApiError("INVALID_ARGUMENT", "The title, description and permissions exceed 64 KB.")


def _project(call: Call) -> str:
    return projects.canonical(call.cloud, call.names["project"])


def _require(call: Call) -> tuple[str, Body]:
    name = f"projects/{_project(call)}/roles/{call.names['role']}"
    body = call.cloud.resources.get(name)
    if body is None:
        raise _missing(name)
    return name, body


def _missing(name: str) -> ApiError:
    return ApiError("NOT_FOUND", f"The role named {name} was not found.")


def _shown(name: str, body: Body) -> Body:
    return {"name": name, **body, "etag": etag(body)}


def _predefined(name: str) -> Body:
    held = sorted(roles.predefined()[name])
    return {"name": name, "includedPermissions": held, "stage": "GA", "etag": "AA=="}


def _page(call: Call, rows: list[Body]) -> Body:
    asked = {"pageSize": call.page(300, 1000)[1], "pageToken": call.query.get("pageToken", "")}
    if call.query.get("view") != "FULL":
        rows = [{k: v for k, v in row.items() if k != "includedPermissions"} for row in rows]
    return page("roles", rows, asked)
