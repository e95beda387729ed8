"""Notifications, HMAC keys, caches and relocation: kept as Google keeps them."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import httpx
import pytest
from google.cloud.storage import Bucket, Client
from starlette.testclient import TestClient

from emulator.accounts import ACCOUNT_NAME
from emulator.clock import SteppedClock

PROJECT = "test-project"
TOPIC = "//pubsub.googleapis.com/projects/p/topics/topic"
EMAIL = f"{ACCOUNT_NAME}@local-project.iam.gserviceaccount.com"


@pytest.fixture
def path(bucket: Bucket) -> str:
    """The path of a new bucket."""
    return f"/storage/v1/b/{bucket.name}"


def test_notifications_are_kept(bucket: Bucket) -> None:
    """Google's client makes, lists, finds and deletes them."""
    notification = bucket.notification(
        "topic",
        topic_project=PROJECT,
        custom_attributes={"a": "b"},
        event_types=["OBJECT_FINALIZE"],
        blob_name_prefix="p/",
        payload_format="JSON_API_V1",
    )
    notification.create()

    (listed,) = bucket.list_notifications()
    assert (listed.topic_name, listed.custom_attributes) == ("topic", {"a": "b"})
    assert (listed.event_types, listed.blob_name_prefix) == (["OBJECT_FINALIZE"], "p/")
    found = bucket.get_notification(notification.notification_id)
    assert found.payload_format == "JSON_API_V1"
    notification.delete()
    assert list(bucket.list_notifications()) == []


@pytest.mark.parametrize(
    "sent",
    [
        {"topic": TOPIC},
        {"payload_format": "NONE"},
        {"topic": "t", "payload_format": "NONE"},
        {"topic": TOPIC.removesuffix("opic"), "payload_format": "NONE"},
        {"topic": TOPIC.replace("s/t", "s/1"), "payload_format": "NONE"},
        {"topic": TOPIC, "payload_format": "XML"},
        {"topic": TOPIC, "payload_format": "NONE", "event_types": ["OBJECT_PAINT"]},
    ],
)
def test_notifications_that_google_refuses(
    http: httpx.Client, path: str, sent: dict[str, Any]
) -> None:
    """Topic and format must be there and be some."""
    assert http.post(f"{path}/notificationConfigs", json=sent).status_code == 400


def test_an_hmac_key_lives(client: Client, http: httpx.Client) -> None:
    """Its secret is told once; it is switched off before it is deleted, and listed until then."""
    project = f"hmac-{uuid4().hex[:8]}"
    key, secret = client.create_hmac_key(EMAIL, project_id=project)

    assert (len(secret), len(key.access_id), key.state) == (40, 61, "ACTIVE")
    (listed,) = client.list_hmac_keys(project_id=project)
    assert listed == key
    path = f"/storage/v1/projects/{project}/hmacKeys/{key.access_id}"
    assert secret not in http.get(path).text
    assert http.delete(path).status_code == 400
    key.state = "INACTIVE"
    key.update()
    key.delete()
    assert list(client.list_hmac_keys(project_id=project)) == []
    (deleted,) = client.list_hmac_keys(project_id=project, show_deleted_keys=True)
    assert deleted.state == "DELETED"


def test_hmac_keys_that_cannot_be(http: httpx.Client) -> None:
    """Of no account 404, without one 400, with a stale etag 412, in a wrong state 400."""
    path = f"/storage/v1/projects/hmac-{uuid4().hex[:8]}/hmacKeys"

    assert http.post(path).status_code == 400
    assert http.post(f"{path}?serviceAccountEmail=nobody@example.org").status_code == 404
    assert http.get(f"{path}/GOOG1ENONESUCH").status_code == 404
    made = http.post(f"{path}?serviceAccountEmail={EMAIL}").json()["metadata"]
    one = f"{path}/{made['accessId']}"
    assert http.put(one, json={"state": "PAINTED"}).status_code == 400
    assert http.put(one, json={"state": "INACTIVE", "etag": "x"}).status_code == 412


