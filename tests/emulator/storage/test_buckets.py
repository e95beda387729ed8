"""Buckets, by Google's client and, where it cannot, by raw HTTP."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import httpx
import pytest
from google.api_core import exceptions
from google.cloud.storage import Bucket, Client

PROJECT = "test-project"


def new_name() -> str:
    """A bucket name that no other test has."""
    return f"bucket-{uuid4().hex[:12]}"


def test_a_new_bucket_has_googles_defaults(client: Client) -> None:
    """Location in capitals, its type, class, soft deletion, access, number come by themselves."""
    bucket = client.create_bucket(new_name(), location="us-central1")

    fields = bucket._properties
    assert fields["location"] == "US-CENTRAL1"
    assert fields["locationType"] == "region"
    assert fields["storageClass"] == "STANDARD"
    assert fields["metageneration"] == "1"
    assert fields["softDeletePolicy"]["retentionDurationSeconds"] == "604800"
    assert fields["iamConfiguration"]["publicAccessPrevention"] == "inherited"
    assert fields["iamConfiguration"]["uniformBucketLevelAccess"] == {"enabled": False}
    assert int(fields["projectNumber"]) > 10**11
    assert fields["etag"]


@pytest.mark.parametrize(
    ("location", "kind"),
    [("us", "multi-region"), ("EU", "multi-region"), ("nam4", "dual-region")],
)
def test_the_kind_of_location_follows_from_its_name(
    client: Client, location: str, kind: str
) -> None:
    """Multi-regions and predefined dual-regions are told from regions."""
    bucket = client.create_bucket(new_name(), location=location)

    assert (bucket.location, bucket.location_type) == (location.upper(), kind)


def test_what_is_sent_comes_back(http: httpx.Client) -> None:
    """Every field that Terraform sends is answered by create and by get, or it would never rest."""
    sent: dict[str, Any] = {
        "name": new_name(),
        "location": "EUROPE-WEST4",
        "storageClass": "NEARLINE",
        "labels": {"team": "photos", "goog-terraform-provisioned": "true"},
        "lifecycle": {"rule": [{"action": {"type": "Delete"}, "condition": {"age": 7}}]},
        "versioning": {"enabled": True},
        "cors": [{"origin": ["https://example.org"], "method": ["GET"], "maxAgeSeconds": 60}],
        "website": {"mainPageSuffix": "index.html"},
        "defaultEventBasedHold": False,
        "softDeletePolicy": {"retentionDurationSeconds": "0"},
    }

    made = http.post(f"/storage/v1/b?project={PROJECT}", json=sent).json()

    assert {key: made[key] for key in sent} == sent
    assert http.get(f"/storage/v1/b/{sent['name']}").json() == made


def test_uniform_access_is_answered_under_both_its_names(client: Client) -> None:
    """Uniform access carries the time until which it can be undone, and stays when patched."""
    bucket = Bucket(client, new_name())
    bucket.iam_configuration.uniform_bucket_level_access_enabled = True
    bucket.create()
    locked = bucket.iam_configuration.uniform_bucket_level_access_locked_time

    bucket.labels = {"a": "b"}
    bucket.patch()

    assert locked is not None
    assert bucket.iam_configuration.uniform_bucket_level_access_locked_time == locked
    assert bucket._properties["iamConfiguration"]["bucketPolicyOnly"]["enabled"] is True


def test_a_patch_merges_and_null_removes(http: httpx.Client) -> None:
    """A patch keeps what it does not name, null removes a label, an empty rule list a lifecycle."""
    name = new_name()
    rule = {"rule": [{"action": {"type": "Delete"}, "condition": {"age": 7}}]}
    body = {"name": name, "labels": {"keep": "1", "drop": "2"}, "lifecycle": rule}
    before = http.post(f"/storage/v1/b?project={PROJECT}", json=body).json()

    patch = {"labels": {"drop": None, "new": "3"}, "lifecycle": {"rule": []}, "location": "EU"}
    after = http.patch(f"/storage/v1/b/{name}", json=patch).json()

    assert after["labels"] == {"keep": "1", "new": "3"}
    assert "lifecycle" not in after
    assert after["metageneration"] == "2"
    assert after["etag"] != before["etag"]
    assert after["location"] == "US"


def test_an_update_replaces(client: Client) -> None:
    """PUT drops what it does not name, and keeps where and when the bucket was made."""
    bucket = client.create_bucket(new_name(), location="us-east1")
    created = bucket.time_created
    bucket.labels = {"a": "b"}
    bucket.patch()

    bucket.labels = {}
    bucket.update()

    assert bucket.labels == {}
    assert (bucket.location, bucket.time_created) == ("US-EAST1", created)


def test_a_name_can_be_taken_once(client: Client, http: httpx.Client) -> None:
    """A second bucket of the name is 409, in other words for another project."""
    name = client.create_bucket(new_name()).name

    with pytest.raises(exceptions.Conflict, match="you already own it"):
        client.create_bucket(name)
    other = http.post("/storage/v1/b?project=another-project", json={"name": name})
    assert other.status_code == 409
    assert "shared by all users of the system" in other.json()["error"]["message"]


@pytest.mark.parametrize(
    "name", ["ab", "UPPER", "a_b-", "-ab", "a" * 64, "has space", "192.168.5.4", "goog-x", "a..b"]
)
def test_names_that_google_refuses(http: httpx.Client, name: str) -> None:
    """A bad name is 400 and names what was received."""
    answer = http.post(f"/storage/v1/b?project={PROJECT}", json={"name": name})

    assert answer.status_code == 400
    assert answer.json()["error"]["errors"][0]["reason"] == "invalid"
    assert name in answer.json()["error"]["message"]


def test_the_servers_own_names_are_its_own(http: httpx.Client) -> None:
    """Nobody can make a bucket where the server keeps what belongs to jobs."""
    answer = http.post(f"/storage/v1/b?project={PROJECT}", json={"name": "emulator-mine"})

    assert answer.status_code == 400
    assert "belong to the local cloud" in answer.json()["error"]["message"]


def test_the_project_must_be_named(http: httpx.Client) -> None:
    """Create and list need the project, and say so as Google does."""
    for answer in (http.get("/storage/v1/b"), http.post("/storage/v1/b", json={"name": "a-b-c"})):
        assert answer.status_code == 400
        assert answer.json()["error"] == {
            "code": 400,
            "message": "Required parameter: project",
            "errors": [
                {
                    "message": "Required parameter: project",
                    "domain": "global",
                    "reason": "required",
                    "locationType": "parameter",
                    "location": "project",
                }
            ],
        }


def test_a_missing_bucket_is_googles_404(client: Client, http: httpx.Client) -> None:
    """Reading, changing, listing and deleting what is not there say the same sentence."""
    path = f"/storage/v1/b/{new_name()}"
    answers = [
        http.get(path),
        http.patch(path, json={}),
        http.delete(path),
        http.get(f"{path}/o"),
        http.get(f"{path}/iam"),
        http.post(f"/upload{path}/o?uploadType=media&name=x", content=b"x"),
    ]

    assert client.lookup_bucket(new_name()) is None
    assert {answer.status_code for answer in answers} == {404}
    messages = {answer.json()["error"]["message"] for answer in answers}
    assert messages == {"The specified bucket does not exist."}


def test_only_an_empty_bucket_can_go(client: Client, bucket: Bucket) -> None:
    """A bucket with an object is 409 with Google's sentence; without, it goes."""
    bucket.blob("x").upload_from_string("x")

    with pytest.raises(exceptions.Conflict, match="The bucket you tried to delete is not empty"):
        bucket.delete()
    bucket.delete(force=True)

    assert client.lookup_bucket(bucket.name) is None


