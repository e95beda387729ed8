"""Roles and the permissions in them: Google's own from `roles.toml`, a project's from the store."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

from emulator.cloud import Cloud

ROLES = Path(__file__).with_name("roles.toml")
OTHERS = Path(__file__).with_name("other_roles.toml")
CUSTOM = "iam.Role"


def permissions(cloud: Cloud, role: str) -> frozenset[str]:
    """What a role holds; nothing for one that the table and the project lack, or is deleted."""
    if role.startswith("roles/"):
        return predefined().get(role, frozenset())
    body = cloud.resources.get(role)
    if body is None or body.get("deleted"):
        return frozenset()
    return frozenset(body.get("includedPermissions", ()))


@cache
def predefined() -> dict[str, frozenset[str]]:
    """Google's roles by name."""
    table = tomllib.loads(ROLES.read_text(encoding="utf-8"))
    return {
        role: frozenset(f"{kind}.{verb}" for kind, verbs in kinds.items() for verb in verbs.split())
        for role, kinds in table.items()
    }


def is_no_role(role: str) -> bool:
    """Whether a predefined role is none of Google's, as far as its service's are all known here."""
    service, _, name = role.removeprefix("roles/").rpartition(".")
    others = _others().get(service) if role.startswith("roles/") else None
    return others is not None and role not in predefined() and name not in others


@cache
def _others() -> dict[str, frozenset[str]]:
    """The roles that exist and have no permission here, by their service."""
    table = tomllib.loads(OTHERS.read_text(encoding="utf-8"))
    return {service: frozenset(names.split()) for service, names in table.items()}


@cache
def every_permission() -> frozenset[str]:
    """Every permission that some role of the table holds."""
    return frozenset().union(*predefined().values())
