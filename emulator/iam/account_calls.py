"""The methods of `projects.serviceAccounts` in IAM v1."""

from __future__ import annotations

from typing import Any

from emulator.errors import ApiError
from emulator.iam import account_policies, policy_changes, service_accounts
from emulator.iam.calls import Call

Body = dict[str, Any]

PAGE, PAGE_MOST = 20, 100
FIELDS = {"display_name": "displayName", "displayName": "displayName", "description": "description"}
RESOURCE = (
    "name", "projectId", "uniqueId", "email", "displayName", "description", "etag",
    "oauth2ClientId", "disabled",
)  # fmt: skip


def listed(call: Call) -> Body:
    """`GET projects/P/serviceAccounts`."""
    after, size = call.page(PAGE, PAGE_MOST)
    found = service_accounts.listed(call.cloud, call.names["project"], after, size + 1)
    more = {"nextPageToken": found[size - 1].email} if len(found) > size else {}
    accounts = [service_accounts.resource(one) for one in found[:size]]
    return ({"accounts": accounts} if accounts else {}) | more


def create(call: Call) -> Body:
    """`POST projects/P/serviceAccounts`."""
    call.only("accountId", "serviceAccount")
    sent = call.inner("serviceAccount")
    account_id = str(call.body.get("accountId") or "")
    made = service_accounts.create(call.cloud, call.names["project"], account_id, sent)
    return service_accounts.resource(made)


def get(call: Call) -> Body:
    """`GET projects/P/serviceAccounts/A`."""
    return service_accounts.resource(call.account())


def patch(call: Call) -> Body:
    """`PATCH …/A`: what the mask names, answered alone, as recorded."""
    call.only("serviceAccount", "updateMask")
    sent = call.inner("serviceAccount")
    asked = [part.strip() for part in str(call.body.get("updateMask") or "").split(",")]
    if unknown := [part for part in asked if part not in FIELDS]:
        message = f"Invalid update mask: {', '.join(unknown)}. Only display_name and description."
        raise ApiError("INVALID_ARGUMENT", message)
    fields = [FIELDS[part] for part in asked]
    wanted = {field: sent.get(field, "") for field in fields}
    changed = service_accounts.change(call.cloud, call.account(), wanted)
    told = {field: changed.body[field] for field in fields if field in changed.body}
    return {"name": changed.name, **told}


def update(call: Call) -> Body:
    """`PUT …/A`: the texts as sent."""
    sent = {field: call.body.get(field, "") for field in service_accounts.LIMITS_BYTES}
    call.only(*RESOURCE)
    return service_accounts.resource(service_accounts.change(call.cloud, call.account(), sent))


def delete(call: Call) -> Body:
    """`DELETE …/A`."""
    service_accounts.delete(call.cloud, call.account())
    return {}


def undelete(call: Call) -> Body:
    """`POST …/UNIQUE_ID:undelete`."""
    names = call.names
    found = service_accounts.undelete(call.cloud, names["project"], names["account"])
    return {"restoredAccount": service_accounts.resource(found)}


def enable(call: Call) -> Body:
    """`POST …/A:enable`."""
    service_accounts.switch(call.cloud, call.account(), disabled=False)
    return {}


def disable(call: Call) -> Body:
    """`POST …/A:disable`."""
    service_accounts.switch(call.cloud, call.account(), disabled=True)
    return {}


def get_policy(call: Call) -> Body:
    """`POST …/A:getIamPolicy`: who may use the account."""
    asked = call.inner("options").get("requestedPolicyVersion", 0)
    version = str(call.query.get("options.requestedPolicyVersion") or asked)
    if not version.isdigit():
        raise ApiError("INVALID_ARGUMENT", f"Invalid requested policy version: {version}")
    return account_policies.get(call.cloud, call.account(), int(version))


def set_policy(call: Call) -> Body:
    """`POST …/A:setIamPolicy`: read-modify-write by etag."""
    call.only("policy", "updateMask")
    policy_changes.check_mask(call.body.get("updateMask"))
    return account_policies.replace(call.cloud, call.account(), call.body.get("policy"))


def test_permissions(call: Call) -> Body:
    """`POST …/A:testIamPermissions`: those of the asked that the caller has."""
    call.only("permissions")
    asked = call.many("permissions")
    found = account_policies.granted_to(call.cloud, call.account(), call.caller, asked)
    return {"permissions": found} if found else {}
