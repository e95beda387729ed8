"""What a caller may do: by the roles that policies grant, and no other way."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

from emulator.errors import ApiError
from emulator.tokens import Caller

ROLES = Path(__file__).with_name("roles.toml")
EVERYBODY = frozenset({"allUsers", "allAuthenticatedUsers"})
PERMISSION = re.compile(r"[a-z]+(\.[A-Za-z]+){2,}")

Bindings = Sequence[Mapping[str, Any]]


def granted(
    bindings: Bindings,
    caller: Caller,
    permissions: Iterable[str],
    teams: frozenset[str] = frozenset(),
) -> list[str]:
    """Those of the permissions that the caller has, in the order asked.

    The owner (who sends no credentials, or some that nobody can check) has them all; `teams` are
    members that the caller is one of. Conditions of bindings are not looked at. INVALID_ARGUMENT
    for what is not a permission.
    """
    asked = list(dict.fromkeys(permissions))
    for permission in asked:
        if not PERMISSION.fullmatch(permission):
            message = f"Permission {permission} is not valid for this resource."
            raise ApiError("INVALID_ARGUMENT", message)
    if caller.owner:
        return asked
    roles = {
        str(one["role"]) for one in bindings if concerns(one.get("members", ()), caller, teams)
    }
    return [permission for permission in asked if any(_has(role, permission) for role in roles)]


def concerns(members: Iterable[str], caller: Caller, teams: frozenset[str] = frozenset()) -> bool:
    """Whether the caller is one of the members, by address or by team."""
    mine = {f"serviceAccount:{caller.email}", f"user:{caller.email}"}
    return not (mine | teams | EVERYBODY).isdisjoint(members)


def _has(role: str, permission: str) -> bool:
    """Whether a role has a permission; a role that the table lacks has none."""
    about = _roles().get(role, {})
    has = any(fnmatchcase(permission, pattern) for pattern in about.get("has", ()))
    return has and not any(fnmatchcase(permission, pattern) for pattern in about.get("but", ()))


@cache
def _roles() -> dict[str, dict[str, list[str]]]:
    return tomllib.loads(ROLES.read_text(encoding="utf-8"))
