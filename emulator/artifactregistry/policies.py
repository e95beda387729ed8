"""A repository's IAM policy: read, replaced by etag, and asked what it grants."""

from __future__ import annotations

from typing import Any

from emulator.artifactregistry.repositories import NOT_FOUND, key_of, policy_name
from emulator.cloud import Cloud
from emulator.errors import ApiError
from emulator.iam import enforce, targets
from emulator.tokens import Caller
from emulator.typed_api import etag

Policy = dict[str, Any]


def get(cloud: Cloud, name: str) -> Policy:
    """The policy with its etag; without bindings from the start."""
    key = _key(cloud, name)
    kept = cloud.resources.get(policy_name(key)) or {"version": 1, "revision": 0}
    shown = {field: value for field, value in kept.items() if field != "revision" and value != []}
    return {**shown, "etag": etag(kept)}


def replace(cloud: Cloud, name: str, sent: Policy) -> Policy:
    """The new policy. ABORTED for a stale etag."""
    key = _key(cloud, name)
    with cloud.store.transaction():
        kept = cloud.resources.get(policy_name(key))
        if sent.get("etag") and sent["etag"] != get(cloud, name)["etag"]:
            raise ApiError("ABORTED", "There were concurrent policy changes.")
        new = {
            "version": sent.get("version") or 1,
            "bindings": [one for one in sent.get("bindings", []) if one.get("members")],
            "revision": (kept or {}).get("revision", 0) + 1,
        }
        if kept is None:
            cloud.resources.insert("repositoryPolicy", policy_name(key), new, key)
        else:
            cloud.resources.replace(policy_name(key), new)
    return get(cloud, name)


def granted_to(cloud: Cloud, name: str, caller: Caller, permissions: list[str]) -> list[str]:
    """Those of the permissions that the caller has by the repository's policy or its project's."""
    return enforce.granted(cloud, caller, permissions, targets.repository(cloud, _key(cloud, name)))


def _key(cloud: Cloud, name: str) -> str:
    key = key_of(cloud, name)
    if cloud.resources.get(key) is None:
        raise ApiError("NOT_FOUND", NOT_FOUND)
    return key
