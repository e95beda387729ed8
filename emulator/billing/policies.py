"""A billing account's IAM policy: read, replaced by etag, and asked what it grants."""

from __future__ import annotations

from typing import Any

from emulator.cloud import Cloud
from emulator.iam import members, policy, policy_changes, service_accounts
from emulator.iam.rights import Bindings
from emulator.iam.targets import Target
from emulator.tokens import OWNER

Policy = dict[str, Any]

BILLING = "cloudbilling.googleapis.com"
KIND = "billingPolicy"


def get(cloud: Cloud, name: str, version: int = 0) -> Policy:
    """The policy of `billingAccounts/A` with its etag, for who understands up to `version`."""
    return policy.shown(_current(cloud, name), version)


def replace(cloud: Cloud, name: str, sent: Any) -> Policy:
    """The new policy. ABORTED for a stale etag, INVALID_ARGUMENT for a misshapen one."""
    with cloud.store.transaction():
        before = _current(cloud, name)
        policy_changes.check_version(before["bindings"], sent)
        new = policy.replaced(before, sent)
        members.check_new(cloud, before["bindings"], new["bindings"])
        key = _key(name)
        if cloud.resources.get(key) is None:
            cloud.resources.insert(KIND, key, new, name)
        else:
            cloud.resources.replace(key, new)
    return policy.shown(new, policy.CONDITIONAL)


def target(cloud: Cloud, name: str, service: str = BILLING) -> Target:
    """The account as a right is asked on it: it is in no project, and its own policy decides."""
    bindings: Bindings = _current(cloud, name)["bindings"]
    return Target("", service, f"{BILLING}/BillingAccount", name, name, (bindings,))


def _current(cloud: Cloud, name: str) -> Policy:
    return cloud.resources.get(_key(name)) or _first(cloud)


def _first(cloud: Cloud) -> Policy:
    """What every account begins with: the owner, and the account of the data folder, manage it."""
    own = [f"serviceAccount:{service_accounts.own_email(cloud)}", f"user:{OWNER}"]
    binding = {"role": "roles/billing.admin", "members": own}
    return {"version": 1, "bindings": [binding], "revision": 1}


def _key(name: str) -> str:
    return f"{name}:policy"
