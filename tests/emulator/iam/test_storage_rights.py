"""What accounts may do with buckets and objects, by roles, conditions and access controls."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from tests.emulator.iam.conftest import Owned, Signed

# What is tried of an object that is there, and of one that is not yet.
TRIED: dict[str, Callable[[httpx.Client, str], httpx.Response]] = {
    "get": lambda http, bucket: http.get(f"/storage/v1/b/{bucket}/o/here"),
    "read": lambda http, bucket: http.get(f"/storage/v1/b/{bucket}/o/here?alt=media"),
    "list": lambda http, bucket: http.get(f"/storage/v1/b/{bucket}/o"),
    "create": lambda http, bucket: put(http, bucket, "new"),
    "replace": lambda http, bucket: put(http, bucket, "here"),
    "patch": lambda http, bucket: http.patch(f"/storage/v1/b/{bucket}/o/here", json={}),
    "delete": lambda http, bucket: http.delete(f"/storage/v1/b/{bucket}/o/here"),
    "bucket": lambda http, bucket: http.get(f"/storage/v1/b/{bucket}"),
    "policy": lambda http, bucket: http.get(f"/storage/v1/b/{bucket}/iam"),
}
# By cloud.google.com/storage/docs/access-control/iam-roles.
MAY = {
    "roles/storage.objectViewer": {"get", "read", "list"},
    "roles/storage.objectCreator": {"create"},
    "roles/storage.objectUser": {"get", "read", "list", "create", "replace", "patch", "delete"},
    "roles/storage.objectAdmin": {"get", "read", "list", "create", "replace", "patch", "delete"},
    "roles/storage.admin": set(TRIED),
    "roles/storage.bucketViewer": {"bucket"},
    "roles/storage.legacyObjectReader": {"get", "read"},
    "roles/storage.legacyBucketWriter": {"list", "create", "replace", "delete", "bucket"},
}


def put(http: httpx.Client, bucket: str, name: str, **params: str) -> httpx.Response:
    """An upload in two parts: the name is in the body, as client libraries send it."""
    parts = [
        f"--b\r\ncontent-type: application/json\r\n\r\n{json.dumps({'name': name})}\r\n",
        "--b\r\ncontent-type: text/plain\r\n\r\nx\r\n--b--",
    ]
    return http.post(
        f"/upload/storage/v1/b/{bucket}/o",
        params={"uploadType": "multipart", **params},
        content="".join(parts),
        headers={"content-type": "multipart/related; boundary=b"},
    )


@pytest.fixture(scope="module")
def tried() -> list[str]:
    """Deleting comes last."""
    return sorted(TRIED, key=lambda name: name == "delete")


def test_each_role_may_what_google_s_page_says(
    owned: Owned, sign_in: Callable[[str], Signed], tried: list[str]
) -> None:
    """And nothing else; every refusal is 403 and names the permission."""
    account = sign_in(owned.account())
    found = {}
    for role in MAY:
        bucket = owned.bucket({"role": role, "members": [account.member]})
        owned.put(bucket, "here")
        answers = {name: TRIED[name](account.http, bucket) for name in tried}
        found[role] = {name for name, answer in answers.items() if answer.is_success}
        for answer in answers.values():
            assert answer.is_success or (
                answer.status_code == 403
                and f"{account.email} does not have storage." in answer.text
            ), answer.text

    assert found == MAY


def test_the_words_of_a_refusal(owned: Owned, sign_in: Callable[[str], Signed]) -> None:
    """As Google's, for an object and for a bucket."""
    account, bucket = sign_in(owned.account()), owned.bucket()
    owned.put(bucket, "here")

    obj = account.http.get(f"/storage/v1/b/{bucket}/o/here").json()["error"]
    listed = account.http.get(f"/storage/v1/b/{bucket}/o").json()["error"]

    assert obj["errors"][0] == {"message": obj["message"], "domain": "global",
                                "reason": "forbidden"}  # fmt: skip
    assert obj["message"] == (
        f"{account.email} does not have storage.objects.get access to the Google Cloud Storage "
        "object. Permission 'storage.objects.get' denied on resource (or it may not exist)."
    )
    assert "storage.objects.list access to the Google Cloud Storage bucket" in listed["message"]


