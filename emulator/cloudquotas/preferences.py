"""Quota preferences: made, found, changed; as on Google, nothing deletes one."""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

from starlette.requests import Request

from emulator.clock import timestamp
from emulator.cloud import Cloud
from emulator.errors import ApiError
from emulator.resourcemanager import projects
from emulator.typed_api import etag, masked, page

Body = dict[str, Any]

KIND = "quotaPreference"
NAME = re.compile(r"projects/([^/]+)/locations/global/quotaPreferences/([^/]+)")
PARENT = re.compile(r"projects/([^/]+)/locations/global")
# No source found for the form of an id; this is a wider one than AIP-122's.
ID = re.compile(r"[a-zA-Z0-9]([a-zA-Z0-9._-]{0,61}[a-zA-Z0-9])?")
OUTPUT_ONLY = ("grantedValue", "stateDetail", "traceId", "requestOrigin")


def create(cloud: Cloud, request: Body, _: Request) -> Body:
    """The new preference, granted at once. ALREADY_EXISTS for its name or its quota."""
    parent, project_id = _parent(cloud, request["parent"])
    sent = request.get("quotaPreference", {})
    _check(sent)
    wanted = request.get("quotaPreferenceId") or str(sent.get("name", "")).rpartition("/")[2]
    last = wanted or uuid4().hex
    if not ID.fullmatch(last):
        raise ApiError("INVALID_ARGUMENT", f"Invalid quota preference id: '{last}'.")
    with cloud.store.transaction():
        _check_only(cloud, project_id, sent)
        now = timestamp(cloud.clock.now())
        body = _granted({**sent, "name": f"{parent}/quotaPreferences/{last}", "createTime": now})
        return _written(cloud, project_id, last, body, new=True)


def get(cloud: Cloud, request: Body, _: Request) -> Body:
    """The preference. NOT_FOUND, in the words of a recorded answer, without one."""
    project_id, last = _split(cloud, request["name"])
    return _require(cloud, project_id, last, request["name"])


def listed(cloud: Cloud, request: Body, _call: Request) -> Body:
    """The preferences of a project. UNIMPLEMENTED for filters and orders."""
    _check_list(request)
    _, project_id = _parent(cloud, request["parent"])
    rows = [body for _, body in cloud.resources.list(KIND, f"projects/{project_id}")]
    return page("quotaPreferences", rows, request)


def update(cloud: Cloud, request: Body, call: Request) -> Body:
    """The preference after an update by mask; with `allowMissing` a new one."""
    sent = request.get("quotaPreference", {})
    project_id, last = _split(cloud, sent.get("name", ""))
    with cloud.store.transaction():
        if request.get("allowMissing") and _find(cloud, project_id, last) is None:
            parent = sent["name"].rpartition("/quotaPreferences/")[0]
            new = {"parent": parent, "quotaPreferenceId": last, "quotaPreference": sent}
            return create(cloud, new, call)
        before = _require(cloud, project_id, last, sent["name"])
        if sent.get("etag") and sent["etag"] != before["etag"]:
            raise ApiError("ABORTED", f"The etag of {sent['name']} is {before['etag']}.")
        mask = request.get("updateMask") or "quotaConfig"
        changed = masked(before, sent, mask)
        _check(changed)
        fixed = {key: before[key] for key in ("name", "createTime", "service", "quotaId")}
        return _written(cloud, project_id, last, _granted(changed | fixed), new=False)


def granted_values(cloud: Cloud, project_id: str, quota_id: str) -> dict[str, int]:
    """What the preferences of the project have granted of a quota, by region."""
    return {
        str(body["dimensions"]["region"]): int(body["quotaConfig"]["grantedValue"])
        for _, body in cloud.resources.list(KIND, f"projects/{project_id}")
        if body["quotaId"] == quota_id and body.get("dimensions", {}).get("region")
    }


def _check(sent: Body) -> None:
    for field in ("service", "quotaId"):
        if not sent.get(field):
            raise ApiError("INVALID_ARGUMENT", f"{field} must be set.")
    if "preferredValue" not in sent.get("quotaConfig", {}):
        raise ApiError("INVALID_ARGUMENT", "quota_config.preferred_value must be set.")
    if int(sent["quotaConfig"]["preferredValue"]) < -1:
        raise ApiError("INVALID_ARGUMENT", "preferred_value must be -1 (unlimited) or more.")


def _check_list(request: Body) -> None:
    """ListQuotaPreferencesRequest in google-cloud-quotas: a filter compares fields."""
    text = request.get("filter", "")
    if text and not any(sign in text for sign in "=<>:"):
        raise ApiError("INVALID_ARGUMENT", f"Invalid list filter: {text}")
    for field in ("filter", "orderBy"):
        if request.get(field):
            message = f"The local cloud lists quota preferences without {field}."
            raise ApiError("UNIMPLEMENTED", message)


def _check_only(cloud: Cloud, project_id: str, sent: Body) -> None:
    """One preference for a quota and its dimensions."""
    for _, body in cloud.resources.list(KIND, f"projects/{project_id}"):
        same = all(body.get(key) == sent.get(key) for key in ("service", "quotaId", "dimensions"))
        if same:
            message = f"A quota preference for {sent['quotaId']} already exists: {body['name']}."
            raise ApiError("ALREADY_EXISTS", message)


def _granted(body: Body) -> Body:
    """With the preferred value granted: nobody here has to approve it."""
    kept = {k: v for k, v in body["quotaConfig"].items() if k not in OUTPUT_ONLY}
    config = {**kept, "grantedValue": kept["preferredValue"]}
    # Input only: never answered.
    shown = {key: value for key, value in body.items() if key != "contactEmail"}
    return {**shown, "quotaConfig": config}


def _written(cloud: Cloud, project_id: str, last: str, body: Body, *, new: bool) -> Body:
    body = {**body, "updateTime": timestamp(cloud.clock.now())}
    body["etag"] = etag(body)
    key = _key(project_id, last)
    if not new:
        cloud.resources.replace(key, body)
    elif cloud.resources.get(key) is not None:
        raise ApiError("ALREADY_EXISTS", f"Resource '{body['name']}' already exists")
    else:
        cloud.resources.insert(KIND, key, body, f"projects/{project_id}")
    return body


def _require(cloud: Cloud, project_id: str, last: str, name: str) -> Body:
    body = _find(cloud, project_id, last)
    if body is None:
        raise ApiError("NOT_FOUND", f"Resource '{name}' was not found")
    return body


def _find(cloud: Cloud, project_id: str, last: str) -> Body | None:
    return cloud.resources.get(_key(project_id, last))


def _key(project_id: str, last: str) -> str:
    return f"projects/{project_id}/locations/global/quotaPreferences/{last}"


def _split(cloud: Cloud, name: str) -> tuple[str, str]:
    found = NAME.fullmatch(name)
    if found is None:
        raise ApiError("INVALID_ARGUMENT", f"Invalid name of a quota preference: '{name}'.")
    return projects.canonical(cloud, found[1]), found[2]


def _parent(cloud: Cloud, parent: str) -> tuple[str, str]:
    found = PARENT.fullmatch(parent)
    if found is None:
        raise ApiError("INVALID_ARGUMENT", f"Invalid parent: '{parent}'. Projects only, global.")
    return parent, projects.canonical(cloud, found[1])
