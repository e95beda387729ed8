"""Projects as Resource Manager v1 and v3 show them, and the methods on them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from starlette.requests import Request

from emulator.cloud import Cloud
from emulator.errors import ApiError
from emulator.iam import enforce, targets
from emulator.resourcemanager import lifecycle
from emulator.resourcemanager.bodies import only
from emulator.typed_api import masked, page

Body = dict[str, Any]
Rule = Callable[[Cloud, str, Body, Request], Body]

TYPES = "type.googleapis.com/google.cloudresourcemanager.v1."
TYPES_V3 = "type.googleapis.com/google.cloud.resourcemanager.v3."
# The fields of a project in v1; those that are computed are taken and not looked at.
V1_FIELDS = (
    "projectNumber", "projectId", "lifecycleState", "name", "createTime", "labels", "parent",
    "tags",
)  # fmt: skip
V3_FIELDS = (
    "name", "parent", "projectId", "state", "displayName", "createTime", "updateTime",
    "deleteTime", "etag", "labels", "tags",
)  # fmt: skip
# google/cloud/resourcemanager/v3/projects.proto, in the order of their numbers.
STATES = ("STATE_UNSPECIFIED", "ACTIVE", "DELETE_REQUESTED")
# Whoever has it sees a project in lists.
SEEN_WITH = "resourcemanager.projects.get"
TERM = re.compile(r"(id|projectId|name|displayName|state|lifecycleState|labels\.[\w-]+)[:=](\S+)")


def v1(body: Body) -> Body:
    """A project in v1's form."""
    shown = {
        "projectNumber": str(body["number"]),
        "projectId": body["id"],
        "lifecycleState": body["state"],
        "name": body["name"],
        "createTime": body["created"],
    }
    if parent := body.get("parent"):
        kind, _, last = parent.partition("/")
        shown["parent"] = {"type": kind.removesuffix("s"), "id": last}
    return shown | ({"labels": body["labels"]} if body.get("labels") else {})


def v3(body: Body) -> Body:
    """A project in v3's form."""
    shown = {
        "name": f"projects/{body['number']}",
        "projectId": body["id"],
        "displayName": body["name"],
        "state": body["state"],
        "createTime": body["created"],
        "updateTime": body["updated"],
        "etag": f'W/"{body["number"]:x}{len(str(body)):x}"',
    }
    return shown | {key: body[key] for key in ("parent", "labels") if body.get(key)}


def _get_v1(cloud: Cloud, project: str, _: Body, _request: Request) -> Body:
    return v1(lifecycle.get(cloud, project))


def _get_v3(cloud: Cloud, project: str, _: Body, request: Request) -> Body:
    shown = v3(lifecycle.get(cloud, project))
    if "enum-encoding=int" in request.query_params.get("$alt", ""):
        shown["state"] = STATES.index(shown["state"])
    return shown


def _create_v1(cloud: Cloud, _: str, body: Body, _request: Request) -> Body:
    only(body, *V1_FIELDS)
    parent = _v3_parent(body.get("parent"))
    sent = {"id": body.get("projectId"), "name": body.get("name"), "labels": body.get("labels")}
    made = lifecycle.get(cloud, lifecycle.create(cloud, {**sent, "parent": parent})["id"])
    status = {"@type": f"{TYPES}ProjectCreationStatus", "createTime": made["created"]}
    status |= {"gettable": True, "ready": True}
    return lifecycle.over(cloud, status, {"@type": f"{TYPES}Project", **v1(made)})


def _update_v1(cloud: Cloud, project: str, body: Body, _: Request) -> Body:
    only(body, *V1_FIELDS)
    changes = {"name": body.get("name", project), "labels": body.get("labels")}
    if parent := _v3_parent(body.get("parent")):
        changes["parent"] = parent
    return v1(lifecycle.change(cloud, project, changes))


def _delete_v1(cloud: Cloud, project: str, _: Body, _request: Request) -> Body:
    lifecycle.delete(cloud, project)
    return {}


def _undelete_v1(cloud: Cloud, project: str, body: Body, _: Request) -> Body:
    only(body)
    lifecycle.undelete(cloud, project)
    return {}


def _list_v1(cloud: Cloud, _: str, _body: Body, request: Request) -> Body:
    return _listed(cloud, request, request.query_params.get("filter", ""), v1)


def _search_v3(cloud: Cloud, _: str, _body: Body, request: Request) -> Body:
    return _listed(cloud, request, request.query_params.get("query", ""), v3)


