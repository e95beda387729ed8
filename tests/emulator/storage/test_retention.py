"""What may not be deleted or replaced yet: policies, holds, and an object's own retention."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from starlette.testclient import TestClient

from emulator.clock import SteppedClock, timestamp
from tests.emulator.storage.objects import OBJECTS, create, make, put, reason

BUCKET = "/storage/v1/b/home"


def after(clock: SteppedClock, seconds: float) -> str:
    """The moment that many seconds from now."""
    return timestamp(clock.now() + timedelta(seconds=seconds))


def attempts(http: TestClient) -> list[int]:
    """The answers to whatever would replace or remove the object `x`."""
    put(http, "other", b"other")
    upload = {"uploadType": "media", "name": "x"}
    asked = [
        http.post(f"/upload{OBJECTS}", params=upload, content=b"new"),
        http.post(f"{OBJECTS}/other/rewriteTo/b/home/o/x"),
        http.post(f"{OBJECTS}/x/compose", json={"sourceObjects": [{"name": "other"}]}),
        http.post(f"{OBJECTS}/other/moveTo/o/x"),
        http.post(f"{OBJECTS}/x/moveTo/o/elsewhere"),
        http.delete(f"{OBJECTS}/x"),
    ]
    for answer in asked:
        if answer.status_code == 403:
            assert reason(answer) == "retentionPolicyNotMet"
    return [answer.status_code for answer in asked]


def test_a_policy_keeps_objects(local_http: TestClient, clock: SteppedClock) -> None:
    """Until its end nothing replaces or removes one, in Google's words; then everything does."""
    make(local_http, retentionPolicy={"retentionPeriod": "60"})
    made = put(local_http, "x", b"1")
    end = after(clock, 60)

    refused = local_http.delete(f"{OBJECTS}/x")

    assert made["retentionExpirationTime"] == end
    assert refused.json()["error"]["message"].startswith(
        "Object 'home/x' is subject to bucket's retention policy and cannot be deleted, "
        "overwritten or archived until 2026-01-01T00:01:00"
    )
    assert set(attempts(local_http)) == {403}
    assert local_http.patch(f"{OBJECTS}/x", json={"metadata": {"a": "1"}}).status_code == 200
    clock.advance(60)
    assert local_http.delete(f"{OBJECTS}/x").status_code == 204


def test_a_policy_is_of_old_objects_too(local_http: TestClient, clock: SteppedClock) -> None:
    """Set, changed and removed, it counts from when each object was made."""
    make(local_http)
    put(local_http, "x", b"1")
    clock.advance(10)
    ends = []
    for policy in ({"retentionPeriod": "60"}, {"retentionPeriod": "90"}, None):
        local_http.patch(BUCKET, json={"retentionPolicy": policy})
        ends.append(local_http.get(f"{OBJECTS}/x").json().get("retentionExpirationTime"))

    assert ends == [after(clock, 50), after(clock, 80), None]
    assert local_http.delete(f"{OBJECTS}/x").status_code == 204


@pytest.mark.parametrize(
    ("hold", "word"), [("temporaryHold", "Temporary"), ("eventBasedHold", "Event-Based")]
)
@pytest.mark.parametrize("versioned", [False, True])
def test_holds(local_http: TestClient, hold: str, word: str, versioned: bool) -> None:
    """A held object is neither deleted, replaced nor made noncurrent; released, it is."""
    make(local_http, versioning={"enabled": versioned})
    put(local_http, "x", b"1")
    local_http.patch(f"{OBJECTS}/x", json={hold: True})

    refused = local_http.delete(f"{OBJECTS}/x")

    assert refused.json()["error"]["message"] == (
        f"Object 'home/x' is under active {word} hold and cannot be deleted, overwritten or "
        "archived until hold is removed."
    )
    assert set(attempts(local_http)) == {403}
    local_http.patch(f"{OBJECTS}/x", json={hold: False})
    assert local_http.delete(f"{OBJECTS}/x").status_code == 204


def test_a_released_event_starts_the_policy_anew(
    local_http: TestClient, clock: SteppedClock
) -> None:
    """Under the hold nobody knows the end; it is counted from the release."""
    make(local_http, defaultEventBasedHold=True, retentionPolicy={"retentionPeriod": "60"})
    made = put(local_http, "x", b"1")
    clock.advance(1000)

    released = local_http.patch(f"{OBJECTS}/x", json={"eventBasedHold": False}).json()

    assert made["eventBasedHold"] is True and "retentionExpirationTime" not in made
    assert released["retentionExpirationTime"] == after(clock, 60)
    assert local_http.delete(f"{OBJECTS}/x").status_code == 403
    clock.advance(60)
    assert local_http.delete(f"{OBJECTS}/x").status_code == 204


