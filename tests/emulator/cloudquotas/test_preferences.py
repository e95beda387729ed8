"""Quota preferences, and the quotas that they raise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from starlette.testclient import TestClient

BASE = "/v1/projects/quota-project/locations/global"
INFOS = f"{BASE}/services/aiplatform.googleapis.com/quotaInfos"
T4 = "CustomModelTrainingT4GPUsPerProjectPerRegion"


def made(
    http: TestClient, value: int = 1, last: str = "t4", region: str = "us-central1"
) -> dict[str, Any]:
    """A preference for T4 GPUs in a region, as Terraform creates it."""
    sent = {
        "service": "aiplatform.googleapis.com",
        "quotaId": T4,
        "quotaConfig": {"preferredValue": str(value)},
        "dimensions": {"region": region},
        "contactEmail": "someone@example.com",
    }
    answer = http.post(f"{BASE}/quotaPreferences?quotaPreferenceId={last}", json=sent)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_a_preference_is_granted_and_moves_the_quota(local_http: TestClient) -> None:
    """What is preferred is granted, never tells the address it came with, and the quota says it."""
    found = made(local_http, 3)

    assert found["quotaConfig"] == {"preferredValue": "3", "grantedValue": "3"}
    assert "contactEmail" not in found
    info = local_http.get(f"{INFOS}/{T4}").json()
    assert info["dimensionsInfos"][0]["details"] == {"value": "3"}


def test_a_preference_moves_the_quota_of_its_region_alone(local_http: TestClient) -> None:
    """Another region keeps what the page promises; one without a row there gets one."""
    made(local_http, 7, "west", "europe-west4")
    made(local_http, 1, "far", "asia-south1")

    rows = local_http.get(f"{INFOS}/{T4}").json()["dimensionsInfos"]

    found = {one["dimensions"]["region"]: one["details"]["value"] for one in rows}
    assert found == {"us-central1": "12", "europe-west4": "7", "asia-south1": "1"}


def test_a_second_preference_for_a_quota_is_refused(local_http: TestClient) -> None:
    """The same quota and dimensions under another name are ALREADY_EXISTS, as is the same name."""
    sent = {key: value for key, value in made(local_http).items() if key != "name"}

    for last in ("t4", "other"):
        again = local_http.post(f"{BASE}/quotaPreferences?quotaPreferenceId={last}", json=sent)
        assert again.status_code == 409
        assert again.json()["error"]["status"] == "ALREADY_EXISTS"


def test_an_update_takes_output_only_fields_and_no_stale_etag(local_http: TestClient) -> None:
    """The body that Terraform sends carries what was answered; a wrong etag changes nothing."""
    before = made(local_http)
    sent = {**before, "quotaConfig": {"preferredValue": "5", "grantedValue": "1"}}
    url = f"/v1/{before['name']}?updateMask=quotaConfig"

    assert local_http.patch(url, json={**sent, "etag": "stale"}).status_code == 409
    after = local_http.patch(url, json=sent).json()

    assert after["quotaConfig"] == {"preferredValue": "5", "grantedValue": "5"}
    assert after["createTime"] == before["createTime"]
    assert after["etag"] != before["etag"]


def test_an_update_that_allows_missing_makes_the_preference(local_http: TestClient) -> None:
    """`allowMissing` is an upsert; without it the answer is 404 in Google's words."""
    name = "projects/quota-project/locations/global/quotaPreferences/fresh"
    sent = {
        "service": "aiplatform.googleapis.com",
        "quotaId": T4,
        "quotaConfig": {"preferredValue": "2"},
    }

    missing = local_http.patch(f"/v1/{name}?updateMask=quotaConfig", json=sent)
    assert missing.status_code == 404
    assert missing.json()["error"]["message"] == f"Resource '{name}' was not found"
    made_now = local_http.patch(f"/v1/{name}?allowMissing=true", json=sent).json()

    assert made_now["name"] == name
    listed = local_http.get(f"{BASE}/quotaPreferences").json()["quotaPreferences"]
    assert [one["name"] for one in listed] == [name]


def test_a_preference_without_a_value_or_with_a_strange_field_is_refused(
    local_http: TestClient,
) -> None:
    """A missing value and an unknown field are 400 and name themselves."""
    url = f"{BASE}/quotaPreferences?quotaPreferenceId=bad"
    sent = {"service": "aiplatform.googleapis.com", "quotaId": T4}

    empty = local_http.post(url, json=sent)
    strange = local_http.post(url, json={**sent, "prefered": 1})

    assert (empty.status_code, strange.status_code) == (400, 400)
    assert "preferred_value" in empty.json()["error"]["message"]
    assert "prefered" in strange.json()["error"]["message"]


def test_a_filter_is_never_passed_over(local_http: TestClient) -> None:
    """What is no filter is 400; one that Google knows is 501, not every preference."""
    made(local_http)

    def listed(text: str) -> int:
        answer = local_http.get(f"{BASE}/quotaPreferences", params={"filter": text})
        return int(answer.status_code)

    assert [listed("foo"), listed("reconciling=true"), listed("")] == [400, 501, 200]
