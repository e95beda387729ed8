"""Who may read and set organization policies."""

from __future__ import annotations

from collections.abc import Callable

from tests.emulator.iam.conftest import Owned, Signed

LOCATIONS = "gcp.resourceLocations"


def test_only_who_may_read_policies_reads_them(
    owned: Owned, sign_in: Callable[[str], Signed]
) -> None:
    """The viewer of a project reads what counts there, and sets nothing."""
    account = sign_in(owned.account())
    path = f"/v2/projects/{owned.project}/policies"

    before = account.http.get(f"{path}/{LOCATIONS}:getEffectivePolicy")
    owned.grant({"role": "roles/viewer", "members": [account.member]})
    after = account.http.get(f"{path}/{LOCATIONS}:getEffectivePolicy")
    written = account.http.post(path, json={})

    assert (before.status_code, after.status_code, written.status_code) == (403, 200, 403)
    assert "orgpolicy.policy.get" in before.json()["error"]["message"]
    assert "orgpolicy.policies.create" in written.json()["error"]["message"]
