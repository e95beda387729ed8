"""Access controls of buckets, of new objects and of objects, by Google's client and by HTTP."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import httpx
import pytest
from google.api_core import exceptions
from google.cloud.storage import Bucket, Client

PROJECT = "test-project"
UNIFORM = {"uniformBucketLevelAccess": {"enabled": True}}
READERS = "group-readers@example.org"
HALF = "Cannot use ACL API to update bucket policy when uniform bucket-level access is enabled"
PREVENTED = "public access prevention is enforced"


def made(http: httpx.Client, **fields: Any) -> str:
    """The path of a new bucket."""
    name = f"acl-{uuid4().hex[:12]}"
    answer = http.post(f"/storage/v1/b?project={PROJECT}", json={"name": name, **fields})
    assert answer.status_code == 200, answer.text
    return f"/storage/v1/b/{name}"


def put(http: httpx.Client, path: str, name: str = "o", query: str = "") -> dict[str, Any]:
    """The JSON of a new object."""
    answer = http.post(f"/upload{path}/o?uploadType=media&name={name}{query}", content=b"x")
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def roles(answer: httpx.Response) -> dict[str, str]:
    """Roles by entity, teams without the number of their project."""
    number = answer.json()["items"][0].get("projectTeam", {}).get("projectNumber", "")
    return {one["entity"].removesuffix(f"-{number}"): one["role"] for one in answer.json()["items"]}


def test_a_new_bucket_belongs_to_its_project(http: httpx.Client) -> None:
    """Owners and editors own, viewers read, on the bucket and on what will be in it."""
    path = made(http)
    team = {"project-owners": "OWNER", "project-editors": "OWNER", "project-viewers": "READER"}

    assert roles(http.get(f"{path}/acl")) == team
    assert roles(http.get(f"{path}/defaultObjectAcl")) == team
    first = http.get(f"{path}/acl").json()["items"][0]
    assert first["kind"] == "storage#bucketAccessControl"
    assert first["projectTeam"]["team"] == "owners"
    assert http.get(first["selfLink"]).json() == first


def test_a_control_is_made_changed_and_deleted(http: httpx.Client) -> None:
    """Insert, get, patch, update and delete of one entity, each a metageneration of the bucket."""
    path = made(http)

    inserted = http.post(f"{path}/acl", json={"entity": READERS, "role": "READER"}).json()
    patched = http.patch(f"{path}/acl/{READERS}", json={"role": "WRITER"}).json()
    updated = http.put(f"{path}/acl/{READERS}", json={"entity": READERS, "role": "OWNER"}).json()
    metageneration = http.get(path).json()["metageneration"]

    assert (inserted["role"], patched["role"], updated["role"]) == ("READER", "WRITER", "OWNER")
    assert inserted["email"] == "readers@example.org"
    assert metageneration == "4"
    assert http.delete(f"{path}/acl/{READERS}").status_code == 204
    assert http.get(f"{path}/acl/{READERS}").status_code == 404


@pytest.mark.parametrize(
    "control",
    [
        {"entity": "somebody", "role": "READER"},
        {"entity": "user-foo", "role": "READER"},
        {"entity": f"user-{'x' * 100_000}", "role": "READER"},
        {"entity": f"user-{'x' * 100_000}@example.org", "role": "READER"},
        {"entity": "domain-example", "role": "READER"},
        {"entity": "project-owners-", "role": "READER"},
        {"entity": READERS, "role": "PAINTER"},
        {"entity": READERS},
        {"role": "READER"},
    ],
)
def test_controls_that_are_none(http: httpx.Client, control: dict[str, str]) -> None:
    """An entity or role that Google does not have, or none at all, is 400."""
    path = made(http)

    assert http.post(f"{path}/acl", json=control).status_code == 400
    assert http.post(f"{path}/defaultObjectAcl", json=control).status_code == 400


def test_new_objects_get_the_default_controls(http: httpx.Client) -> None:
    """An object has the bucket's default controls of its time, and its maker as the owner."""
    path = made(http)
    old = put(http, path, "old")
    http.post(f"{path}/defaultObjectAcl", json={"entity": READERS, "role": "READER"})
    put(http, path, "new")

    assert READERS not in roles(http.get(f"{path}/o/old/acl"))
    assert roles(http.get(f"{path}/o/new/acl"))[READERS] == "READER"
    full = http.get(f"{path}/o/old?projection=full").json()
    assert full["owner"]["entity"] == "user-owner@localhost"
    assert full["acl"][-1]["role"] == "OWNER"
    assert full["acl"][0]["generation"] == old["generation"]


def test_the_owner_of_an_object_stays(http: httpx.Client) -> None:
    """Whatever list is sent, the owner keeps the role OWNER and cannot be deleted."""
    path = made(http)
    put(http, path)
    owner = "user-owner@localhost"

    http.patch(f"{path}/o/o?projection=full", json={"acl": [{"entity": READERS, "role": "READER"}]})

    assert roles(http.get(f"{path}/o/o/acl")) == {READERS: "READER", owner: "OWNER"}
    assert http.delete(f"{path}/o/o/acl/{owner}").status_code == 400
    assert http.patch(f"{path}/o/o/acl/{owner}", json={"role": "READER"}).json()["role"] == "OWNER"


