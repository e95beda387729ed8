"""What an organisation forbids in a project, merged over the whole hierarchy by Google."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ops.cloud import rest
from ops.cloud.session import Session

HOST = "orgpolicy.googleapis.com"


@dataclass(frozen=True)
class Policy:
    """The policy of one constraint; for a constraint that is on or off, `enforced` alone counts.

    With neither `allowed` nor `denied` nor `denies_all`, everything is allowed.
    """

    constraint: str
    enforced: bool = False
    denies_all: bool = False
    allowed: tuple[str, ...] = ()
    denied: tuple[str, ...] = ()


def effective(session: Session, constraint: str) -> Policy:
    """The policy in effect in the project; `constraint` is without `constraints/`.

    cloud.google.com/resource-manager/docs/reference/orgpolicy/rest/v2/projects.policies
    """
    project = session.settings.project
    path = f"/v2/projects/{project}/policies/{constraint}:getEffectivePolicy"
    return _read(constraint, rest.get(session, HOST, path))


def _read(constraint: str, body: Mapping[str, Any]) -> Policy:
    rules = body.get("spec", {}).get("rules", [])
    values = [rule.get("values", {}) for rule in rules]
    return Policy(
        constraint,
        enforced=any(rule.get("enforce") is True for rule in rules),
        denies_all=any(rule.get("denyAll") is True for rule in rules),
        allowed=tuple(str(one) for value in values for one in value.get("allowedValues", [])),
        denied=tuple(str(one) for value in values for one in value.get("deniedValues", [])),
    )