def test_what_is_retained_may_become_noncurrent(
    local_http: TestClient, clock: SteppedClock
) -> None:
    """In a bucket that keeps versions it is replaced; its generation is not deleted before."""
    make(local_http, versioning={"enabled": True}, retentionPolicy={"retentionPeriod": "60"})
    old = put(local_http, "x", b"old")
    put(local_http, "x", b"new")
    query = {"generation": old["generation"]}

    assert local_http.delete(f"{OBJECTS}/x", params=query).status_code == 403
    clock.advance(60)
    assert local_http.delete(f"{OBJECTS}/x", params=query).status_code == 204


@pytest.fixture
def retaining(local_http: TestClient) -> TestClient:
    """A client of a cloud whose bucket lets objects have a retention of their own."""
    assert make(local_http, "&enableObjectRetention=true")["objectRetention"] == {"mode": "Enabled"}
    return local_http


def retention(clock: SteppedClock, seconds: float, mode: str = "Unlocked") -> dict[str, Any]:
    """A retention that ends that many seconds from now."""
    return {"retention": {"mode": mode, "retainUntilTime": after(clock, seconds)}}


def test_an_objects_own_retention(retaining: TestClient, clock: SteppedClock) -> None:
    """It keeps the object like a policy, whichever ends later."""
    fields = {"name": "x", **retention(clock, 60)}
    made = create(retaining, fields).json()

    assert made["retention"] == fields["retention"]
    assert made["retentionExpirationTime"] == after(clock, 60)
    assert set(attempts(retaining)) == {403}
    clock.advance(60)
    assert retaining.delete(f"{OBJECTS}/x").status_code == 204


def test_an_unlocked_retention_is_lessened_by_override(
    retaining: TestClient, clock: SteppedClock
) -> None:
    """A longer one is free; a shorter one, none, or a lock need overrideUnlockedRetention."""
    create(retaining, {"name": "x", **retention(clock, 60)})
    override = {"overrideUnlockedRetention": "true"}

    def patch(body: dict[str, Any], **query: str) -> int:
        return int(retaining.patch(f"{OBJECTS}/x", json=body, params=query).status_code)

    assert patch(retention(clock, 90)) == 200
    assert patch(retention(clock, 30)) == 403
    assert patch(retention(clock, 30), **override) == 200
    assert patch({"retention": None}) == 403
    assert patch({"retention": {"mode": None, "retainUntilTime": None}}, **override) == 200
    assert "retention" not in retaining.get(f"{OBJECTS}/x").json()
    assert patch(retention(clock, 90)) == 200
    assert patch(retention(clock, 90, "Locked")) == 403
    assert patch(retention(clock, 90, "Locked"), **override) == 200


def test_a_locked_retention_only_grows(retaining: TestClient, clock: SteppedClock) -> None:
    """Nothing shortens, unlocks or removes it, and no override helps."""
    create(retaining, {"name": "x", **retention(clock, 60, "Locked")})
    query = {"overrideUnlockedRetention": "true"}
    less = [retention(clock, 30, "Locked"), retention(clock, 90), {"retention": None}]
    codes = [retaining.patch(f"{OBJECTS}/x", json=body, params=query).status_code for body in less]

    more = retaining.patch(f"{OBJECTS}/x", json=retention(clock, 90, "Locked"))

    assert (codes, more.status_code) == ([403] * 3, 200)


def test_retentions_that_are_none(retaining: TestClient, clock: SteppedClock) -> None:
    """A past time, an unknown mode, half of one, one beside an event-based hold: 400."""
    wrong: list[dict[str, Any]] = [
        retention(clock, -1),
        retention(clock, 101 * 365 * 24 * 3600),
        retention(clock, 60, "Open"),
        {"retention": {"mode": "Unlocked"}},
        {"retention": {"retainUntilTime": after(clock, 60)}},
        {"retention": {"mode": "Unlocked", "retainUntilTime": "tomorrow"}},
        {**retention(clock, 60), "eventBasedHold": True},
    ]

    assert [create(retaining, {"name": "x", **one}).status_code for one in wrong] == [400] * 7


def test_a_bucket_without_object_retention(local_http: TestClient, clock: SteppedClock) -> None:
    """There no object can have one."""
    make(local_http)

    assert create(local_http, {"name": "x", **retention(clock, 60)}).status_code == 400
