"""Workload identity pools and providers, as Terraform's calls have them."""

from __future__ import annotations

from tests.emulator.iam.conftest import Owned

ISSUER = {"issuerUri": "https://token.actions.githubusercontent.com"}
SUBJECT = {"google.subject": "assertion.sub"}
PROVIDER = {
    "oidc": ISSUER,
    "attributeMapping": SUBJECT,
    "attributeCondition": "assertion.repository_id == '1'",
}


def test_a_pool_and_its_provider_live_and_are_taken_back(owned: Owned) -> None:
    """Every change is an operation that is over; a deleted pool keeps its name."""
    base = f"/v1/projects/{owned.project}/locations/global/workloadIdentityPools"
    number = owned.http.get(f"/v1/projects/{owned.project}").json()["projectNumber"]
    asked = {"workloadIdentityPoolId": "github"}

    made = owned.http.post(base, params=asked, json={"displayName": "GitHub"}).json()
    provider = owned.http.post(
        f"{base}/github/providers", params={"workloadIdentityPoolProviderId": "main"}, json=PROVIDER
    ).json()
    changed = owned.http.patch(
        f"{base}/github/providers/main",
        params={"updateMask": "attributeCondition"},
        json={**provider["response"], "attributeCondition": "true"},
    ).json()
    deleted = owned.http.delete(f"{base}/github").json()
    again = owned.http.post(base, params=asked, json={})
    back = owned.http.post(f"{base}/github:undelete").json()

    name = f"projects/{number}/locations/global/workloadIdentityPools/github"
    assert made["done"] and made["response"]["name"] == name
    assert owned.http.get(f"/v1/{made['name']}").json() == made
    assert provider["response"]["oidc"] == PROVIDER["oidc"]
    assert changed["response"]["attributeCondition"] == "true"
    assert changed["response"]["attributeMapping"] == PROVIDER["attributeMapping"]
    assert deleted["response"]["state"] == "DELETED" and again.status_code == 409
    assert back["response"]["state"] == "ACTIVE"
    assert owned.http.get(f"{base}/github:listAttestationRules").json() == {}
    assert [one["name"] for one in owned.http.get(base).json()["workloadIdentityPools"]] == [name]


def test_what_google_refuses(owned: Owned) -> None:
    """A reserved or short id, a provider of nothing, an issuer that is not https, too much."""
    base = f"/v1/projects/{owned.project}/locations/global/workloadIdentityPools"
    ids = [
        owned.http.post(base, params={"workloadIdentityPoolId": one}, json={}).status_code
        for one in ("abc", "gcp-mine", "UPPER")
    ]
    owned.http.post(base, params={"workloadIdentityPoolId": "pool"}, json={}).raise_for_status()
    asked = {"workloadIdentityPoolProviderId": "main"}
    bodies = [
        {},
        PROVIDER | {"oidc": {"issuerUri": "http://x"}},
        {"oidc": PROVIDER["oidc"]},
        PROVIDER | {"displayName": "d" * 33},
        PROVIDER | {"attributeCondition": "c" * 4097},
        PROVIDER | {"oidc": {**ISSUER, "allowedAudiences": ["a"] * 11}},
        PROVIDER | {"oidc": {**ISSUER, "allowedAudiences": ["a" * 257]}},
        PROVIDER | {"attributeMapping": {**SUBJECT, "attribute.Upper": "assertion.sub"}},
        PROVIDER | {"attributeMapping": {**SUBJECT, "attribute.a": "a" * 2049}},
        PROVIDER | {"attributeMapping": SUBJECT | {f"attribute.a{n}": "a" for n in range(51)}},
    ]
    answers = [
        owned.http.post(f"{base}/pool/providers", params=asked, json=body).status_code
        for body in bodies
    ]

    assert (ids, answers) == ([400] * 3, [400] * 10)
    assert owned.http.get(f"{base}/absent").status_code == 404
