"""Who pays for a project, and budgets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from starlette.testclient import TestClient

ACCOUNT = "billingAccounts/01ABCD-234567-89EFAB"
BUDGET: dict[str, Any] = {
    "displayName": "ops budget",
    "budgetFilter": {"projects": ["projects/123456789012"], "calendarPeriod": "MONTH"},
    "amount": {"specifiedAmount": {"currencyCode": "USD", "units": "50"}},
    "thresholdRules": [{"thresholdPercent": 0.9, "spendBasis": "CURRENT_SPEND"}],
}


def test_a_project_is_paid_for_until_the_account_is_taken_away(local_http: TestClient) -> None:
    """From nobody to an account, found under the account, and back to nobody."""
    url = "/v1/projects/paid-project/billingInfo"

    assert local_http.get(url).json()["billingEnabled"] is False
    paid = local_http.put(url, json={"billingAccountName": ACCOUNT}).json()
    assert (paid["billingEnabled"], paid["billingAccountName"]) == (True, ACCOUNT)
    of_account = local_http.get(f"/v1/{ACCOUNT}/projects").json()["projectBillingInfo"]
    assert [one["projectId"] for one in of_account] == ["paid-project"]

    local_http.put(url, json={"billingAccountName": ""})
    assert local_http.get(f"/v1/{ACCOUNT}/projects").json() == {}


def test_a_budget_changes_by_nested_mask(local_http: TestClient) -> None:
    """Terraform's mask of nested paths changes these and nothing else."""
    made = local_http.post(f"/v1/{ACCOUNT}/budgets", json=BUDGET).json()
    changed = {**made, "amount": {"specifiedAmount": {"units": "70"}}, "displayName": "not this"}

    mask = "amount.specifiedAmount.units"
    after = local_http.patch(f"/v1/{made['name']}?updateMask={mask}", json=changed).json()

    assert after["amount"] == {"specifiedAmount": {"currencyCode": "USD", "units": "70"}}
    assert after["displayName"] == "ops budget"
    assert after["budgetFilter"] == BUDGET["budgetFilter"]


def test_a_budget_without_an_amount_is_refused(local_http: TestClient) -> None:
    """400, and no budget is listed."""
    sent = {key: value for key, value in BUDGET.items() if key != "amount"}

    assert local_http.post(f"/v1/{ACCOUNT}/budgets", json=sent).status_code == 400
    assert local_http.get(f"/v1/{ACCOUNT}/budgets").json() == {}


def test_a_deleted_budget_is_gone(local_http: TestClient) -> None:
    """404 in the words of a recorded answer, for reading and for deleting again."""
    name = local_http.post(f"/v1/{ACCOUNT}/budgets", json=BUDGET).json()["name"]

    assert local_http.delete(f"/v1/{name}").json() == {}
    for answer in (local_http.get(f"/v1/{name}"), local_http.delete(f"/v1/{name}")):
        assert answer.status_code == 404
        assert answer.json()["error"]["message"] == f'budget "{name}" not found'


def test_pages_of_budgets_hold_every_budget_once(local_http: TestClient) -> None:
    """Five budgets in pages of two."""
    names = {
        local_http.post(f"/v1/{ACCOUNT}/budgets", json=BUDGET).json()["name"] for _ in range(5)
    }
    seen: list[str] = []
    token = ""
    while True:
        page = local_http.get(f"/v1/{ACCOUNT}/budgets?pageSize=2&pageToken={token}").json()
        seen += [one["name"] for one in page["budgets"]]
        token = page.get("nextPageToken", "")
        if not token:
            break

    assert len(seen) == 5
    assert set(seen) == names
