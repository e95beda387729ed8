"""Who may use a service account: its policy, read, replaced by etag, and asked what it grants."""

from __future__ import annotations

import json
from typing import Any

from emulator.cloud import Cloud
from emulator.iam import enforce, members, policy, policy_changes, service_accounts, targets
from emulator.iam.service_accounts import Account
from emulator.tokens import Caller

Policy = dict[str, Any]


def get(cloud: Cloud, account: Account, version: int = 0) -> Policy:
    """The policy with its etag; a new account's has no bindings."""
    return policy.shown(current(cloud, account), version)


def replace(cloud: Cloud, account: Account, sent: Any) -> Policy:
    """The new policy; ABORTED for a stale etag."""
    with cloud.store.transaction() as db:
        before = current(cloud, account)
        policy_changes.check_version(before["bindings"], sent)
        new = policy.replaced(before, sent)
        policy_changes.check_account(cloud, new["bindings"])
        members.check_new(cloud, before["bindings"], new["bindings"])
        db.execute(
            "UPDATE service_accounts SET policy = ? WHERE unique_id = ?",
            (json.dumps(new, ensure_ascii=False), account.unique_id),
        )
    return policy.shown(new, policy.CONDITIONAL)


def granted_to(cloud: Cloud, account: Account, caller: Caller, asked: list[str]) -> list[str]:
    """Those of the permissions that the caller has on the account, in the order asked."""
    return enforce.granted(cloud, caller, asked, targets.account(cloud, account))


def current(cloud: Cloud, account: Account) -> Policy:
    """The policy as it is stored; nobody may change what this answers."""
    text = service_accounts.policy_of(cloud, account)
    return policy.parsed(text) if text else {"version": 1, "bindings": [], "revision": 1}
