"""Billing accounts and the projects they pay for; any account exists on first use."""

from __future__ import annotations

import re
from typing import Any

from starlette.requests import Request

from emulator.billing import policies
from emulator.cloud import Cloud
from emulator.errors import ApiError
from emulator.iam import enforce
from emulator.resourcemanager import projects
from emulator.typed_api import page

Body = dict[str, Any]

KIND = "projectBillingInfo"
SEEN_WITH = "billing.accounts.list"
# cloud.google.com/billing/docs/reference/rest/v1/projects/updateBillingInfo; the gate asks for the
# right on the project.
PAYS_WITH = "billing.resourceAssociations.create"
# BillingAccount.name in google-cloud-billing 1.21 has `012345-567890-ABCDEF`, three groups of six;
# other ids of that alphabet are taken too, since nothing here is really billed.
ACCOUNT = re.compile(r"billingAccounts/([A-Za-z0-9][A-Za-z0-9-]{0,62})")
PROJECT = re.compile(r"projects/([^/]+)")


def get(_: Cloud, request: Body, _call: Request) -> Body:
    """The account, open."""
    check(request["name"])
    return {"name": request["name"], "open": True, "displayName": request["name"]}


def listed(cloud: Cloud, request: Body, call: Request) -> Body:
    """The accounts that pay for a project here, as far as the caller may see them."""
    names = {body["billingAccountName"] for _, body in cloud.resources.list(KIND, "billing")}
    caller = call.scope["caller"]
    rows = [
        {"name": name, "open": True, "displayName": name}
        for name in names
        if name and enforce.allowed(cloud, caller, SEEN_WITH, policies.target(cloud, name))
    ]
    return page("billingAccounts", rows, request)


def project_info(cloud: Cloud, request: Body, _: Request) -> Body:
    """Who pays for the project; nobody from the start."""
    return info(cloud, _project(cloud, request["name"]))


def update_project_info(cloud: Cloud, request: Body, call: Request) -> Body:
    """The project with another account, or with none. PERMISSION_DENIED by the account's policy."""
    project_id = _project(cloud, request["name"])
    account = request.get("projectBillingInfo", {}).get("billingAccountName", "")
    if account:
        check(account)
        enforce.require(cloud, call.scope["caller"], PAYS_WITH, policies.target(cloud, account))
    body = {"billingAccountName": account}
    key = _key(project_id)
    with cloud.store.transaction():
        if cloud.resources.get(key) is None:
            cloud.resources.insert(KIND, key, body, "billing")
        else:
            cloud.resources.replace(key, body)
    return info(cloud, project_id)


def account_projects(cloud: Cloud, request: Body, _: Request) -> Body:
    """The projects that the account pays for."""
    check(request["name"])
    rows = [
        info(cloud, name.split("/")[1])
        for name, body in cloud.resources.list(KIND, "billing")
        if body["billingAccountName"] == request["name"]
    ]
    return page("projectBillingInfo", rows, request)


def info(cloud: Cloud, project_id: str) -> Body:
    """The billing info of a project; every field is there, as in recorded answers."""
    account = (cloud.resources.get(_key(project_id)) or {}).get("billingAccountName", "")
    return {
        "name": f"projects/{project_id}/billingInfo",
        "projectId": project_id,
        "billingAccountName": account,
        "billingEnabled": bool(account),
    }


def check(name: str) -> None:
    """INVALID_ARGUMENT for what is no name of a billing account."""
    if not ACCOUNT.fullmatch(name):
        raise ApiError("INVALID_ARGUMENT", f"Invalid billing account name: '{name}'.")


def _project(cloud: Cloud, name: str) -> str:
    found = PROJECT.fullmatch(name)
    if found is None:
        raise ApiError("INVALID_ARGUMENT", f"Invalid project name: '{name}'.")
    return projects.canonical(cloud, found[1])


def _key(project_id: str) -> str:
    return f"projects/{project_id}/billingInfo"