def test_controls_of_a_generation(http: httpx.Client) -> None:
    """A noncurrent generation has controls of its own, and changing them moves only it."""
    path = made(http, versioning={"enabled": True})
    old, new = put(http, path), put(http, path)
    control = {"entity": READERS, "role": "READER"}

    http.post(f"{path}/o/o/acl?generation={old['generation']}", json=control)

    assert READERS in roles(http.get(f"{path}/o/o/acl?generation={old['generation']}"))
    assert READERS not in roles(http.get(f"{path}/o/o/acl"))
    assert http.get(f"{path}/o/o").json()["metageneration"] == new["metageneration"]


def test_predefined_controls(http: httpx.Client) -> None:
    """Named sets do on create, patch and upload what Google's page says; unknown ones are 400."""
    path = made(http)
    put(http, path, query="&predefinedAcl=publicRead")

    assert roles(http.get(f"{path}/o/o/acl"))["allUsers"] == "READER"
    http.patch(f"{path}?predefinedAcl=publicReadWrite&predefinedDefaultObjectAcl=private", json={})
    assert roles(http.get(f"{path}/acl")) == {"project-owners": "OWNER", "allUsers": "WRITER"}
    assert "items" not in http.get(f"{path}/defaultObjectAcl").json()
    refused = http.patch(f"{path}?predefinedAcl=everybody", json={})
    assert refused.status_code == 400
    assert "Invalid value 'everybody'" in refused.json()["error"]["message"]


def test_a_stale_metageneration_changes_nothing(client: Client) -> None:
    """Access controls are saved on a condition, as Google's client saves them."""
    bucket = client.create_bucket(f"acl-{uuid4().hex[:12]}")
    bucket.acl.group("readers@example.org").grant_read()

    with pytest.raises(exceptions.PreconditionFailed):
        bucket.acl.save(if_metageneration_match=9)
    bucket.acl.save(if_metageneration_match=bucket.metageneration)

    assert bucket.acl.group("readers@example.org").get_roles() == {"READER"}


def test_uniform_access_refuses_and_keeps_controls(http: httpx.Client) -> None:
    """While access is uniform every ACL call is 400 in Google's words; afterwards all is there."""
    path = made(http)
    put(http, path)
    http.post(f"{path}/acl", json={"entity": READERS, "role": "READER"})
    before = [http.get(f"{path}/{place}").json() for place in ("acl", "o/o/acl")]
    control = {"entity": READERS, "role": "OWNER"}

    http.patch(path, json={"iamConfiguration": UNIFORM})
    refused = [
        http.post(f"{path}/acl", json=control),
        http.post(f"{path}/defaultObjectAcl", json=control),
        http.patch(path, json={"acl": [control]}),
        http.patch(f"{path}?predefinedAcl=private", json={}),
    ]
    unread = [http.get(f"{path}/{place}") for place in ("acl", "defaultObjectAcl", "o/o/acl")]
    upload = http.post(
        f"/upload{path}/o?uploadType=media&name=p&predefinedAcl=private", content=b""
    )
    http.patch(path, json={"iamConfiguration": {"uniformBucketLevelAccess": {"enabled": False}}})

    assert {answer.status_code for answer in [*refused, *unread, upload]} == {400}
    assert all(HALF in answer.json()["error"]["message"] for answer in refused)
    assert "Cannot insert legacy ACL for an object" in upload.json()["error"]["message"]
    after = [http.get(f"{path}/{place}").json() for place in ("acl", "o/o/acl")]
    assert [len(one["items"]) for one in after] == [len(one["items"]) for one in before]


def test_public_access_prevention(http: httpx.Client) -> None:
    """Nobody can be made public where it is prevented: not by controls, nor by the policy."""
    path = made(http, iamConfiguration={"publicAccessPrevention": "enforced"})
    put(http, path)
    public = {"entity": "allUsers", "role": "READER"}
    binding = {"role": "roles/storage.objectViewer", "members": ["allUsers"]}
    answers = [
        http.post(f"{path}/acl", json=public),
        http.post(f"{path}/defaultObjectAcl", json=public),
        http.post(f"{path}/o/o/acl", json=public),
        http.patch(f"{path}/o/o?predefinedAcl=publicRead", json={}),
        http.patch(path, json={"acl": [{"entity": "allAuthenticatedUsers", "role": "READER"}]}),
        http.put(f"{path}/iam", json={"bindings": [binding]}),
    ]

    assert [answer.status_code for answer in answers] == [412] * len(answers)
    assert all(PREVENTED in answer.json()["error"]["message"] for answer in answers)


def test_controls_and_policy_are_one(http: httpx.Client, bucket: Bucket) -> None:
    """A control shows as a legacy role of the policy, and a legacy role as a control."""
    path = f"/storage/v1/b/{bucket.name}"
    http.post(f"{path}/acl", json={"entity": READERS, "role": "WRITER"})
    policy = http.get(f"{path}/iam").json()
    writers = [one for one in policy["bindings"] if one["role"].endswith("legacyBucketWriter")]

    assert writers[0]["members"] == ["group:readers@example.org"]
    writers[0]["members"] = ["serviceAccount:a@of-no-project-here.iam.gserviceaccount.com"]
    http.put(f"{path}/iam", json=policy)
    assert (
        roles(http.get(f"{path}/acl"))["user-a@of-no-project-here.iam.gserviceaccount.com"]
        == "WRITER"
    )
    assert http.get(f"{path}/acl/{READERS}").status_code == 404
