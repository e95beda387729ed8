"""Deleted objects that can be restored: listed, read, made live again, and gone in the end."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from emulator.clock import SteppedClock, timestamp
from emulator.cloud import Cloud
from emulator.storage import versions
from tests.emulator.storage.objects import OBJECTS, create, make, names, put, reason

WEEK_SECONDS = 7 * 24 * 3600


@pytest.fixture
def http(local_http: TestClient) -> TestClient:
    """A client of a cloud with the bucket `home`, which has the default policy of seven days."""
    make(local_http)
    return local_http


def test_a_deleted_object_is_found_by_its_generation(http: TestClient, local: Cloud) -> None:
    """With softDeleted it is listed and read, with the times of its deletion and of its end."""
    made = put(http, "x", b"data")
    http.delete(f"{OBJECTS}/x")
    query = {"generation": made["generation"], "softDeleted": "true"}

    found = http.get(f"{OBJECTS}/x", params=query).json()

    now = timestamp(local.clock.now())
    assert (found["softDeleteTime"], found["generation"]) == (now, made["generation"])
    assert found["hardDeleteTime"] == timestamp(local.clock.now()).replace("-01-01T", "-01-08T")
    assert http.get(OBJECTS, params={"softDeleted": "true"}).json()["items"] == [found]
    assert names(http.get(OBJECTS, params={"versions": "true"}).json()) == []
    assert http.get(f"{OBJECTS}/x", params={"generation": made["generation"]}).status_code == 404


def test_a_replaced_object_is_softly_deleted(http: TestClient) -> None:
    """Without versioning what is overwritten can be restored too."""
    put(http, "x", b"old")
    put(http, "x", b"new")

    assert names(http.get(OBJECTS, params={"softDeleted": "true"}).json()) == ["x"]


def test_restore(http: TestClient) -> None:
    """A new generation has the old bytes and fields; what was live is deleted in its turn."""
    made = create(http, {"name": "x", "metadata": {"a": "1"}}, b"old").json()
    put(http, "x", b"new")

    back = http.post(f"{OBJECTS}/x/restore", params={"generation": made["generation"]})

    assert back.status_code == 200, back.text
    assert (back.json()["metadata"], back.json()["metageneration"]) == ({"a": "1"}, "1")
    assert int(back.json()["generation"]) > int(made["generation"])
    assert "softDeleteTime" not in back.json() and "hardDeleteTime" not in back.json()
    assert http.get(f"{OBJECTS}/x?alt=media").content == b"old"
    assert names(http.get(OBJECTS, params={"softDeleted": "true"}).json()) == ["x", "x"]


def test_what_cannot_be_restored(http: TestClient) -> None:
    """Without a generation, one that is live, one that never was, and against a condition."""
    live = put(http, "x", b"1")
    path = f"{OBJECTS}/x/restore"
    asked = [
        http.post(path),
        http.post(path, params={"generation": live["generation"]}),
        http.post(path, params={"generation": "7"}),
        http.get(f"{OBJECTS}/x", params={"softDeleted": "true"}),
    ]
    put(http, "x", b"2")
    refused = http.post(path, params={"generation": live["generation"], "ifGenerationMatch": "0"})

    assert [answer.status_code for answer in asked] == [400, 412, 404, 400]
    assert refused.status_code == 412


def test_access_controls_are_those_of_the_bucket_unless_copied(http: TestClient) -> None:
    """copySourceAcl brings the deleted object's own controls back."""
    made = put(http, "x", b"1", predefinedAcl="publicRead")
    http.delete(f"{OBJECTS}/x")

    def entities(**query: str) -> set[str]:
        asked = {"generation": made["generation"], "projection": "full", **query}
        answer = http.post(f"{OBJECTS}/x/restore", params=asked).json()
        return {entry["entity"] for entry in answer["acl"]}

    assert "allUsers" not in entities()
    assert "allUsers" in entities(copySourceAcl="true")


def test_time_runs_out(http: TestClient, local: Cloud, clock: SteppedClock) -> None:
    """After the policy's time an object is not found, and a sweep frees its bytes."""
    made = put(http, "x", b"data")
    http.delete(f"{OBJECTS}/x")
    query = {"generation": made["generation"], "softDeleted": "true"}
    clock.advance(WEEK_SECONDS - 1)
    assert http.get(f"{OBJECTS}/x", params=query).status_code == 200
    assert len(blobs(local)) == 1

    clock.advance(1)

    assert http.get(f"{OBJECTS}/x", params=query).status_code == 404
    assert http.get(OBJECTS, params={"softDeleted": "true"}).json() == {"kind": "storage#objects"}
    restore = {"generation": made["generation"]}
    assert http.post(f"{OBJECTS}/x/restore", params=restore).status_code == 404
    assert (versions.sweep(local), blobs(local)) == (1, [])


def test_no_policy_no_second_chance(http: TestClient, local: Cloud) -> None:
    """With a policy of 0 seconds a deleted object is gone at once; earlier ones stay."""
    put(http, "early", b"1")
    http.delete(f"{OBJECTS}/early")
    http.patch("/storage/v1/b/home", json={"softDeletePolicy": {"retentionDurationSeconds": "0"}})
    put(http, "late", b"2")
    http.delete(f"{OBJECTS}/late")

    assert names(http.get(OBJECTS, params={"softDeleted": "true"}).json()) == ["early"]
    assert len(blobs(local)) == 1
    refused = http.post(f"{OBJECTS}/bulkRestore", json={})
    assert (refused.status_code, reason(refused)) == (400, "SoftDeletePolicyRequired")