def test_a_project_grants_and_a_basic_role_reaches_buckets(
    owned: Owned, sign_in: Callable[[str], Signed]
) -> None:
    """objectViewer on the project; editor by the bucket's convenience members, until they go."""
    viewer, editor = sign_in(owned.account("viewer")), sign_in(owned.account("editor"))
    team = [f"projectEditor:{owned.project}"]
    bucket = owned.bucket({"role": "roles/storage.legacyObjectOwner", "members": team})
    bare = owned.bucket()
    for one in (bucket, bare):
        owned.put(one, "here")
    owned.grant(
        {"role": "roles/storage.objectViewer", "members": [viewer.member]},
        {"role": "roles/editor", "members": [editor.member]},
    )

    seen = {
        (who.email.split("-")[0], one == bucket): who.http.get(f"/storage/v1/b/{one}/o/here")
        for who in (viewer, editor)
        for one in (bucket, bare)
    }

    assert {key: answer.status_code for key, answer in seen.items()} == {
        ("viewer", True): 200,
        ("viewer", False): 200,
        ("editor", True): 200,
        ("editor", False): 403,
    }


def prefixed(bucket: str, prefix: str) -> dict[str, str]:
    """A condition on names that begin so."""
    name = f"projects/_/buckets/{bucket}/objects/{prefix}"
    return {"title": "prefix", "expression": f'resource.name.startsWith("{name}")'}


def test_a_condition_by_prefix(owned: Owned, sign_in: Callable[[str], Signed]) -> None:
    """As Terraform binds it: a bucket's role under one folder, for reads, writes and copies."""
    account, bucket = sign_in(owned.account()), owned.bucket()
    binding = {
        "role": "roles/storage.objectUser",
        "members": [account.member],
        "condition": prefixed(bucket, "mine/"),
    }
    policy = {"version": 3, "bindings": [binding]}
    owned.http.put(f"/storage/v1/b/{bucket}/iam", json=policy).raise_for_status()
    for name in ("mine/a", "other/a"):
        owned.put(bucket, name)

    def read(name: str) -> int:
        path = f"/storage/v1/b/{bucket}/o/{quote(name, safe='')}"
        return account.http.get(path).status_code

    copies = [
        account.http.post(f"/storage/v1/b/{bucket}/o/{quote(a, safe='')}/copyTo/b/{bucket}/o/"
                          f"{quote(b, safe='')}", json={}).status_code
        for a, b in (("mine/a", "mine/b"), ("mine/a", "other/b"), ("other/a", "mine/c"))
    ]  # fmt: skip

    assert (read("mine/a"), read("other/a")) == (200, 403)
    assert [put(account.http, bucket, name).status_code for name in ("mine/n", "other/n")] == [
        200,
        403,
    ]
    assert copies == [200, 403, 403]


def test_a_condition_that_is_not_understood_grants_nothing(
    owned: Owned, sign_in: Callable[[str], Signed]
) -> None:
    """A tag, which the local cloud has not; and one that has expired."""
    account = sign_in(owned.account())
    expressions = [
        'resource.matchTag("123/env", "prod")',
        'request.time < timestamp("2020-01-01T00:00:00Z")',
        'request.time < timestamp("2999-01-01T00:00:00Z")',
    ]
    seen = []
    for expression in expressions:
        condition = {"title": "t", "expression": expression}
        binding = {"role": "roles/storage.objectViewer", "members": [account.member]}
        bucket = owned.bucket(binding | {"condition": condition})
        seen.append(account.http.get(f"/storage/v1/b/{bucket}/o").status_code)

    assert seen == [403, 403, 200]


def test_access_controls_grant_too(owned: Owned, sign_in: Callable[[str], Signed]) -> None:
    """A reader of one object, where access is not uniform; nobody of the object beside it."""
    account = sign_in(owned.account())
    bucket = f"fine-{account.email.partition('@')[0]}"
    made = owned.http.post("/storage/v1/b", params={"project": owned.project},
                           json={"name": bucket})  # fmt: skip
    assert made.status_code == 200, made.text
    for name in ("shared", "kept"):
        owned.put(bucket, name)
    entry = {"entity": f"user-{account.email}", "role": "READER"}
    owned.http.post(f"/storage/v1/b/{bucket}/o/shared/acl", json=entry).raise_for_status()

    seen = [account.http.get(f"/storage/v1/b/{bucket}/o/{name}") for name in ("shared", "kept")]
    patched = account.http.patch(f"/storage/v1/b/{bucket}/o/shared", json={})

    assert [answer.status_code for answer in (*seen, patched)] == [200, 403, 403]


