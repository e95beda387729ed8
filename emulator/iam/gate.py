"""Refuses what a caller has no right to, for the APIs whose requests `permissions.toml` lists.

Vertex AI, IAM itself and Cloud Storage ask where they know what a request is about.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cache

from emulator.billing import policies as billing_policies
from emulator.cloud import Cloud
from emulator.errors import ApiError, error_body
from emulator.iam import enforce, permissions, targets
from emulator.iam.targets import Target
from emulator.resourcemanager import projects
from emulator.tokens import Caller
from emulator.web import App, Receive, Scope, Send, answer_json

# Asked elsewhere: aiplatform/rights.py, iam/calls.py.
ELSEWHERE = re.compile(
    r"/v1/projects/[^/]+/(serviceAccounts|roles)(/|:|$)|/v1/roles(/|$)|/(v1|v1beta1|ui)/projects/[^/]+/locations/|"
    r"/(v1|v1beta1|ui)/operations/"
)
VERSION = re.compile(r"/(v1|v1beta|v1beta1|v2|v3)/")
PARAMETER = re.compile(r"\\{(\w+)\\}")


@dataclass(frozen=True)
class Entry:
    """A kind of request: its API, HTTP method, path, and permission."""

    service: str
    method: str
    path: re.Pattern[str]
    permission: str


def gate(cloud: Cloud, app: App) -> App:
    """The app behind the check, which the owner never meets."""

    async def checked(scope: Scope, receive: Receive, send: Send) -> None:
        caller: Caller | None = scope.get("caller")
        if scope["type"] == "http" and caller is not None and not caller.owner:
            try:
                check(cloud, caller, scope["method"], scope["path"])
            except ApiError as error:
                await answer_json(send, error.http_code, error_body(error))
                return
        await app(scope, receive, send)

    return checked


def check(cloud: Cloud, caller: Caller, method: str, path: str) -> None:
    """PERMISSION_DENIED unless the caller has the right that the request needs."""
    found = entry(method, path)
    if found is None:
        return
    if found.permission:
        enforce.require(cloud, caller, found.permission, _target(cloud, found, path))


def entry(method: str, path: str) -> Entry | None:
    """What the table says of a request; None for one that asks elsewhere, or is none."""
    for one in _entries():
        if one.method == ("GET" if method == "HEAD" else method) and one.path.fullmatch(path):
            return one
    return None


def _target(cloud: Cloud, found: Entry, path: str) -> Target:
    """What a request is about: a repository, a project or a billing account; else NOWHERE."""
    match = found.path.fullmatch(path)
    assert match is not None
    names = match.groupdict()
    if "billing" in names:
        account = f"billingAccounts/{names['billing']}"
        return billing_policies.target(cloud, account, found.service)
    if "project" not in names:
        return replace(targets.NOWHERE, service=found.service, shown="organizations/0")
    project_id = projects.canonical(cloud, names["project"])
    shown = VERSION.sub("", path, count=1).partition(":")[0]
    shown = shown.replace(f"projects/{names['project']}", f"projects/{project_id}", 1)
    if names.get("repository"):
        name = "/".join(shown.split("/")[:6])
        return targets.repository(cloud, name)
    if found.service == targets.MANAGER:
        return targets.project(project_id)
    return replace(targets.project(project_id, found.service), shown=shown)


@cache
def _entries() -> tuple[Entry, ...]:
    found = []
    for service, rows in permissions.table()["http"].items():
        for request, permission in rows.items():
            method, path = request.split(" ")
            pattern = PARAMETER.sub(r"(?P<\1>[^/:]+)", re.escape(path))
            # v1beta of Cloud Quotas and v1 are one.
            pattern = pattern.replace("/v1/", "/(?:v1|v1beta)/", 1)
            found.append(Entry(service, method, re.compile(pattern), permission))
    return tuple(found)
