"""Billing accounts have policies: who manages them, and what others are refused."""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

import pytest

from tests.emulator.iam.conftest import Owned, Signed

BUDGET = {"displayName": "b", "amount": {"specifiedAmount": {"units": "50"}}}


@pytest.fixture
def path() -> str:
    """A billing account that no other test uses."""
    return f"/v1/billingAccounts/01{uuid4().hex[:4].upper()}-ABCDEF-012345"


def test_an_account_begins_with_its_administrators(owned: Owned, path: str) -> None:
    """The owner and the data folder's account; the policy is replaced by etag."""
    first = owned.http.get(f"{path}:getIamPolicy").json()
    sent = {"policy": {**first, "bindings": [*first["bindings"]]}}
    after = owned.http.post(f"{path}:setIamPolicy", json=sent)

    assert [one["role"] for one in first["bindings"]] == ["roles/billing.admin"]
    assert after.status_code == 200 and after.json()["etag"] != first["etag"]
    assert owned.http.post(f"{path}:setIamPolicy", json=sent).status_code == 409


def test_others_need_a_role_on_the_account(
    owned: Owned, sign_in: Callable[[str], Signed], path: str
) -> None:
    """A project's owner has none; a viewer reads budgets and makes none, an admin makes one."""
    account = sign_in(owned.account())
    owned.grant({"role": "roles/owner", "members": [account.member]})
    budgets, asked = f"{path}/budgets", {"permissions": ["billing.budgets.list"]}

    def bind(role: str) -> None:
        policy = {"bindings": [{"role": role, "members": [account.member]}]}
        sent = {"policy": policy}
        owned.http.post(f"{path}:setIamPolicy", json=sent).raise_for_status()

    def answers() -> list[int]:
        return [
            account.http.get(path).status_code,
            account.http.get(budgets).status_code,
            account.http.post(budgets, json=BUDGET).status_code,
            account.http.get(f"{path}:getIamPolicy").status_code,
        ]

    refused = account.http.get(budgets).json()["error"]["message"]
    assert "billing.budgets.list" in refused
    assert answers() == [403, 403, 403, 403]
    assert account.http.post(f"{path}:testIamPermissions", json=asked).json() == {}
    bind("roles/billing.viewer")
    assert answers() == [200, 200, 403, 200]
    assert account.http.post(f"{path}:testIamPermissions", json=asked).json() == asked
    bind("roles/billing.admin")
    assert answers() == [200, 200, 200, 200]


def test_who_may_have_a_project_paid(
    owned: Owned, sign_in: Callable[[str], Signed], path: str
) -> None:
    """It takes a right on the account beside the one on the project; lists show what one may."""
    account = sign_in(owned.account())
    owned.grant({"role": "roles/owner", "members": [account.member]})
    name = path.removeprefix("/v1/")
    info, sent = f"/v1/projects/{owned.project}/billingInfo", {"billingAccountName": name}

    refused = account.http.put(info, json=sent)
    owned.http.put(info, json=sent).raise_for_status()
    unseen = account.http.get("/v1/billingAccounts").json()
    policy = {"bindings": [{"role": "roles/billing.user", "members": [account.member]}]}
    owned.http.post(f"{path}:setIamPolicy", json={"policy": policy}).raise_for_status()
    seen = account.http.get("/v1/billingAccounts").json()["billingAccounts"]

    assert refused.status_code == 403
    assert "billing.resourceAssociations.create" in refused.json()["error"]["message"]
    assert unseen == {}
    assert [one["name"] for one in seen] == [name]
    assert account.http.put(info, json=sent).status_code == 200
