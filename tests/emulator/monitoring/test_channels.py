"""Notification channels: made, changed, listed in pages, and gone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from starlette.testclient import TestClient

PATH = "/v3/projects/channels-project/notificationChannels"
CHANNEL: dict[str, Any] = {
    "type": "email",
    "displayName": "ops",
    "labels": {"email_address": "ann@example.com"},
    "userLabels": {"team": "ops"},
    "enabled": False,
}


def test_a_channel_is_made_changed_and_deleted(local_http: TestClient) -> None:
    """As Terraform does it: PATCH without a mask replaces, and DELETE says force=false."""
    made = local_http.post(PATH, json=CHANNEL).json()
    path = f"/v3/{made['name']}"

    sent = {**made, "displayName": "new"}
    del sent["userLabels"]
    changed = local_http.patch(path, json=sent).json()

    assert {key: made[key] for key in CHANNEL} == CHANNEL
    assert made["mutationRecords"] == [made["creationRecord"]]
    assert (changed["displayName"], "userLabels" in changed) == ("new", False)
    assert (changed["name"], len(changed["mutationRecords"])) == (made["name"], 2)
    assert local_http.get(path).json() == changed
    assert local_http.delete(f"{path}?force=false").json() == {}
    assert local_http.get(path).status_code == 404


def test_a_mask_changes_no_more_than_it_names(local_http: TestClient) -> None:
    """One field of two that were sent."""
    made = local_http.post(PATH, json=CHANNEL).json()

    sent = {"displayName": "new", "enabled": True}
    path = f"/v3/{made['name']}?updateMask=enabled"
    changed = local_http.patch(path, json=sent).json()

    assert (changed["displayName"], changed["enabled"]) == ("ops", True)


def test_pages_hold_every_channel_once(local_http: TestClient) -> None:
    """With their number."""
    path, seen, token = PATH.replace("channels-project", "paged-project"), [], ""
    made = {local_http.post(path, json=CHANNEL).json()["name"] for _ in range(3)}

    for _ in range(2):
        page = local_http.get(path, params={"pageSize": 2, "pageToken": token}).json()
        seen += [one["name"] for one in page["notificationChannels"]]
        token = page.get("nextPageToken", "")

    assert (sorted(seen), token, page["totalSize"]) == (sorted(made), "", 3)


@pytest.mark.parametrize(
    "change",
    [
        {"type": ""},
        {"labels": {}},
        {"labels": {"email_address": 3}},
        {"displayName": "x" * 513},
        {"enabled": "yes"},
        {"userLabels": {"x" * 64: "y"}},
        {"userLabels": {"Team": "ops"}},
        {"nothing": 1},
    ],
)
def test_what_is_refused(local_http: TestClient, change: dict[str, Any]) -> None:
    """400, for a new channel and for a change."""
    made = local_http.post(PATH, json=CHANNEL).json()

    assert local_http.post(PATH, json={**CHANNEL, **change}).status_code == 400
    assert local_http.patch(f"/v3/{made['name']}", json={**CHANNEL, **change}).status_code == 400
    assert local_http.get(f"/v3/{made['name']}").json() == made