def test_a_noncurrent_generation_is_softly_deleted_too(http: TestClient) -> None:
    """Both of its times are told: when it became noncurrent, and when it was deleted."""
    http.patch("/storage/v1/b/home", json={"versioning": {"enabled": True}})
    old = put(http, "x", b"old")
    put(http, "x", b"new")
    http.delete(f"{OBJECTS}/x", params={"generation": old["generation"]})

    (found,) = http.get(OBJECTS, params={"softDeleted": "true"}).json()["items"]

    assert found["generation"] == old["generation"]
    assert {"timeDeleted", "softDeleteTime", "hardDeleteTime"} <= set(found)


def test_bulk_restore(http: TestClient, clock: SteppedClock) -> None:
    """The latest generation of every name that matches comes back; live names are left alone."""
    for name in ("a/1", "a/2", "a/live", "b/1"):
        put(http, name, b"first")
    clock.advance(60)
    put(http, "a/1", b"second")
    for name in ("a/1", "a/2", "a/live", "b/1"):
        http.delete(f"{OBJECTS}/{name.replace('/', '%2F')}")
    put(http, "a/live", b"live")

    operation = http.post(f"{OBJECTS}/bulkRestore", json={"matchGlobs": ["a/*"]}).json()

    assert (operation["kind"], operation["done"]) == ("storage#operation", True)
    number = operation["name"].rpartition("/")[2]
    assert http.get(f"/storage/v1/b/home/operations/{number}").json() == operation
    assert names(http.get(OBJECTS).json()) == ["a/1", "a/2", "a/live"]
    assert http.get(f"{OBJECTS}/a%2F1?alt=media").content == b"second"
    assert http.get(f"{OBJECTS}/a%2Flive?alt=media").content == b"live"


def test_bulk_restore_by_time_and_over_what_is_live(
    http: TestClient, local: Cloud, clock: SteppedClock
) -> None:
    """Only what was deleted within the span; with allowOverwrite also over live objects."""
    put(http, "early", b"1")
    put(http, "late", b"2")
    http.delete(f"{OBJECTS}/early")
    clock.advance(60)
    http.delete(f"{OBJECTS}/late")
    put(http, "late", b"live")
    between = timestamp(local.clock.now()).replace(":01:00.", ":00:30.")

    body = {"softDeletedAfterTime": between, "allowOverwrite": True}
    assert http.post(f"{OBJECTS}/bulkRestore", json=body).status_code == 200

    assert names(http.get(OBJECTS).json()) == ["late"]
    assert http.get(f"{OBJECTS}/late?alt=media").content == b"2"


def test_a_full_disk_gives_up_what_is_deleted(http: TestClient, local: Cloud) -> None:
    """Softly deleted bytes make room, those first that would go first."""
    put(http, "x", b"data")
    http.delete(f"{OBJECTS}/x")

    assert (versions.reclaim(local), blobs(local)) == (True, [])
    assert not versions.reclaim(local)


def blobs(cloud: Cloud) -> list[Path]:
    """The files of bytes that are kept."""
    return [path for path in cloud.settings.data_dir.glob("blobs/??/*") if path.is_file()]


def test_deleted_bytes_are_kept_up_to_a_limit(http: TestClient, local: Cloud) -> None:
    """Beyond it the oldest go before their time, however small they are."""
    for number in range(5):
        put(http, f"x{number}", bytes(1000))
        http.delete(f"{OBJECTS}/x{number}")

    with local.store.transaction() as db:
        versions.keep_within(local, db, 2500)

    assert names(http.get(OBJECTS, params={"softDeleted": "true"}).json()) == ["x3", "x4"]


def test_restore_tokens(local_http: TestClient) -> None:
    """In a hierarchical namespace a deleted object has one, and none but that restores it."""
    uniform = {"uniformBucketLevelAccess": {"enabled": True}}
    make(local_http, hierarchicalNamespace={"enabled": True}, iamConfiguration=uniform)
    made = put(local_http, "x", b"data")
    local_http.delete(f"{OBJECTS}/x")
    (found,) = local_http.get(OBJECTS, params={"softDeleted": "true"}).json()["items"]
    query = {"generation": made["generation"], "restoreToken": "another"}

    assert local_http.post(f"{OBJECTS}/x/restore", params=query).status_code == 404
    query["restoreToken"] = found["restoreToken"]
    assert local_http.post(f"{OBJECTS}/x/restore", params=query).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        {"createdAfterTime": "9999-12-31T23:59:59-12:00"},
        {"softDeletedBeforeTime": "2026-01-01T00:00:00"},
        {"matchGlobs": ["{"]},
        {"matchGlobs": "a"},
        {"allowOverwrite": 7},
    ],
)
def test_bulk_restores_that_are_none(http: TestClient, body: dict[str, object]) -> None:
    """Times that are none or have no zone, globs and truths that are none: 400."""
    assert http.post(f"{OBJECTS}/bulkRestore", json=body).status_code == 400
