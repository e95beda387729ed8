"""IAM policies of any resource: judged as Google does, replaced by etag, shown by version."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from functools import lru_cache
from hashlib import sha256
from typing import Any

from emulator.errors import ApiError
from emulator.iam import conditions, roles

Policy = dict[str, Any]

# cloud.google.com/iam/docs/principal-identifiers
MEMBER = re.compile(
    r"(user|serviceAccount|group|domain|deleted:\w+|principal(Set)?|projectOwner|projectEditor|"
    r"projectViewer):\S+|allUsers|allAuthenticatedUsers"
)
ROLE = re.compile(r"(projects/[^/]+/|organizations/[^/]+/)?roles/[\w.]+")
STALE = (
    "There were concurrent policy changes. Please retry the whole read-modify-write with "
    "exponential backoff. The request's ETag '{sent}' did not match the current policy's ETag "
    "'{current}'."
)
# Policy.version in google/iam/v1/policy.proto.
CONDITIONAL = 3


def replaced(current: Policy, sent: Any) -> Policy:
    """The policy after `current`, as sent. ABORTED for a stale etag, INVALID_ARGUMENT for others.

    Both carry `revision`, the number that the etag is made of.
    """
    if not isinstance(sent, dict):
        raise ApiError("INVALID_ARGUMENT", "The policy is missing.")
    sent = {**sent, "bindings": sent.get("bindings") or []}
    version = sent.get("version") or 1
    if not isinstance(sent["bindings"], list) or version not in (1, CONDITIONAL):
        message = f"A policy has a list of bindings, and version 1 or 3. Received: {version}."
        raise ApiError("INVALID_ARGUMENT", message)
    for binding in sent["bindings"]:
        check_binding(binding, version)
    tag, now = sent.get("etag"), etag(current["revision"])
    if tag and tag != now:
        raise ApiError("ABORTED", STALE.format(sent=tag, current=now))
    kept = [one for one in sent["bindings"] if one.get("members")]
    return {
        "version": version,
        "bindings": kept,
        **({"auditConfigs": sent["auditConfigs"]} if sent.get("auditConfigs") else {}),
        "revision": current["revision"] + 1,
    }


def check_binding(binding: Any, version: int) -> None:
    """INVALID_ARGUMENT for a misshapen role, member or condition."""
    if not isinstance(binding, dict) or not isinstance(binding.get("members", []), list):
        raise ApiError("INVALID_ARGUMENT", f"Not a binding: {binding!r}")
    role, members = str(binding.get("role", "")), binding.get("members", [])
    if not ROLE.fullmatch(role) or roles.is_no_role(role):
        raise ApiError("INVALID_ARGUMENT", f"Role {role} is not supported for this resource.")
    for member in members:
        if not MEMBER.fullmatch(str(member)):
            message = f"Invalid member: '{member}'. A member begins with 'user:' or the like."
            raise ApiError("INVALID_ARGUMENT", message)
    condition = binding.get("condition")
    if not condition:
        return
    if version != CONDITIONAL:
        message = f"A policy with conditions must have version 3. Received: version {version}."
        raise ApiError("INVALID_ARGUMENT", message)
    if (
        not isinstance(condition, dict)
        or not condition.get("title")
        or not condition.get("expression")
    ):
        raise ApiError("INVALID_ARGUMENT", "A condition must have a title and an expression.")
    if problem := conditions.problem_of(str(condition["expression"])):
        raise ApiError("INVALID_ARGUMENT", f"The condition's expression is no CEL: {problem}")


def shown(policy: Policy, version: int = 0) -> Policy:
    """The policy as it is answered to who understands up to `version` (0: 1, as Google's).

    Who asks for less than 3 sees conditional bindings under marked roles, without the conditions
    (cloud.google.com/iam/docs/policies#specifying-version-get).
    """
    kept = {key: value for key, value in policy.items() if key != "revision" and value != []}
    if version < CONDITIONAL and any(one.get("condition") for one in kept.get("bindings", [])):
        kept |= {"version": 1, "bindings": [_marked(one) for one in kept["bindings"]]}
    return {**kept, "etag": etag(policy["revision"])}


def etag(revision: int) -> str:
    """The entity tag of a policy's revision."""
    return b64encode(b"\x07" + revision.to_bytes(7, "big")).decode()


@lru_cache(maxsize=512)
def parsed(text: str) -> Policy:
    """A stored policy, parsed once; nobody may change what this answers."""
    found: Policy = json.loads(text)
    return found


def _marked(binding: Policy) -> Policy:
    if not binding.get("condition"):
        return binding
    digest = sha256(json.dumps(binding["condition"], sort_keys=True).encode()).hexdigest()[:20]
    return {"role": f"{binding['role']}_withcond_{digest}", "members": binding["members"]}
