"""Generations that are not live: listed, read, changed, copied and deleted by their number."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from emulator.cloud import Cloud
from tests.emulator.storage.objects import OBJECTS, make, names, put

Json = dict[str, Any]


@pytest.fixture
def versioned(local_http: TestClient) -> TestClient:
    """A client of a cloud with the bucket `home`, which keeps versions and deletes for good."""
    make(local_http, versioning={"enabled": True}, softDeletePolicy={"retentionDurationSeconds": 0})
    return local_http


def test_a_replaced_object_becomes_noncurrent(versioned: TestClient) -> None:
    """Its bytes and fields are found by its generation, with the time at which it was replaced."""
    old, new = put(versioned, "x", b"old"), put(versioned, "x", b"new")

    found = versioned.get(f"{OBJECTS}/x", params={"generation": old["generation"]}).json()
    media = {"alt": "media", "generation": old["generation"]}

    assert found == {**old, "timeDeleted": new["timeCreated"]}
    assert versioned.get(f"{OBJECTS}/x", params=media).content == b"old"
    assert versioned.get(f"{OBJECTS}/x?alt=media").content == b"new"


def test_lists_of_versions_merge_both_by_name_and_generation(versioned: TestClient) -> None:
    """Page by page, with a delimiter and without, each generation comes once, in order."""
    made = [put(versioned, name, text) for text in (b"1", b"2", b"3") for name in ("a", "b/x", "c")]
    versioned.delete(f"{OBJECTS}/c")
    expected = sorted((item["name"], int(item["generation"])) for item in made)

    for size in (1, 2, 5, 1000):
        assert listed(versioned, versions="true", maxResults=str(size)) == expected
    assert [name for name, _ in listed(versioned)] == ["a", "b/x"]
    flat = listed(versioned, versions="true", delimiter="/", maxResults="2")
    assert flat == [pair for pair in expected if pair[0] != "b/x"]


def test_a_delete_without_a_generation_keeps_one_more_version(versioned: TestClient) -> None:
    """The live object is gone, its generation is not; another delete finds nothing."""
    made = put(versioned, "x", b"1")

    assert versioned.delete(f"{OBJECTS}/x").status_code == 204
    assert versioned.get(f"{OBJECTS}/x").status_code == 404
    assert versioned.delete(f"{OBJECTS}/x").status_code == 404
    query = {"generation": made["generation"]}
    assert versioned.get(f"{OBJECTS}/x", params=query).status_code == 200


def test_a_generation_is_deleted_for_good(local: Cloud, versioned: TestClient) -> None:
    """With its number, live or noncurrent, nothing of it is left, its bytes neither."""
    old, live = put(versioned, "x", b"old"), put(versioned, "x", b"live")
    for made in (old, live):
        query = {"generation": made["generation"]}
        assert versioned.delete(f"{OBJECTS}/x", params=query).status_code == 204
        assert versioned.delete(f"{OBJECTS}/x", params=query).status_code == 404

    assert listed(versioned, versions="true") == []
    assert not [path for path in local.settings.data_dir.glob("blobs/??/*") if path.is_file()]


def test_a_noncurrent_generation_is_changed_and_copied(versioned: TestClient) -> None:
    """A patch by generation changes that one alone; a copy of it makes it live again."""
    old, live = put(versioned, "x", b"old"), put(versioned, "x", b"live")
    query = {"generation": old["generation"]}

    changed = versioned.patch(f"{OBJECTS}/x", params=query, json={"metadata": {"a": "1"}}).json()
    source = {"sourceGeneration": old["generation"]}
    copied = versioned.post(f"{OBJECTS}/x/rewriteTo/b/home/o/x", params=source).json()["resource"]

    assert (changed["metageneration"], changed["metadata"]) == ("2", {"a": "1"})
    assert copied["metadata"] == {"a": "1"}
    assert versioned.get(f"{OBJECTS}/x?alt=media").content == b"old"
    kept = versioned.get(f"{OBJECTS}/x", params={"generation": live["generation"]}).json()
    assert "metadata" not in kept and "timeDeleted" in kept


def test_conditions_are_judged_on_the_generation_named(versioned: TestClient) -> None:
    """What holds of the live object does not help one that is noncurrent, and the other way."""
    old = put(versioned, "x", b"old")
    live = put(versioned, "x", b"live")
    query = {"generation": old["generation"]}

    for method in ("GET", "PATCH", "DELETE"):
        body: dict[str, Any] = {"json": {}} if method == "PATCH" else {}
        wrong = query | {"ifGenerationMatch": live["generation"]}
        assert versioned.request(method, f"{OBJECTS}/x", params=wrong, **body).status_code == 412
        right = query | {"ifGenerationMatch": old["generation"]}
        assert versioned.request(method, f"{OBJECTS}/x", params=right, **body).status_code < 300


def test_versions_stay_when_versioning_ends(versioned: TestClient) -> None:
    """They are listed and keep the bucket from being deleted until they are deleted themselves."""
    old = put(versioned, "x", b"old")
    put(versioned, "x", b"live")
    versioned.patch("/storage/v1/b/home", json={"versioning": {"enabled": False}})
    versioned.delete(f"{OBJECTS}/x")

    assert names(versioned.get(OBJECTS, params={"versions": "true"}).json()) == ["x"]
    assert versioned.delete("/storage/v1/b/home").status_code == 409
    versioned.delete(f"{OBJECTS}/x", params={"generation": old["generation"]})
    assert versioned.delete("/storage/v1/b/home").status_code == 204


def test_what_is_no_generation(versioned: TestClient) -> None:
    """One that never was is 404, a text that is no number 400."""
    put(versioned, "x", b"1")

    assert versioned.get(f"{OBJECTS}/x?generation=7").status_code == 404
    assert versioned.get(f"{OBJECTS}/x?generation=seven").status_code == 400
    assert versioned.get(f"{OBJECTS}/x?generation={10**30}").status_code == 400


def listed(http: TestClient, **query: str) -> list[tuple[str, int]]:
    """Names and generations of all pages."""
    found: list[tuple[str, int]] = []
    while True:
        page = http.get(OBJECTS, params=query).json()
        found += [(item["name"], int(item["generation"])) for item in page.get("items", [])]
        if "nextPageToken" not in page:
            return found
        query = {**query, "pageToken": page["nextPageToken"]}
