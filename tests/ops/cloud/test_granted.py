"""Permissions in the project and on the billing account, found by role and holder."""

from typing import Any

import pytest

from ops.cloud import billing_info, granted, projects, rest
from ops.cloud.session import Session
from ops.cloud.standing import Standing, Wanted

PROJECT, ACCOUNT = "local-project", "012345-567890-ABCDEF"
GROUP, ROLE, COSTS = (
    "group:vision@example.com",
    "roles/aiplatform.user",
    "roles/billing.costsManager",
)


def given(session: Session, *bindings: dict[str, Any]) -> None:
    """The project's policy has these too."""
    path = f"/v3/projects/{PROJECT}"
    body = {"options": {"requestedPolicyVersion": 3}}
    policy = rest.post(session, projects.HOST, f"{path}:getIamPolicy", body)
    policy = {**policy, "version": 3, "bindings": [*policy.get("bindings", []), *bindings]}
    rest.post(session, projects.HOST, f"{path}:setIamPolicy", {"policy": policy})


def member(name: str, role: str = ROLE, address: str = "a") -> Wanted:
    """A role in the project, as a plan has it."""
    return Wanted(address, granted.PROJECT, {"project": PROJECT, "role": role, "member": name})


def test_a_role_in_the_project_is_found_by_its_holder(session: Session) -> None:
    """Addresses are the same in capitals; a role of somebody else is not it."""
    given(session, {"role": ROLE, "members": ["user:bo@example.com", GROUP]})
    other = member("group:sound@example.com", address="b")
    unknown = Wanted("c", granted.PROJECT, {"project": PROJECT, "role": ROLE})
    bucket = Wanted("d", "google_storage_bucket", {"name": "photos"})

    found = granted.find(session, [member("group:Vision@example.com"), other, unknown, bucket])

    assert found == [
        Standing("a", granted.PROJECT, f"{PROJECT} {ROLE} group:Vision@example.com"),
    ]
    assert granted.find(session, [member(GROUP, "roles/aiplatform.viewer")]) == []


def test_a_role_under_a_condition_is_another_one(session: Session) -> None:
    """A stack's permissions in the project have none."""
    condition = {"title": "for a while", "expression": "request.time.getFullYear() < 2030"}
    given(session, {"role": ROLE, "members": [GROUP], "condition": condition})

    assert granted.find(session, [member(GROUP)]) == []


@pytest.mark.parametrize("is_given", [True, False])
def test_a_role_on_the_billing_account(session: Session, is_given: bool) -> None:
    """Which is no project's, and lives on without the stack."""
    path = f"/v1/billingAccounts/{ACCOUNT}"
    holders = [GROUP] if is_given else ["user:bo@example.com"]
    policy = rest.get(session, billing_info.HOST, f"{path}:getIamPolicy")
    policy["bindings"] = [*policy.get("bindings", []), {"role": COSTS, "members": holders}]
    rest.post(session, billing_info.HOST, f"{path}:setIamPolicy", {"policy": policy})
    values = {"billing_account_id": ACCOUNT, "role": COSTS, "member": GROUP}

    found = granted.find(session, [Wanted("a", granted.BILLING, values)])

    assert [one.id for one in found] == ([f"{ACCOUNT} {COSTS} {GROUP}"] if is_given else [])
