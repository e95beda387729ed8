"""Bodies of the wrong shape are refused, and never fail."""

from __future__ import annotations

from typing import Any

import pytest

from tests.emulator.iam.conftest import Owned

ODD: list[Any] = [5, "x", [], [5], {"a": 1}, True, 1.5, [[{}]], {"bindings": 5}]
ODD_POLICIES: list[Any] = [
    {"bindings": [5]},
    {"bindings": [{"role": 5, "members": "x"}]},
    {"bindings": [{"role": "roles/viewer", "members": [5, None]}]},
    {"bindings": [{"role": "roles/viewer", "members": ["allUsers"], "condition": 5}], "version": 3},
    {"bindings": {}, "version": "x"},
    {"bindings": [], "etag": 5},
]
FIELDS = {
    "serviceAccounts": ["accountId", "serviceAccount"],
    "serviceAccounts/{account}:setIamPolicy": ["policy"],
    "serviceAccounts/{account}:getIamPolicy": ["options"],
    "serviceAccounts/{account}:testIamPermissions": ["permissions"],
    "serviceAccounts/{account}:generateAccessToken": ["scope", "delegates", "lifetime"],
    "serviceAccounts/{account}:generateIdToken": ["audience", "delegates", "includeEmail"],
    "serviceAccounts/{account}:signBlob": ["payload", "bytesToSign", "delegates"],
    "serviceAccounts/{account}:signJwt": ["payload", "delegates"],
    "serviceAccounts/{account}/keys": ["privateKeyType", "keyAlgorithm"],
    "serviceAccounts/{account}/keys:upload": ["publicKeyData"],
    "roles": ["roleId", "role"],
    "locations/global/workloadIdentityPools?workloadIdentityPoolId=pool": ["displayName", "mode"],
    ":setIamPolicy": ["policy"],
    ":getIamPolicy": ["options"],
    ":testIamPermissions": ["permissions"],
}


@pytest.mark.parametrize("path", FIELDS)
def test_no_body_makes_the_server_fail(owned: Owned, path: str) -> None:
    """400 for what is of the wrong kind, and never 500."""
    slash = "" if path.startswith(":") else "/"
    place = f"projects/{owned.project}{slash}" + path.replace("{account}", owned.account())
    bodies = [{field: odd} for field in FIELDS[path] for odd in ODD]
    bodies += [{"policy": odd} for odd in ODD_POLICIES if "set" in path]
    bodies += [
        {"role": {"includedPermissions": odd, "stage": odd}} for odd in ODD if path == "roles"
    ]

    codes = {owned.http.post(f"/v1/{place}", json=body).status_code for body in bodies}

    assert max(codes) < 500 and 400 in codes, codes
