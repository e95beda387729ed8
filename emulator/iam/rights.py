"""What a caller may do: by the roles that bindings grant, and no other way."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from emulator.cloud import Cloud
from emulator.errors import ApiError
from emulator.iam import roles
from emulator.iam.conditions import Facts, holds
from emulator.tokens import ANONYMOUS, Caller

EVERYBODY = frozenset({"allUsers", "allAuthenticatedUsers"})
# Every permission in iam-dataset's roles (services.toml) has this form: the service, its domain
# perhaps, the kind of resource, and what is done with it.
PERMISSION = re.compile(r"([a-z][a-z0-9-]*)(?:\.[a-z.]+/\w+|\.\w+)\.\w+", re.ASCII)
SERVICES = Path(__file__).with_name("services.toml")

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
    if caller == ANONYMOUS:
        return "allUsers" in members
    mine = {f"serviceAccount:{caller.email}", f"user:{caller.email}"}
    return not (mine | teams | EVERYBODY).isdisjoint(members)


def check_form(permissions: Iterable[str]) -> None:
    """INVALID_ARGUMENT for what is not a permission, or one of a service that Google has not."""
    for permission in permissions:
        found = PERMISSION.fullmatch(permission)
        if found is None or found[1] not in _services():
            message = f"Permission {permission} is not valid for this resource."
            raise ApiError("INVALID_ARGUMENT", message)


@cache
def _services() -> frozenset[str]:
    return frozenset(tomllib.loads(SERVICES.read_text(encoding="utf-8"))["services"].split())
