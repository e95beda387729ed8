"""Organization policies: set, merged, obeyed, and asked for with the right to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from emulator.app import build_app
from emulator.cloud import Cloud

if TYPE_CHECKING:
    from starlette.testclient import TestClient

PROJECT = "policy-project"
POLICIES = f"/v2/projects/{PROJECT}/policies"
KEYS = "iam.disableServiceAccountKeyCreation"
LOCATIONS = "gcp.resourceLocations"
UNIFORM = "storage.uniformBucketLevelAccess"
EMAIL = f"somebody@{PROJECT}.iam.gserviceaccount.com"


@pytest.fixture
def strict_http(local: Cloud) -> Iterator[TestClient]:
    """HTTP to a server that was started without `--allow-keys`."""
    from starlette.testclient import TestClient

    cloud = replace(local, settings=replace(local.settings, allow_keys=False))
    with TestClient(build_app(cloud), base_url=local.settings.base_url) as client:
        yield client


def put(http: TestClient, constraint: str, *rules: dict[str, Any]) -> dict[str, Any]:
    """A new policy of the project with these rules."""
    name = f"projects/{PROJECT}/policies/{constraint}"
    made = http.post(POLICIES, json={"name": name, "spec": {"rules": list(rules)}})
    assert made.status_code == 200, made.text
    found: dict[str, Any] = made.json()
    return found


def rules_of(http: TestClient, constraint: str) -> list[dict[str, Any]]:
    """What counts in the project."""
    answer = http.get(f"{POLICIES}/{constraint}:getEffectivePolicy").json()
    assert "etag" not in answer
    found: list[dict[str, Any]] = answer["spec"]["rules"]
    return found


def bucket(http: TestClient, name: str, **fields: Any) -> tuple[int, str]:
    """The status and the words of making a bucket."""
    made = http.post(f"/storage/v1/b?project={PROJECT}", json={"name": name, **fields})
    return made.status_code, made.json().get("error", {}).get("message", "")


def test_what_nobody_has_set_is_open(local_http: TestClient) -> None:
    """Lists allow all, booleans are not enforced; a policy that was not set is not there."""
    assert rules_of(local_http, LOCATIONS) == [{"allowAll": True}]
    assert rules_of(local_http, UNIFORM) == [{"enforce": False}]
    assert local_http.get(f"{POLICIES}/{UNIFORM}").status_code == 404
    assert local_http.get(f"{POLICIES}/custom.none:getEffectivePolicy").status_code == 404


def test_keys_are_refused_until_a_policy_of_the_project_allows_them(
    strict_http: TestClient,
) -> None:
    """Keys and HMAC keys are refused in Google's words; a rule that is not enforced lifts that."""
    parent = f"/v1/projects/{PROJECT}/serviceAccounts"
    strict_http.post(parent, json={"accountId": "somebody"}).raise_for_status()
    hmac = f"/storage/v1/projects/{PROJECT}/hmacKeys?serviceAccountEmail={EMAIL}"

    refused = strict_http.post(f"{parent}/{EMAIL}/keys", json={})
    unsigned = strict_http.post(hmac)
    assert rules_of(strict_http, KEYS) == [{"enforce": True}]
    put(strict_http, KEYS, {"enforce": False})

    error = refused.json()["error"]
    assert (refused.status_code, error["status"]) == (400, "FAILED_PRECONDITION")
    assert error["message"] == "Key creation is not allowed on this service account."
    (violation,) = error["details"][0]["violations"]
    assert violation["type"] == f"constraints/{KEYS}"
    assert unsigned.status_code == 412
    assert unsigned.json()["error"]["message"].endswith(f"'constraints/{KEYS}'")
    assert strict_http.post(f"{parent}/{EMAIL}/keys", json={}).status_code == 200
    assert strict_http.post(hmac).status_code == 200