def test_buckets_are_listed_by_project_in_pages(client: Client) -> None:
    """A list has one project's buckets in the order of names, in pages, by prefix."""
    mark = uuid4().hex[:8]
    names = [client.create_bucket(f"{mark}-{number}").name for number in (3, 1, 2)]
    client.create_bucket(f"{mark}-other", project="another-project")

    pages = [[b.name for b in page] for page in client.list_buckets(prefix=mark, page_size=2).pages]

    assert pages == [sorted(names)[:2], sorted(names)[2:]]


def test_bucket_conditions(bucket: Bucket, http: httpx.Client) -> None:
    """A patch or delete for another metageneration is 412; an unchanged read is 304."""
    path = f"/storage/v1/b/{bucket.name}"

    assert http.patch(f"{path}?ifMetagenerationMatch=2", json={}).status_code == 412
    assert http.delete(f"{path}?ifMetagenerationNotMatch=1").status_code == 412
    assert http.get(f"{path}?ifMetagenerationNotMatch=1").status_code == 304
    assert http.patch(f"{path}?ifMetagenerationMatch=1", json={}).status_code == 200


def test_access_controls_come_with_the_full_projection(http: httpx.Client) -> None:
    """acl, defaultObjectAcl and owner are answered for projection=full, and never when uniform."""
    name = new_name()
    uniform = {"uniformBucketLevelAccess": {"enabled": True}}
    http.post(f"/storage/v1/b?project={PROJECT}", json={"name": name})

    assert "acl" not in http.get(f"/storage/v1/b/{name}").json()
    full = http.get(f"/storage/v1/b/{name}?projection=full").json()
    assert {"acl", "defaultObjectAcl", "owner"} <= full.keys()
    patched = http.patch(f"/storage/v1/b/{name}", json={"iamConfiguration": uniform}).json()
    assert "acl" not in patched
