"""What a caller may do: by the roles that bindings grant, and no other way."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from emulator.cloud import Cloud
from emulator.errors import ApiError
from emulator.iam import roles
from emulator.iam.conditions import Facts, holds
from emulator.tokens import Caller

EVERYBODY = frozenset({"allUsers", "allAuthenticatedUsers"})
PERMISSION = re.compile(r"[a-z]+(\.googleapis\.com/[A-Za-z]+)?(\.[A-Za-z]+){1,2}")

Bindings = Sequence[Mapping[str, Any]]


def grants(
    cloud: Cloud,
    bindings: Bindings,
    caller: Caller,
    permission: str,
    facts: Facts,
    teams: frozenset[str] = frozenset(),
) -> bool:
    """Whether some binding gives the caller the permission here and now.

    `teams` are members that the caller is one of (`projectEditor:P`). Groups have no members.
    """
    return any(
        concerns(binding.get("members", ()), caller, teams)
        and permission in roles.permissions(cloud, str(binding.get("role", "")))
        and holds(binding.get("condition"), facts)
        for binding in bindings
    )


def concerns(members: Iterable[str], caller: Caller, teams: frozenset[str] = frozenset()) -> bool:
    """Whether the caller is one of the members, by address or by team."""
    mine = {f"serviceAccount:{caller.email}", f"user:{caller.email}"}
    return not (mine | teams | EVERYBODY).isdisjoint(members)


def check_form(permissions: Iterable[str]) -> None:
    """INVALID_ARGUMENT for what is not a permission."""
    for permission in permissions:
        if not PERMISSION.fullmatch(permission):
            message = f"Permission {permission} is not valid for this resource."
            raise ApiError("INVALID_ARGUMENT", message)
