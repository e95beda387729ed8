"""A deleted account's rights: not those of the next account of that name, and taken back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

from tests.emulator.iam.conftest import Owned, Signed


def test_an_account_made_again_has_no_rights(
    owned: Owned, sign_in: Callable[[str], Signed]
) -> None:
    """Policies of projects, accounts and buckets name the deleted one, by its unique id."""
    accounts = f"/v1/projects/{owned.project}/serviceAccounts"
    made = owned.http.post(accounts, json={"accountId": "trainer"}).json()
    member, email = f"serviceAccount:{made['email']}", made["email"]
    owned.grant({"role": "roles/viewer", "members": [member]})
    used = f"{accounts}/{owned.account('other')}"
    acting = {"bindings": [{"role": "roles/iam.serviceAccountUser", "members": [member]}]}
    owned.http.post(f"{used}:setIamPolicy", json={"policy": acting}).raise_for_status()
    bucket = owned.bucket({"role": "roles/storage.objectViewer", "members": [member]})
    owned.put(bucket, "a")

    owned.http.delete(f"{accounts}/{email}").raise_for_status()
    again = owned.http.post(accounts, json={"accountId": "trainer"}).json()

    marked = f"deleted:{member}?uid={made['uniqueId']}"
    assert again["uniqueId"] != made["uniqueId"]
    assert members(owned, f"/v1/projects/{owned.project}") == [marked]
    assert members(owned, used) == [marked]
    iam = owned.http.get(f"/storage/v1/b/{bucket}/iam").json()
    assert iam["bindings"] == [{"role": "roles/storage.objectViewer", "members": [marked]}]
    new = sign_in(email)
    assert new.http.get(f"/v1/projects/{owned.project}").status_code == 403
    assert new.http.get(f"/storage/v1/b/{bucket}/o/a").status_code == 403


def test_an_account_taken_back_has_its_rights(owned: Owned) -> None:
    """Undeleting shows the member as it was; others are never touched."""
    accounts = f"/v1/projects/{owned.project}/serviceAccounts"
    name = f"trainer-{uuid4().hex[:6]}"
    made = owned.http.post(accounts, json={"accountId": name}).json()
    both = [f"serviceAccount:{made['email']}", f"serviceAccount:{owned.account('other')}"]
    owned.grant({"role": "roles/viewer", "members": both})

    owned.http.delete(f"{accounts}/{made['email']}").raise_for_status()
    without = members(owned, f"/v1/projects/{owned.project}")
    owned.http.post(f"{accounts}/{made['uniqueId']}:undelete").raise_for_status()

    assert without == [f"deleted:{both[0]}?uid={made['uniqueId']}", both[1]]
    assert members(owned, f"/v1/projects/{owned.project}") == both


def members(owned: Owned, path: str) -> list[Any]:
    """Those of the first binding."""
    answer = owned.http.post(f"{path}:getIamPolicy", json={}).json()
    return list(answer["bindings"][0]["members"])
