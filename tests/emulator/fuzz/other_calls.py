"""Requests of the smaller APIs and of the emulator's own, with odd values in known fields."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.emulator.fuzz.target import Asked
from tests.emulator.fuzz.values import Draw, json_values, odd

PROJECT = "projects/fuzz-project"
PATHS = [
    "/v3/projects", f"/v3/{PROJECT}", "/v3/projects:search", f"/v3/{PROJECT}:setIamPolicy",
    "/v1/projects", f"/v1/{PROJECT}", f"/v1/{PROJECT}:setIamPolicy", f"/v1/{PROJECT}:getAncestry",
    f"/v1/{PROJECT}/services", f"/v1/{PROJECT}/services:batchEnable",
    f"/v1/{PROJECT}/services:batchGet", f"/v1/{PROJECT}/serviceAccounts", f"/v1/{PROJECT}/roles",
    f"/v1/{PROJECT}/serviceAccounts/a@b.c/keys", "/v1/projects/-/serviceAccounts/a@b.c:signBlob",
    "/v1/projects/-/serviceAccounts/a@b.c:generateAccessToken", "/v1/roles",
    f"/v1/{PROJECT}/locations/global/workloadIdentityPools", "/v2/entries:list",
    f"/v2/{PROJECT}/policies", f"/v2/{PROJECT}/policies/gcp.resourceLocations",
    f"/v2/{PROJECT}/logs", "/v1/billingAccounts", "/v1/billingAccounts/1/budgets",
    f"/v1/{PROJECT}/billingInfo", f"/v1/{PROJECT}/locations/global/quotaPreferences",
    f"/v1/{PROJECT}/locations/global/services/aiplatform.googleapis.com/quotaInfos",
    f"/v1/{PROJECT}/locations/us-central1/repositories", "/v1/operations", "/v1/operations/1",
    "/retry_test", "/retry_tests", "/_emulator/faults", "/_emulator/snapshot", "/_emulator/restore",
    "/_emulator/usage", "/token", "/nothing", "/v9/projects",
]  # fmt: skip
FIELDS = [
    "policy", "resourceNames", "projectIds", "filter", "orderBy", "pageSize", "pageToken",
    "accountId", "serviceAccount", "displayName", "name", "projectId", "parent", "instructions",
    "transport", "payload", "bindings", "role", "roleId", "serviceIds", "names", "updateMask",
    "permissions", "scope", "lifetime", "labels", "preferredValue", "budgetFilter", "amount",
    "format", "grant_type", "assertion", "workloadIdentityPoolId", "disabled", "etag", "audience",
]  # fmt: skip
METHODS = ["GET", "GET", "POST", "POST", "PATCH", "PUT"]


def generated(draw: Draw) -> Asked:
    """A request to one of them."""
    method = draw(st.sampled_from(METHODS))
    query = draw(st.dictionaries(st.sampled_from(FIELDS), odd, max_size=2))
    body = None
    if method != "GET":
        body = draw(st.dictionaries(st.sampled_from(FIELDS), json_values | odd, max_size=3))
    return Asked(method, draw(st.sampled_from(PATHS)), query, body)