def test_a_managed_folder_s_policy(owned: Owned, sign_in: Callable[[str], Signed]) -> None:
    """What it grants reaches what lies in it, and nothing beside."""
    account, bucket = sign_in(owned.account()), owned.bucket()
    base = f"/storage/v1/b/{bucket}/managedFolders"
    owned.http.post(base, json={"name": "in/"}).raise_for_status()
    binding = {"role": "roles/storage.objectViewer", "members": [account.member]}
    policy = {"bindings": [binding]}
    owned.http.put(f"{base}/in%2F/iam", json=policy).raise_for_status()
    for name in ("in/a", "out"):
        owned.put(bucket, name)

    paths = [f"/storage/v1/b/{bucket}/o/{name}" for name in ("in%2Fa", "out")]
    lists = [f"/storage/v1/b/{bucket}/o?prefix={prefix}" for prefix in ("in/", "out")]

    assert [account.http.get(path).status_code for path in paths + lists] == [200, 403, 200, 403]


def test_buckets_are_made_and_listed_in_projects_that_grant_it(
    owned: Owned, sign_in: Callable[[str], Signed]
) -> None:
    """Without a role 403; with storage.admin a bucket, whose ACL the account may set."""
    account = sign_in(owned.account())
    params = {"project": owned.project}
    body = {"name": f"made-{account.email.partition('@')[0]}"}

    refused = [
        account.http.post("/storage/v1/b", params=params, json=body),
        account.http.get("/storage/v1/b", params=params),
    ]
    owned.grant({"role": "roles/storage.admin", "members": [account.member]})
    made = account.http.post("/storage/v1/b", params=params, json=body)

    assert [answer.status_code for answer in refused] == [403, 403]
    assert "storage.buckets.create access to the Google Cloud project" in refused[0].text
    assert made.status_code == 200
    assert body["name"] in account.http.get("/storage/v1/b", params=params).text


def test_composing_asks_of_every_source(owned: Owned, sign_in: Callable[[str], Signed]) -> None:
    """The sources are in the body, which the rule can still read."""
    account, bucket = sign_in(owned.account()), owned.bucket()
    roles = [("roles/storage.objectCreator", ""), ("roles/storage.objectViewer", "a")]
    bindings: list[dict[str, Any]] = [
        {"role": role, "members": [account.member], "condition": prefixed(bucket, prefix)}
        for role, prefix in roles
    ]
    policy = {"version": 3, "bindings": bindings}
    owned.http.put(f"/storage/v1/b/{bucket}/iam", content=json.dumps(policy)).raise_for_status()
    for name in ("a1", "a2", "b1"):
        owned.put(bucket, name)

    def compose(*names: str) -> int:
        body = {"sourceObjects": [{"name": name} for name in names]}
        path = f"/storage/v1/b/{bucket}/o/made-of-{'-'.join(names)}/compose"
        return account.http.post(path, json=body).status_code

    assert (compose("a1", "a2"), compose("a1", "b1")) == (200, 403)


def test_a_resumable_upload_is_refused_when_it_begins(
    owned: Owned, sign_in: Callable[[str], Signed]
) -> None:
    """The name is in the body; what is there may not be replaced by a creator."""
    account, bucket = sign_in(owned.account()), owned.bucket()
    binding = {"role": "roles/storage.objectCreator", "members": [account.member]}
    path = f"/storage/v1/b/{bucket}/iam"
    params = {"uploadType": "resumable"}
    owned.put(bucket, "here")

    def begin(name: str) -> int:
        upload = f"/upload/storage/v1/b/{bucket}/o"
        return account.http.post(upload, params=params, json={"name": name}).status_code

    before = begin("new")
    owned.http.put(path, json={"bindings": [binding]}).raise_for_status()

    assert (before, begin("new"), begin("here")) == (403, 200, 403)
