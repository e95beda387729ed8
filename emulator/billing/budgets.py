"""Budgets of a billing account; they are kept, and nothing is measured against them."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from starlette.requests import Request

from emulator.billing.accounts import check
from emulator.cloud import Cloud
from emulator.errors import ApiError
from emulator.typed_api import etag, masked, page

Body = dict[str, Any]

KIND = "budget"
# Budget.display_name in google-cloud-billing-budgets 1.22.
MOST_NAME_CHARACTERS = 60
FIXED = ("name", "ownershipScope")


def create(cloud: Cloud, request: Body, _: Request) -> Body:
    """The new budget; its id is always the server's own."""
    check(request["parent"])
    sent = request.get("budget", {})
    _check(sent)
    name = f"{request['parent']}/budgets/{uuid4()}"
    body = {**sent, "name": name}
    body["etag"] = etag(body)
    cloud.resources.insert(KIND, name, body, request["parent"])
    return body


def get(cloud: Cloud, request: Body, _: Request) -> Body:
    """The budget. NOT_FOUND, in the words of a recorded answer, without one."""
    body = cloud.resources.get(request["name"])
    if body is None:
        raise ApiError("NOT_FOUND", f'budget "{request["name"]}" not found')
    return body


def listed(cloud: Cloud, request: Body, _: Request) -> Body:
    """The budgets of an account."""
    check(request["parent"])
    rows = [body for _, body in cloud.resources.list(KIND, request["parent"])]
    return page("budgets", rows, request)


def update(cloud: Cloud, request: Body, call: Request) -> Body:
    """The budget after an update by mask; without a mask, as it was sent."""
    sent = request.get("budget", {})
    with cloud.store.transaction():
        before = get(cloud, {"name": sent.get("name", "")}, call)
        if sent.get("etag") and sent["etag"] != before["etag"]:
            raise ApiError("ABORTED", f"The etag of {before['name']} is {before['etag']}.")
        mask = request.get("updateMask")
        changed = masked(before, sent, mask) if mask else dict(sent)
        _check(changed)
        changed |= {key: before[key] for key in FIXED if key in before}
        changed["etag"] = etag(changed)
        cloud.resources.replace(before["name"], changed)
    return changed


def delete(cloud: Cloud, request: Body, call: Request) -> Body:
    """Nothing; the budget is gone."""
    get(cloud, request, call)
    cloud.resources.delete(request["name"])
    return {}


def _check(sent: Body) -> None:
    amount = sent.get("amount", {})
    if not ({"specifiedAmount", "lastPeriodAmount"} & amount.keys()):
        raise ApiError("INVALID_ARGUMENT", "budget.amount must be set.")
    if len(sent.get("displayName", "")) > MOST_NAME_CHARACTERS:
        message = f"budget.display_name has at most {MOST_NAME_CHARACTERS} characters."
        raise ApiError("INVALID_ARGUMENT", message)
    for rule in sent.get("thresholdRules", []):
        if float(rule.get("thresholdPercent", 0)) < 0:
            raise ApiError("INVALID_ARGUMENT", "threshold_percent must not be negative.")