def test_uploaded_keys_are_refused_where_a_policy_says_so(local_http: TestClient) -> None:
    """The refusal names constraint and account, whatever the certificate."""
    parent = f"/v1/projects/{PROJECT}/serviceAccounts"
    local_http.post(parent, json={"accountId": "somebody"}).raise_for_status()
    put(local_http, "iam.disableServiceAccountKeyUpload", {"enforce": True})

    answer = local_http.post(f"{parent}/{EMAIL}/keys:upload", json={"publicKeyData": "x"})

    assert answer.json()["error"]["status"] == "FAILED_PRECONDITION"
    assert EMAIL in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("values", "refused"),
    [
        (
            {"allowedValues": ["in:us-central1-locations"]},
            ["US", "EU", "EUROPE-WEST4", "EUROPE-WEST2"],
        ),
        ({"allowedValues": ["in:eu-locations"]}, ["US", "US-CENTRAL1", "EUROPE-WEST2"]),
        ({"deniedValues": ["is:us", "europe-west4"]}, ["US", "EUROPE-WEST4"]),
    ],
)
def test_buckets_stay_where_they_may_be(
    local_http: TestClient, values: dict[str, list[str]], refused: list[str]
) -> None:
    """A location outside the policy is 412 and is named; those inside go on."""
    put(local_http, LOCATIONS, {"values": values})
    places = ["US", "EU", "US-CENTRAL1", "EUROPE-WEST4", "EUROPE-WEST2"]

    found = {one: bucket(local_http, f"b-{one.lower()}", location=one) for one in places}

    assert [one for one in places if found[one][0] == 412] == refused
    words = f"'{refused[0].lower()}' violates constraint 'constraints/{LOCATIONS}'"
    assert found[refused[0]][1] == words


def test_a_bucket_without_uniform_access_is_refused(local_http: TestClient) -> None:
    """Only a bucket that says it has uniform access is made, as Terraform's does."""
    put(local_http, UNIFORM, {"enforce": True})
    uniform = {"uniformBucketLevelAccess": {"enabled": True}}

    codes = [bucket(local_http, "plain")[0], bucket(local_http, "odd", iamConfiguration=5)[0]]
    made, _ = bucket(local_http, "uniform", iamConfiguration=uniform)

    assert (codes, made) == ([412, 412], 200)


def test_a_policy_lives(local_http: TestClient) -> None:
    """Set once, replaced by etag, listed, deleted; then the default counts again."""
    first = put(local_http, UNIFORM, {"enforce": True})
    again = local_http.post(POLICIES, json={"name": first["name"], "spec": {"reset": True}})
    url = f"{POLICIES}/{UNIFORM}"
    stale = local_http.patch(url, json={"spec": {"reset": True}, "etag": "x"})
    changed = local_http.patch(f"{url}?updateMask=policy.spec", json={"spec": {"reset": True}})
    listed = local_http.get(POLICIES).json()["policies"]
    gone = local_http.delete(url)

    assert (again.status_code, stale.status_code, changed.status_code) == (409, 409, 200)
    assert [one["name"] for one in listed] == [first["name"]]
    assert (gone.json(), rules_of(local_http, UNIFORM)) == ({}, [{"enforce": False}])


@pytest.mark.parametrize(
    "spec",
    [
        5,
        {},
        {"rules": 5},
        {"rules": [5]},
        {"rules": [{}]},
        {"rules": [{"enforce": "yes"}]},
        {"rules": [{"allowAll": True}]},
        {"rules": [{"enforce": True, "denyAll": True}]},
        {"rules": [{"enforce": True}], "reset": True},
        {"rules": [{"enforced": True}]},
    ],
)
def test_what_is_no_policy_is_refused(local_http: TestClient, spec: Any) -> None:
    """400 for a shape that the constraint cannot have."""
    name = f"projects/{PROJECT}/policies/{UNIFORM}"

    answer = local_http.post(POLICIES, json={"name": name, "spec": spec})

    assert answer.status_code == 400, answer.text


def test_the_constraints_are_listed(local_http: TestClient) -> None:
    """With their kinds and titles."""
    url = f"/v2/projects/{PROJECT}/constraints?pageSize=1000"

    found = {one["name"].split("/")[-1]: one for one in local_http.get(url).json()["constraints"]}

    assert found[LOCATIONS]["listConstraint"] == {}
    assert found[UNIFORM]["booleanConstraint"] == {}
