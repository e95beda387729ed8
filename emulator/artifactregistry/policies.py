"""A repository's IAM policy: read, replaced by etag, and asked what it grants."""

from __future__ import annotations

from typing import Any

from emulator.artifactregistry.repositories import NOT_FOUND, key_of, policy_name
from emulator.cloud import Cloud
from emulator.errors import ApiError
from emulator.iam import enforce, policy, targets
from emulator.tokens import Caller

Policy = dict[str, Any]


def get(cloud: Cloud, name: str, version: int = 0) -> Policy:
    """The policy with its etag, as `iam.policy.shown`; without bindings from the start."""
    return policy.shown(_current(cloud, _key(cloud, name)), version)


def replace(cloud: Cloud, name: str, sent: Any) -> Policy:
    """The new policy. ABORTED for a stale etag, INVALID_ARGUMENT for what is no policy."""
    key = _key(cloud, name)
    with cloud.store.transaction():
        new = policy.replaced(_current(cloud, key), sent)
        if cloud.resources.get(policy_name(key)) is None:
            cloud.resources.insert("repositoryPolicy", policy_name(key), new, key)
        else:
            cloud.resources.replace(policy_name(key), new)
    return policy.shown(new, new["version"])


def _current(cloud: Cloud, key: str) -> Policy:
    return cloud.resources.get(policy_name(key)) or {"version": 1, "bindings": [], "revision": 0}


def granted_to(cloud: Cloud, name: str, caller: Caller, permissions: list[str]) -> list[str]:
    """Those of the permissions that the caller has by the repository's policy or its project's."""
    return enforce.granted(cloud, caller, permissions, targets.repository(cloud, _key(cloud, name)))


def _key(cloud: Cloud, name: str) -> str:
    key = key_of(cloud, name)
    if cloud.resources.get(key) is None:
        raise ApiError("NOT_FOUND", NOT_FOUND)
    return key