def test_a_cache_lives(http: httpx.Client, path: str) -> None:
    """Its creation is an operation; it is paused, resumed and disabled, and may resume again."""
    zone = "us-central1-a"
    operation = http.post(f"{path}/anywhereCaches", json={"zone": zone, "ttl": "172800s"}).json()
    cache = http.get(f"{path}/anywhereCaches/{zone}").json()

    assert operation["done"] is True
    assert (cache["state"], cache["ttl"]) == ("running", "172800s")
    assert http.get(f"{path}/anywhereCaches").json()["items"] == [cache]
    assert http.post(f"{path}/anywhereCaches", json={"zone": zone}).status_code == 409
    states = [
        http.post(f"{path}/anywhereCaches/{zone}/{verb}").json()["state"]
        for verb in ("pause", "resume", "disable")
    ]
    assert states == ["paused", "running", "disabled"]
    assert http.post(f"{path}/anywhereCaches/{zone}/pause").status_code == 412
    resumed = http.post(f"{path}/anywhereCaches/{zone}/resume").json()
    assert resumed["state"] == "running"
    patched = http.patch(f"{path}/anywhereCaches/{zone}", json={"ttl": "3600s"}).json()
    assert patched["response"]["ttl"] == "3600s"


def test_a_disabled_cache_is_deleted_after_an_hour(
    local_http: TestClient, clock: SteppedClock
) -> None:
    """Until then it can be resumed; afterwards its zone is free."""
    query = f"/storage/v1/b?project={PROJECT}"
    assert local_http.post(query, json={"name": "caches"}).status_code == 200
    path = "/storage/v1/b/caches/anywhereCaches"
    local_http.post(path, json={"zone": "us-central1-a"})
    local_http.post(f"{path}/us-central1-a/disable")
    clock.advance(3599)
    assert local_http.get(f"{path}/us-central1-a").json()["state"] == "disabled"

    clock.advance(1)

    assert local_http.get(f"{path}/us-central1-a").status_code == 404
    assert "items" not in local_http.get(path).json()
    assert local_http.post(path, json={"zone": "us-central1-a"}).status_code == 200
    assert local_http.get(f"{path}/us-central1-a").json()["state"] == "running"


@pytest.mark.parametrize("sent", [{}, {"zone": "x"}, {"zone": "us-central1-a", "ttl": "3599s"}])
def test_caches_that_google_refuses(http: httpx.Client, path: str, sent: dict[str, str]) -> None:
    """A cache needs a zone, and its entries live an hour at least."""
    assert http.post(f"{path}/anywhereCaches", json=sent).status_code == 400


def test_a_bucket_is_relocated(http: httpx.Client, path: str) -> None:
    """It lies elsewhere once the operation is over; only validating it changes nothing."""
    only = {"destinationLocation": "eu", "validateOnly": True}
    assert http.post(f"{path}/relocate", json=only).json()["done"] is True
    assert http.get(path).json()["location"] == "US"

    operation = http.post(f"{path}/relocate", json={"destinationLocation": "us-east1"}).json()

    moved = http.get(path).json()
    assert (moved["location"], moved["locationType"]) == ("US-EAST1", "region")
    assert "rpo" not in moved
    assert operation["metadata"]["sourceLocation"] == "US"
    listed = http.get(f"{path}/operations").json()
    assert [one["name"] for one in listed["operations"]][-1] == operation["name"]
    assert http.post(f"{operation['selfLink']}/cancel").status_code == 204
    assert http.post(f"{path}/relocate", json={"destinationLocation": "MOON"}).status_code == 400


def test_an_operation_that_never_was(http: httpx.Client, path: str) -> None:
    """An unknown operation is 404."""
    assert http.get(f"{path}/operations/7").status_code == 404