def _create_v3(cloud: Cloud, _: str, body: Body, _request: Request) -> Body:
    only(body, *V3_FIELDS)
    sent = {"id": body.get("projectId"), "name": body.get("displayName")}
    sent |= {key: body.get(key) for key in ("labels", "parent")}
    made = lifecycle.get(cloud, lifecycle.create(cloud, sent)["id"])
    status = {"@type": f"{TYPES_V3}CreateProjectMetadata", "createTime": made["created"]}
    status |= {"gettable": True, "ready": True}
    return lifecycle.over(cloud, status, {"@type": f"{TYPES_V3}Project", **v3(made)})


def _update_v3(cloud: Cloud, project: str, body: Body, request: Request) -> Body:
    only(body, *V3_FIELDS)
    mask = request.query_params.get("updateMask", "displayName,labels")
    changed = masked(v3(lifecycle.get(cloud, project)), body, mask)
    changes = {"name": changed.get("displayName", project), "labels": changed.get("labels")}
    return _over_v3(cloud, "UpdateProjectMetadata", lifecycle.change(cloud, project, changes))


def _delete_v3(cloud: Cloud, project: str, _: Body, _request: Request) -> Body:
    return _over_v3(cloud, "DeleteProjectMetadata", lifecycle.delete(cloud, project))


def _undelete_v3(cloud: Cloud, project: str, body: Body, _: Request) -> Body:
    only(body)
    return _over_v3(cloud, "UndeleteProjectMetadata", lifecycle.undelete(cloud, project))


def _operation(cloud: Cloud, _: str, _body: Body, request: Request) -> Body:
    return cloud.resources.require(f"operations/{lifecycle.OPERATION}{request.path_params['id']}")


def _over_v3(cloud: Cloud, kind: str, body: Body) -> Body:
    shown = v3(lifecycle.get(cloud, body["id"]))
    metadata = {"@type": f"{TYPES_V3}{kind}"}
    return lifecycle.over(cloud, metadata, {"@type": f"{TYPES_V3}Project", **shown})


def _listed(cloud: Cloud, request: Request, wanted: str, shape: Callable[[Body], Body]) -> Body:
    terms = TERM.findall(wanted)
    if wanted and not terms:
        raise ApiError("INVALID_ARGUMENT", f"The filter is not understood: {wanted}")
    caller = request.scope["caller"]
    found = [
        one
        for one in lifecycle.every(cloud)
        if all(_is(one, *term) for term in terms)
        and enforce.allowed(cloud, caller, SEEN_WITH, targets.project(one["id"]))
    ]
    query = {"pageSize": request.query_params.get("pageSize", "0")}
    query["pageToken"] = request.query_params.get("pageToken", "")
    return page("projects", [shape(one) for one in found], query)


def _is(body: Body, field: str, value: str) -> bool:
    if field.startswith("labels."):
        have = body.get("labels", {}).get(field.removeprefix("labels."))
        return have is not None and _matches(have, value)
    key = {"projectId": "id", "displayName": "name", "lifecycleState": "state"}.get(field, field)
    return _matches(str(body[key]), value)


def _matches(have: str, value: str) -> bool:
    """Whether a text is the value, or begins with it where it ends with a star.

    Case does not count (cloud.google.com/resource-manager/reference/rest/v1/projects/list).
    """
    have, value = have.lower(), value.strip('"').lower()
    return have.startswith(value[:-1]) if value.endswith("*") else have == value


def _v3_parent(parent: Any) -> str:
    """`folders/1` of v1's `{"type": "folder", "id": "1"}`."""
    if not parent:
        return ""
    only(parent, "type", "id")
    return f"{parent.get('type')}s/{parent.get('id')}"


V1: tuple[tuple[str, str, Rule], ...] = (
    ("GET", "/v1/projects/{project}", _get_v1),
    ("GET", "/v1/projects", _list_v1),
    ("POST", "/v1/projects", _create_v1),
    ("PUT", "/v1/projects/{project}", _update_v1),
    ("DELETE", "/v1/projects/{project}", _delete_v1),
    ("POST", "/v1/projects/{project}:undelete", _undelete_v1),
    ("GET", f"/v1/operations/{lifecycle.OPERATION}{{id}}", _operation),
)
V3: tuple[tuple[str, str, Rule], ...] = (
    ("GET", "/v3/projects:search", _search_v3),
    ("GET", "/v3/projects/{project}", _get_v3),
    ("POST", "/v3/projects", _create_v3),
    ("PATCH", "/v3/projects/{project}", _update_v3),
    ("DELETE", "/v3/projects/{project}", _delete_v3),
    ("POST", "/v3/projects/{project}:undelete", _undelete_v3),
    ("GET", f"/v3/operations/{lifecycle.OPERATION}{{id}}", _operation),
)
