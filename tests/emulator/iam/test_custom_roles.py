"""Roles of a project, and Google's."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.emulator.iam.conftest import Owned, Signed

ROLE = {"title": "Reader", "includedPermissions": ["storage.objects.get"], "stage": "GA"}


def test_made_changed_deleted_and_taken_back(owned: Owned) -> None:
    """Each step is answered with the role; a deleted one is in the list only if asked."""
    path = f"/v1/projects/{owned.project}/roles"
    made = owned.http.post(path, json={"roleId": "reader", "role": ROLE}).json()

    changed = owned.http.patch(
        f"{path}/reader", params={"updateMask": "description"}, json={"description": "d"}
    ).json()
    gone = owned.http.delete(f"{path}/reader").json()
    lists = [owned.http.get(path, params=more).json() for more in ({}, {"showDeleted": "true"})]
    back = owned.http.post(f"{path}/reader:undelete").json()

    assert made == {**ROLE, "name": f"projects/{owned.project}/roles/reader", "etag": made["etag"]}
    assert (changed["description"], changed["title"]) == ("d", "Reader")
    assert gone["deleted"] and [len(one.get("roles", [])) for one in lists] == [0, 1]
    assert "deleted" not in back and owned.http.get(f"{path}/reader").json() == back


def test_it_grants_what_it_holds(owned: Owned, sign_in: Callable[[str], Signed]) -> None:
    """On a bucket, until it is deleted."""
    account = sign_in(owned.account())
    path = f"/v1/projects/{owned.project}/roles"
    made = owned.http.post(path, json={"roleId": "reader", "role": ROLE}).json()
    bucket = owned.bucket({"role": made["name"], "members": [account.member]})
    owned.put(bucket, "here")

    def read() -> int:
        return account.http.get(f"/storage/v1/b/{bucket}/o/here").status_code

    before = read(), account.http.get(f"/storage/v1/b/{bucket}/o").status_code
    owned.http.delete(f"/v1/{made['name']}")

    assert (*before, read()) == (200, 403, 403)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"roleId": "x", "role": ROLE}, 400),
        ({"roleId": "role", "role": {"stage": "SOON"}}, 400),
        ({"roleId": "role", "role": {"includedPermissions": ["storage.*"]}}, 400),
        ({"roleId": "role", "role": {"colour": "red"}}, 400),
        ({"roleId": "role", "role": {"title": "ü" * 51}}, 400),
        ({"roleId": "role", "role": {"description": "d" * 301}}, 400),
        ({"roleId": "role", "role": {"includedPermissions": ["storage.objects.get"] * 3001}}, 400),
        ({"roleId": "taken", "role": ROLE}, 409),
    ],
)
def test_what_google_refuses(owned: Owned, body: dict[str, object], code: int) -> None:
    """Ids, stages, patterns, fields, names that are taken."""
    path = f"/v1/projects/{owned.project}/roles"
    owned.http.post(path, json={"roleId": "taken", "role": ROLE}).raise_for_status()

    assert owned.http.post(path, json=body).status_code == code


def test_google_s_roles(owned: Owned) -> None:
    """Each with its permissions, and in pages."""
    role = owned.http.get("/v1/roles/storage.objectViewer").json()
    page = owned.http.get("/v1/roles", params={"pageSize": 2}).json()

    assert {"storage.objects.get", "storage.objects.list"} <= set(role["includedPermissions"])
    assert len(page["roles"]) == 2 and page["nextPageToken"]
    assert owned.http.get("/v1/roles/unheard.of").status_code == 404
