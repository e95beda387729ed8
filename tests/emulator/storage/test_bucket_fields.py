"""The fields of a bucket: kept as sent, completed as Google completes them, refused when wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

import httpx
import pytest

from emulator.clock import SteppedClock

if TYPE_CHECKING:
    from starlette.testclient import TestClient

PROJECT = "test-project"
DAY_SECONDS = 86_400
DELETE = {"type": "Delete"}
MANY = [f"203.0.113.{number}/32" for number in range(201)]
LOOSE = ["192.0.2.1/24"]
KEY = "projects/p/locations/us/keyRings/r/cryptoKeys/k"
FILTER = {
    "mode": "Disabled",
    "publicNetworkSource": {"allowedIpCidrRanges": ["203.0.113.10/32"]},
    "vpcNetworkSources": [
        {"network": "projects/p/global/networks/n", "allowedIpCidrRanges": ["10.0.0.0/8"]}
    ],
    "allowCrossOrgVpcs": False,
    "allowAllServiceAgentAccess": True,
}


def new_name() -> str:
    """A bucket name that no other test has."""
    return f"fields-{uuid4().hex[:12]}"


def create(http: httpx.Client, query: str = "", **fields: Any) -> httpx.Response:
    """The answer to making a bucket."""
    return http.post(f"/storage/v1/b?project={PROJECT}{query}", json={"name": new_name(), **fields})


@pytest.mark.parametrize(
    "fields",
    [
        {"lifecycle": {"rule": [{"action": DELETE, "condition": condition}]}}
        for condition in (
            {"age": 0},
            {"createdBefore": "2020-01-01", "isLive": True},
            {"customTimeBefore": "2020-01-01", "daysSinceCustomTime": 3},
            {"noncurrentTimeBefore": "2020-01-01", "daysSinceNoncurrentTime": 3},
            {"numNewerVersions": 3, "matchesStorageClass": ["NEARLINE"]},
            {"matchesPrefix": ["a/"], "matchesSuffix": [".jpg"]},
        )
    ]
    + [
        {
            "lifecycle": {
                "rule": [
                    {
                        "action": {"type": "SetStorageClass", "storageClass": "ARCHIVE"},
                        "condition": {"age": 365},
                    },
                    {
                        "action": {"type": "AbortIncompleteMultipartUpload"},
                        "condition": {"age": 1},
                    },
                ]
            }
        },
        {"cors": [{"origin": ["*"], "method": ["GET"], "responseHeader": ["x"]}]},
        {"logging": {"logBucket": "logs", "logObjectPrefix": "p"}},
        {"website": {"mainPageSuffix": "index.html", "notFoundPage": "404.html"}},
        {"billing": {"requesterPays": True}},
        {"hierarchicalNamespace": {"enabled": False}},
        {"encryption": {"defaultKmsKeyName": KEY}},
        {"ipFilter": FILTER},
        {
            "lifecycle": {
                "rule": [
                    {
                        "action": {"type": "Delete"},
                        "condition": {"sizeAboveBytes": "5", "sizeBelowBytes": "5497558138880"},
                    }
                ]
            }
        },
        {"defaultEventBasedHold": True},
        {"location": "NAM4", "rpo": "ASYNC_TURBO"},
        {"labels": {"team": "", "größe": "ein-mal_2"}},
    ],
)
def test_fields_come_back(http: httpx.Client, fields: dict[str, Any]) -> None:
    """What was sent is answered by create and get, and a patch elsewhere does not touch it."""
    made = create(http, **fields).json()
    path = f"/storage/v1/b/{made['name']}"

    assert {key: made[key] for key in fields} == fields
    patched = http.patch(path, json={"versioning": {"enabled": False}}).json()
    assert {key: patched[key] for key in fields} == fields
    assert {key: http.get(path).json()[key] for key in fields} == fields


@pytest.mark.parametrize(
    "fields",
    [
        {"location": "MOON"},
        {"location": "US", "customPlacementConfig": {"dataLocations": ["US-EAST1"]}},
        {"location": "US", "customPlacementConfig": {"dataLocations": ["US-EAST1", "MOON"]}},
        {
            "location": "US",
            "customPlacementConfig": {"dataLocations": ["US-EAST1", "EUROPE-WEST1"]},
        },
        {"location": "US", "customPlacementConfig": {"dataLocations": ["US-EAST1"] * 2}},
        {"location": "EUR4", "customPlacementConfig": {"dataLocations": ["US-EAST1", "US-EAST4"]}},
        {"storageClass": "FROZEN"},
        {"rpo": "SOON"},
        {"location": "US-EAST1", "rpo": "ASYNC_TURBO"},
        {"iamConfiguration": {"publicAccessPrevention": "perhaps"}},
        {"labels": {"Team": "a"}},
        {"labels": {"team": "a b"}},
        {"labels": {f"l{number}": "" for number in range(65)}},
        {"lifecycle": {"rule": [{"action": {"type": "Paint"}, "condition": {"age": 1}}]}},
        {"lifecycle": {"rule": [{"action": DELETE}]}},
        {"lifecycle": {"rule": [{"condition": {"age": 1}}]}},
        {"lifecycle": {"rule": [{"action": DELETE, "condition": {"age": -1}}]}},
        {"lifecycle": {"rule": [{"action": DELETE, "condition": {"createdBefore": "x"}}]}},
        {"lifecycle": {"rule": [{"action": {"type": "SetStorageClass"}, "condition": {"age": 1}}]}},
        {"softDeletePolicy": {"retentionDurationSeconds": "60"}},
        {"retentionPolicy": {"retentionPeriod": "0"}},
        {"retentionPolicy": {"retentionPeriod": "3155760001"}},
        {"encryption": {"defaultKmsKeyName": "key"}},
        {"hierarchicalNamespace": {"enabled": True}},
        {"autoclass": {"enabled": True}, "storageClass": "NEARLINE"},
        {"ipFilter": {"mode": "Enabled", "publicNetworkSource": {"allowedIpCidrRanges": ["x"]}}},
        {"ipFilter": {"mode": "Enabled", "vpcNetworkSources": [{"network": "n"}] * 26}},
        {"ipFilter": {"mode": "Enabled", "publicNetworkSource": {"allowedIpCidrRanges": MANY}}},
        {"ipFilter": {"mode": "Enabled", "publicNetworkSource": {"allowedIpCidrRanges": LOOSE}}},
        {"labels": {"team": "日" * 43}},
        {"lifecycle": {"rule": [{"action": DELETE, "condition": {"sizeAboveBytes": "-1"}}]}},
        {"lifecycle": {"rule": [{"action": DELETE, "condition": {"sizeBelowBytes": 5 << 41}}]}},
        {"versioning": True},
        {"cors": "none"},
        {"labels": {"team": 7}},
    ],
)
def test_fields_that_google_refuses(http: httpx.Client, fields: dict[str, Any]) -> None:
    """What a bucket cannot be is 400, on create and on patch, and makes nothing."""
    answer = create(http, **fields)

    assert (answer.status_code, answer.json()["error"]["errors"][0]["reason"]) == (400, "invalid")
    if "location" not in fields and "hierarchicalNamespace" not in fields:
        path = f"/storage/v1/b/{create(http).json()['name']}"
        assert http.patch(path, json=fields).status_code == 400
        assert http.get(path).json()["metageneration"] == "1"


def test_a_pair_of_regions(http: httpx.Client) -> None:
    """A configurable dual-region is written in capitals."""
    pair = {"dataLocations": ["us-east1", "us-west1"]}
    made = create(http, location="us", customPlacementConfig=pair).json()

    assert (made["location"], made["locationType"]) == ("US", "dual-region")
    assert made["customPlacementConfig"] == {"dataLocations": ["US-EAST1", "US-WEST1"]}
    assert made["rpo"] == "DEFAULT"


def test_only_the_server_writes_times_and_locks(http: httpx.Client) -> None:
    """What is output only, or unknown, is left out; nothing can be locked by saying so."""
    policy = {"retentionPeriod": "60", "isLocked": True, "effectiveTime": "2000-01-01T00:00:00Z"}
    made = create(http, retentionPolicy=policy, satisfiesPZS=True, paint="blue", id="x").json()

    assert made["retentionPolicy"].keys() == {"retentionPeriod", "effectiveTime"}
    assert not made["retentionPolicy"]["effectiveTime"].startswith("2000")
    assert made["id"] == made["name"]
    assert not {"paint", "satisfiesPZS"} & made.keys()


def test_autoclass_keeps_its_times(local_http: TestClient, clock: SteppedClock) -> None:
    """Autoclass tells when it was toggled and when its last class was chosen."""
    first = create(local_http, autoclass={"enabled": True}).json()
    path = f"/storage/v1/b/{first['name']}"
    clock.advance(60)
    archive = {"autoclass": {"terminalStorageClass": "ARCHIVE"}}
    second = local_http.patch(path, json=archive).json()["autoclass"]
    off = local_http.patch(path, json={"autoclass": {"enabled": False}}).json()["autoclass"]

    assert first["autoclass"]["terminalStorageClass"] == "NEARLINE"
    assert second["toggleTime"] == first["autoclass"]["toggleTime"]
    assert second["terminalStorageClassUpdateTime"] > second["toggleTime"]
    assert (off["enabled"], off["toggleTime"] > second["toggleTime"]) == (False, True)


def test_uniform_access_locks_after_90_days(local_http: TestClient, clock: SteppedClock) -> None:
    """Until the locked time uniform access can be undone, from then on it is 400."""
    on = {"uniformBucketLevelAccess": {"enabled": True}}
    off = {"iamConfiguration": {"uniformBucketLevelAccess": {"enabled": False}}}
    names = [create(local_http, iamConfiguration=on).json()["name"] for _ in range(2)]
    paths = [f"/storage/v1/b/{name}" for name in names]

    clock.advance(89 * DAY_SECONDS)
    assert local_http.patch(paths[0], json=off).status_code == 200
    clock.advance(DAY_SECONDS)
    assert local_http.patch(paths[1], json=off).status_code == 400
    assert local_http.patch(paths[1], json={"labels": {"a": "b"}}).status_code == 200


def test_a_locked_retention_policy_only_grows(http: httpx.Client) -> None:
    """Locking needs the metageneration; then removing or shortening is 403, growing is not."""
    made = create(http, retentionPolicy={"retentionPeriod": 100}).json()
    path = f"/storage/v1/b/{made['name']}"
    lock = f"{path}/lockRetentionPolicy"

    assert http.post(lock).status_code == 400
    assert http.post(f"{lock}?ifMetagenerationMatch=7").status_code == 412
    locked = http.post(f"{lock}?ifMetagenerationMatch=1").json()
    assert locked["retentionPolicy"]["isLocked"] is True
    for policy in (None, {"retentionPeriod": "99"}):
        answer = http.patch(path, json={"retentionPolicy": policy})
        assert answer.status_code == 403
        assert "Cannot reduce retention duration" in answer.json()["error"]["message"]
    assert http.put(path, json={}).status_code == 403
    grown = http.patch(path, json={"retentionPolicy": {"retentionPeriod": "101"}}).json()
    assert (grown["retentionPolicy"]["retentionPeriod"], grown["retentionPolicy"]["isLocked"]) == (
        "101",
        True,
    )


def test_restricted_encryption(http: httpx.Client) -> None:
    """A restriction has its moment, and new objects of that kind are refused until it goes."""
    field = "googleManagedEncryptionEnforcementConfig"
    made = create(http, encryption={field: {"restrictionMode": "FullyRestricted"}}).json()
    path = f"/storage/v1/b/{made['name']}"
    upload = f"/upload{path}/o?uploadType=media&name=o"

    assert made["encryption"][field]["effectiveTime"] == made["timeCreated"]
    assert http.post(upload, content=b"x").status_code == 412
    freed = http.patch(path, json={"encryption": {field: None}}).json()
    assert "encryption" not in freed
    assert http.post(upload, content=b"x").status_code == 200


def test_what_is_decided_at_creation(http: httpx.Client) -> None:
    """Object retention and the hierarchical namespace are asked for once."""
    uniform = {"uniformBucketLevelAccess": {"enabled": True}}
    tree = {"enabled": True}
    made = create(http, iamConfiguration=uniform, hierarchicalNamespace=tree).json()
    path = f"/storage/v1/b/{made['name']}"
    kept = create(http, "&enableObjectRetention=true").json()

    assert kept["objectRetention"] == {"mode": "Enabled"}
    off = {"hierarchicalNamespace": {"enabled": False}}
    assert http.patch(path, json=off).status_code == 400
    assert (
        http.put(path, json={"iamConfiguration": uniform}).json()["hierarchicalNamespace"] == tree
    )
    assert http.get(f"{path}/storageLayout").json()["hierarchicalNamespace"] == tree


def test_a_list_tells_less_of_an_ip_filter(http: httpx.Client) -> None:
    """Lists have the mode of an IP filter, not its addresses."""
    name = create(http, ipFilter=FILTER).json()["name"]

    (listed,) = http.get(f"/storage/v1/b?project={PROJECT}&prefix={name}").json()["items"]

    assert listed["ipFilter"]["mode"] == "Disabled"
    assert "publicNetworkSource" not in listed["ipFilter"]


def test_an_unknown_projection(http: httpx.Client) -> None:
    """A projection is full or noAcl."""
    path = f"/storage/v1/b/{create(http).json()['name']}"

    assert http.get(f"{path}?projection=half").status_code == 400
    assert "acl" not in http.patch(f"{path}?projection=noAcl", json={}).json()


def test_etags_of_buckets(http: httpx.Client) -> None:
    """The etag is a header too, and a condition of reads and writes."""
    path = f"/storage/v1/b/{create(http).json()['name']}"
    etag = http.get(path).headers["etag"]

    assert etag == "CAE="
    assert http.get(path, headers={"If-None-Match": etag}).status_code == 304
    assert http.patch(path, json={}, headers={"If-Match": "CAI="}).status_code == 412
    assert http.patch(path, json={}, headers={"If-Match": etag}).status_code == 200
