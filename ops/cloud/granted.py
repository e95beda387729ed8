"""Permissions that outlive a stack: roles in the project and on the billing account.

A permission has no name of its own. It is a role and a holder in a policy, so one that somebody
else gave is the same one, as it is for Terraform. Those on a stack's own bucket, state bucket,
accounts and repository go with what they are on. Ids for `import`: the provider's pages (7.45.0).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache, partial
from typing import Any

from ops.cloud import billing_info, projects, rest
from ops.cloud.session import Session
from ops.cloud.standing import Standing, Wanted

PROJECT, BILLING = "google_project_iam_member", "google_billing_account_iam_member"
# The one in which a binding's condition shows as such: cloud.google.com/iam/docs/policies.
VERSION = 3
Policy = Mapping[str, Any]


def find(session: Session, wanted: Iterable[Wanted]) -> list[Standing]:
    """Those of the wanted that are given, without a condition; each policy is read once."""
    policies = {type_: cache(partial(read, session)) for type_, (_, read) in PLACES.items()}
    found = []
    for one in wanted:
        if one.type not in PLACES:
            continue
        where, role, member = (
            str(one.values.get(key) or "") for key in (PLACES[one.type][0], "role", "member")
        )
        if where and member and _holds(policies[one.type](where), role, member):
            found.append(Standing(one.address, one.type, f"{where} {role} {member}"))
    return found


def _of_project(session: Session, project: str) -> Policy:
    body = {"options": {"requestedPolicyVersion": VERSION}}
    return rest.post(session, projects.HOST, f"/v3/projects/{project}:getIamPolicy", body)


def _of_billing_account(session: Session, account: str) -> Policy:
    """The account's policy; empty where Cloud Billing was never switched on."""
    from google.api_core.exceptions import Forbidden

    query = f"options.requestedPolicyVersion={VERSION}"
    path = f"/v1/billingAccounts/{account}:getIamPolicy?{query}"
    try:
        return rest.get(session, billing_info.HOST, path)
    except Forbidden as refused:
        if getattr(refused, "reason", None) == "SERVICE_DISABLED":
            return {}
        raise


def _holds(policy: Policy, role: str, member: str) -> bool:
    """Whether the policy gives it; addresses are the same in capitals."""
    return any(
        member.casefold() in (str(one).casefold() for one in binding.get("members", []))
        for binding in policy.get("bindings", [])
        if binding.get("role") == role and not binding.get("condition")
    )


# The attribute that names the place, and what reads its policy.
PLACES: dict[str, tuple[str, Callable[[Session, str], Policy]]] = {
    PROJECT: ("project", _of_project),
    BILLING: ("billing_account_id", _of_billing_account),
}
