"""Builds: asked for, told, listed, cancelled; where one stands follows from the clock.

A build waits for nothing here: it takes the seconds that the server was told (`--build-seconds`),
and what it does (`build_run`) is done when somebody first looks after them.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from starlette.requests import Request

from emulator.clock import timestamp
from emulator.cloud import Cloud
from emulator.cloudbuild import build_filters, build_run
from emulator.errors import ApiError
from emulator.iam import enforce, service_accounts, targets
from emulator.resourcemanager import projects
from emulator.tokens import Caller
from emulator.typed_api import page

Body = dict[str, Any]

KIND = "build"
TYPES = "type.googleapis.com/google.devtools.cloudbuild.v1."
NAME = re.compile(r"projects/([^/]+)/locations/([a-z0-9-]+)/builds/([^/]+)")
PARENT = re.compile(r"projects/([^/]+)/locations/([a-z0-9-]+)")
ACCOUNT = re.compile(r"projects/([^/]+)/serviceAccounts/([^/]+)")
GLOBAL = "global"
ACT_AS = "iam.serviceAccounts.actAs"
RUNNING = ("QUEUED", "WORKING")
# The REST reference of projects.builds, as of 2026-08: both defaults.
TIMEOUT, QUEUE = "3600s", "3600s"
LOG_URL = (
    "https://console.cloud.google.com/cloud-build/builds;region={region}/{id}?project={number}"
)
NO_STEPS = "invalid build: must specify at least one build step"
# Field reports: github.com/google-github-actions/deploy-cloudrun/issues/490 and others, 2024.
NO_LOGS = (
    "invalid argument: if 'build.service_account' is specified, the build must either (a) specify "
    "'build.logs_bucket', (b) use the REGIONAL_USER_OWNED_BUCKET "
    "build.options.default_logs_bucket_behavior option, or (c) use either CLOUD_LOGGING_ONLY / "
    "NONE logging options"
)


def create(cloud: Cloud, request: Body, call: Request) -> Body:
    """An operation with the build, which is queued. INVALID_ARGUMENT for what is no build."""
    project_id, region = _place(cloud, request)
    sent = request.get("build", {})
    _check(sent)
    _check_account(cloud, sent, call.scope["caller"])
    id, number = str(uuid4()), projects.number(cloud, project_id)
    body = {
        "timeout": TIMEOUT,
        "queueTtl": QUEUE,
        **sent,
        "name": f"projects/{number}/locations/{region}/builds/{id}",
        "id": id,
        "projectId": project_id,
        "status": "QUEUED",
        "createTime": timestamp(cloud.clock.now()),
        "logUrl": LOG_URL.format(region=region, id=id, number=number),
    }
    parent = f"projects/{project_id}/locations/{region}"
    name = f"{parent}/operations/{uuid4()}"
    operation: Body = {
        "name": name,
        "metadata": {"@type": f"{TYPES}BuildOperationMetadata", "build": body},
    }
    with cloud.store.transaction():
        cloud.resources.insert(KIND, f"{parent}/builds/{id}", body, parent)
        cloud.resources.insert("buildOperation", name, operation, parent)
    return operation


def get(cloud: Cloud, request: Body, _: Request) -> Body:
    """The build as it stands. NOT_FOUND without one."""
    return _now(cloud, _key(cloud, request))


def listed(cloud: Cloud, request: Body, _: Request) -> Body:
    """The builds of a place that a filter lets through, the newest first."""
    project_id, region = _place(cloud, request)
    parent = f"projects/{project_id}/locations/{region}"
    passes = build_filters.read(request.get("filter", ""))
    rows = [_now(cloud, key) for key, _ in cloud.resources.list(KIND, parent)]
    found = page("builds", (row for row in rows if passes(row)), request)
    if "builds" in found:
        found["builds"].sort(key=lambda row: str(row["createTime"]), reverse=True)
    return found


def cancel(cloud: Cloud, request: Body, _: Request) -> Body:
    """The cancelled build. FAILED_PRECONDITION for one that is over."""
    key = _key(cloud, request)
    with cloud.store.transaction():
        body = _now(cloud, key)
        if body["status"] not in RUNNING:
            message = f"Cannot cancel a build with status {body['status']}."
            raise ApiError("FAILED_PRECONDITION", message)
        body |= {"status": "CANCELLED", "finishTime": timestamp(cloud.clock.now())}
        cloud.resources.replace(key, body)
    return body


def _now(cloud: Cloud, key: str) -> Body:
    """The build as the clock has it: working at once, over after the server's seconds."""
    with cloud.store.transaction():
        body = cloud.resources.get(key)
        if body is None:
            raise ApiError("NOT_FOUND", "Requested entity was not found.")
        if body["status"] not in RUNNING:
            return body
        began = datetime.fromisoformat(body["createTime"])
        ends = began + timedelta(seconds=cloud.settings.build_seconds)
        body |= {"status": "WORKING", "startTime": body["createTime"]}
        if cloud.clock.now() >= ends:
            body |= build_run.run(cloud, body, timestamp(ends))
        cloud.resources.replace(key, body)
    return body


def _check(sent: Body) -> None:
    if not sent.get("steps"):
        raise ApiError("INVALID_ARGUMENT", NO_STEPS)
    quiet = sent.get("options", {}).get("logging") in ("CLOUD_LOGGING_ONLY", "NONE")
    own = sent.get("options", {}).get("defaultLogsBucketBehavior") == "REGIONAL_USER_OWNED_BUCKET"
    if sent.get("serviceAccount") and not (sent.get("logsBucket") or quiet or own):
        raise ApiError("INVALID_ARGUMENT", NO_LOGS)


def _check_account(cloud: Cloud, sent: Body, caller: Caller) -> None:
    """PERMISSION_DENIED unless the caller may act as the account that the build runs as."""
    named = sent.get("serviceAccount", "")
    if not named:
        return
    found = ACCOUNT.fullmatch(named)
    account = service_accounts.find(cloud, found[2]) if found else None
    if account is None:
        message = f"generic::not_found: service account {named} was not found"
        raise ApiError("NOT_FOUND", message)
    enforce.require(cloud, caller, ACT_AS, targets.account(cloud, account))


def _place(cloud: Cloud, request: Body) -> tuple[str, str]:
    """Project and region; the methods without a location are those of `global`."""
    found = PARENT.fullmatch(request.get("parent") or f"projects/{request['projectId']}/locations/"
                             f"{GLOBAL}")  # fmt: skip
    if found is None:
        raise ApiError("INVALID_ARGUMENT", f"Invalid parent: '{request.get('parent')}'.")
    return projects.canonical(cloud, found[1]), found[2]


def _key(cloud: Cloud, request: Body) -> str:
    name = request.get("name", "")
    if not name:
        name = f"projects/{request['projectId']}/locations/{GLOBAL}/builds/{request['id']}"
    found = NAME.fullmatch(name)
    if found is None:
        raise ApiError("INVALID_ARGUMENT", f"Invalid build name: '{name}'.")
    return f"projects/{projects.canonical(cloud, found[1])}/locations/{found[2]}/builds/{found[3]}"
