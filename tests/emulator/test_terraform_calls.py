"""The calls of Terraform's provider (hashicorp/google 7.45) and of its `gcs` backend, one by one.

What a response lacks is a change in every plan, or an error: each resource here is made as the
provider makes it, and asked for what the provider cannot miss. `tests/infra` runs the real one.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import httpx
    from starlette.testclient import TestClient

P = "provider-project"
ACCOUNT = "billingAccounts/012345-567890-ABCDEF"
EMAIL = f"one-runner@{P}.iam.gserviceaccount.com"
STATE, LOCK = "infra/default.tfstate", "infra/default.tflock"
POOLS = f"/v1/projects/{P}/locations/global/workloadIdentityPools"
REGION = f"projects/{P}/locations/us-central1"
QUOTAS = f"/v1/projects/{P}/locations/global/quotaPreferences"
BUCKET = {
    "name": "provider-bucket",
    "location": "US-CENTRAL1",
    "storageClass": "STANDARD",
    "iamConfiguration": {
        "bucketPolicyOnly": {"enabled": True},
        "uniformBucketLevelAccess": {"enabled": True},
        "publicAccessPrevention": "enforced",
    },
    "labels": {"goog-terraform-provisioned": "true"},
    "lifecycle": {
        "rule": [{"action": {"type": "AbortIncompleteMultipartUpload"}, "condition": {"age": 7}}]
    },
    "softDeletePolicy": {"retentionDurationSeconds": "0"},
    "versioning": {"enabled": True},
}
QUOTA = {
    "service": "aiplatform.googleapis.com",
    "quotaId": "CustomModelTrainingT4GPUsPerProjectPerRegion",
    "dimensions": {"region": "us-central1"},
    "quotaConfig": {"preferredValue": "1"},
    "contactEmail": "ada@example.com",
    "justification": "training",
}
REPOSITORY = {
    "format": "DOCKER",
    "mode": "STANDARD_REPOSITORY",
    "description": "Images",
    "labels": {"team": "vision"},
    "cleanupPolicies": {
        "keep": {"id": "keep", "action": "KEEP", "mostRecentVersions": {"keepCount": 5}}
    },
    "cleanupPolicyDryRun": False,
}
BUDGET = {
    "displayName": "ops one",
    "budgetFilter": {"projects": ["projects/1"], "creditTypesTreatment": "INCLUDE_ALL_CREDITS"},
    "amount": {"specifiedAmount": {"units": "50"}},
    "thresholdRules": [{"thresholdPercent": 0.5, "spendBasis": "CURRENT_SPEND"}],
    "notificationsRule": {"monitoringNotificationChannels": [f"projects/{P}/x/1"]},
}
CHANNEL = {
    "type": "email",
    "displayName": "ops one budget",
    "labels": {"email_address": "ada@example.com"},
    "userLabels": {"ops-stack": "one"},
    "enabled": True,
}
PROVIDER = {
    "displayName": "GitHub Actions",
    "attributeMapping": {"google.subject": "assertion.sub"},
    "attributeCondition": "assertion.repository_id == '1'",
    "oidc": {"issuerUri": "https://token.actions.githubusercontent.com"},
}
# Where it is made, what is sent, and what the answer of a later GET must carry as it was sent.
MADE: dict[str, tuple[str, dict[str, Any], list[str]]] = {
    "bucket": (
        f"/storage/v1/b?alt=json&prettyPrint=false&project={P}",
        BUCKET,
        ["location", "storageClass", "labels", "lifecycle", "softDeletePolicy", "versioning"],
    ),
    "quota": (
        f"{QUOTAS}?alt=json&ignoreSafetyChecks=QUOTA_SAFETY_CHECK_UNSPECIFIED"
        "&quotaPreferenceId=ops-t4",
        QUOTA,
        ["service", "quotaId", "dimensions"],
    ),
    "repository": (
        f"/v1/{REGION}/repositories?alt=json&repository_id=ops-one",
        REPOSITORY,
        ["format", "mode", "description", "labels", "cleanupPolicies"],
    ),
    "budget": (
        f"/v1/{ACCOUNT}/budgets?alt=json",
        BUDGET,
        ["displayName", "budgetFilter", "amount", "thresholdRules", "notificationsRule"],
    ),
    "channel": (
        f"/v3/projects/{P}/notificationChannels?alt=json",
        CHANNEL,
        ["type", "labels", "displayName", "enabled", "userLabels"],
    ),
    "pool": (
        f"{POOLS}?alt=json&workloadIdentityPoolId=one-github",
        {"displayName": "GitHub Actions", "description": "One repository"},
        ["displayName", "description"],
    ),
    "provider": (
        f"{POOLS}/one-github/providers?alt=json&workloadIdentityPoolProviderId=github",
        PROVIDER,
        ["displayName", "attributeMapping", "attributeCondition", "oidc"],
    ),
}


def made(http: TestClient, what: str) -> str:
    """The path of a new resource, whose maker would not poll: the operation is over."""
    if what == "provider":
        made(http, "pool")
    path, sent, _ = MADE[what]
    answer = http.post(path, json=sent)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body.get("done", True) is True
    name = str(body.get("response", body)["name"])
    return f"/storage/v1/b/{name}" if what == "bucket" else f"/{path.split('/')[1]}/{name}"


@pytest.mark.parametrize("what", MADE)
def test_what_was_sent_is_answered(local_http: TestClient, what: str) -> None:
    """Every field whose absence would be a change in the next plan."""
    _, sent, fields = MADE[what]

    found = local_http.get(f"{made(local_http, what)}?alt=json").json()

    for field in fields:
        if field == "budgetFilter":
            assert sent[field].items() <= found[field].items()
        elif field == "softDeletePolicy":
            assert int(found[field]["retentionDurationSeconds"]) == 0
        else:
            assert found[field] == sent[field]


def test_a_service_account_is_made_and_renamed(local_http: TestClient) -> None:
    """The mask is in snake_case, the body carries the etag that was read."""
    parent = f"/v1/projects/{P}/serviceAccounts"
    sent = {"accountId": "one-runner", "serviceAccount": {"displayName": "Runner"}}
    local_http.post(f"{parent}?alt=json&prettyPrint=false", json=sent).raise_for_status()
    url = f"{parent}/{EMAIL}?alt=json&prettyPrint=false"
    before = local_http.get(url).json()
    changed = {"displayName": "Runner 2", "etag": before["etag"]}

    body = {"serviceAccount": changed, "updateMask": "display_name"}
    local_http.patch(url, json=body).raise_for_status()

    after = local_http.get(url).json()
    assert {"name", "email", "projectId", "uniqueId", "etag"} <= before.keys()
    assert (before["displayName"], after["displayName"]) == ("Runner", "Runner 2")


def test_a_quota_preference_is_patched_with_what_was_answered(local_http: TestClient) -> None:
    """The body carries output-only fields; the name is the short one."""
    path = made(local_http, "quota")
    sent = {**QUOTA, "name": "ops-t4"}
    sent["quotaConfig"] = {
        "preferredValue": "3",
        "grantedValue": "1",
        "requestOrigin": "CLOUD_CONSOLE",
    }
    query = "ignoreSafetyChecks=QUOTA_SAFETY_CHECK_UNSPECIFIED&updateMask=quotaConfig"

    answer = local_http.patch(f"{path}?alt=json&{query}", json=sent)

    assert answer.status_code == 200, answer.text
    assert local_http.get(path).json()["quotaConfig"]["preferredValue"] == "3"
    assert local_http.delete(path).status_code == 404


def test_a_pool_has_no_rules_and_its_name_stays_taken(local_http: TestClient) -> None:
    """Deleted it is still there, marked, and a second one of its name is refused."""
    path = made(local_http, "pool")

    rules = local_http.get(f"{path}:listAttestationRules?alt=json").json()
    deleted = local_http.delete(f"{path}?alt=json").json()
    again = local_http.post(MADE["pool"][0], json=MADE["pool"][1])
    marked = local_http.get(path).json()["state"]
    back = local_http.post(f"{path}:undelete", json={}).json()

    assert (rules, deleted["done"], again.status_code) == ({}, True, 409)
    assert (marked, back["done"], local_http.get(path).json()["state"]) == (
        "DELETED", True, "ACTIVE",
    )  # fmt: skip


def test_a_bucket_is_emptied_and_deleted(local_http: TestClient) -> None:
    """Its caches are listed first, by a path with a slash at the end."""
    path = made(local_http, "bucket")
    upload = "/upload/storage/v1/b/provider-bucket/o?uploadType=media&name=runs/x"
    generation = local_http.post(upload, content=b"x").json()["generation"]

    caches = local_http.get(f"{path}/anywhereCaches/?alt=json")
    versions = local_http.get(f"{path}/o?alt=json&versions=true").json()["items"]
    gone = [
        local_http.delete(f"{path}/o/runs%2Fx?alt=json&generation={generation}"),
        local_http.delete(f"{path}?alt=json&prettyPrint=false"),
    ]

    assert (caches.status_code, caches.json().get("items")) == (200, None)
    assert [one["name"] for one in versions] == ["runs/x"]
    assert [one.status_code for one in gone] == [204, 204]


def written(http: TestClient, name: str, text: str, query: str = "") -> httpx.Response:
    """An upload as the Go client sends one: multipart, in chunks."""
    head = json.dumps({"bucket": "state", "name": name}).encode()
    parts = [
        b"--b\r\nContent-Type: application/json\r\n\r\n" + head + b"\r\n",
        b"--b\r\nContent-Type: application/json\r\n\r\n" + text.encode() + b"\r\n--b--\r\n",
    ]
    answer: httpx.Response = http.post(
        f"/upload/storage/v1/b/state/o?alt=json&name={name.replace('/', '%2F')}{query}"
        "&prettyPrint=false&projection=full&uploadType=multipart",
        content=iter(parts),
        headers={"content-type": "multipart/related; boundary=b"},
    )
    return answer


def test_the_state_s_bucket_must_be_there(local_http: TestClient) -> None:
    """The backend lists its prefix, and reads 404 as a bucket that does not exist."""
    query = "alt=json&delimiter=%2F&prefix=infra%2F&projection=full&versions=false"

    assert local_http.get(f"/storage/v1/b/state/o?{query}").status_code == 404
    local_http.post(f"/storage/v1/b?project={P}", json={"name": "state"}).raise_for_status()
    assert local_http.get(f"/storage/v1/b/state/o?{query}").json().get("items", []) == []


def test_the_state_is_locked_written_read_and_released(local_http: TestClient) -> None:
    """One writer; a second is told 412 and reads who it is; only its generation releases it."""
    local_http.post(f"/storage/v1/b?project={P}", json={"name": "state"}).raise_for_status()
    missing = local_http.get(f"/state/{STATE}")

    mine = written(local_http, LOCK, '{"Who": "ada@laptop"}', "&ifGenerationMatch=0")
    theirs = written(local_http, LOCK, '{"Who": "bob@ci"}', "&ifGenerationMatch=0")
    who = local_http.get(f"/state/{LOCK}")
    told = local_http.get("/storage/v1/b/state/o/infra%2Fdefault.tflock?projection=full").json()
    written(local_http, STATE, '{"version": 4}').raise_for_status()
    state = local_http.get(f"/state/{STATE}")
    url = "/storage/v1/b/state/o/infra%2Fdefault.tflock?ifGenerationMatch="
    wrong, right = local_http.delete(f"{url}1"), local_http.delete(url + told["generation"])

    assert (missing.status_code, mine.status_code, theirs.status_code) == (404, 200, 412)
    assert who.json() == {"Who": "ada@laptop"}
    assert told["generation"] == mine.json()["generation"]
    assert {"md5Hash", "crc32c", "size", "metageneration"} <= told.keys()
    assert state.json() == {"version": 4}
    assert state.headers["x-goog-generation"] and "crc32c=" in state.headers["x-goog-hash"]
    assert (wrong.status_code, right.status_code) == (412, 204)
