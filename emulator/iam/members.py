"""Members of policies that must exist before they can be named."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from emulator.cloud import Cloud
from emulator.errors import ApiError
from emulator.iam import service_accounts

PREFIX, DOMAIN = "serviceAccount:", ".iam.gserviceaccount.com"


def check_new(
    cloud: Cloud, before: Iterable[Mapping[str, Any]], after: Iterable[Mapping[str, Any]]
) -> None:
    """INVALID_ARGUMENT, in Google's words, for a new member that is no account of its project.

    Only accounts of projects that are in use here can be told; those already named may stay.
    """
    for member in sorted(_members(after) - _members(before)):
        email = member.removeprefix(PREFIX)
        if member != email and email.endswith(DOMAIN) and _is_missing(cloud, email):
            raise ApiError("INVALID_ARGUMENT", f"Service account {email} does not exist.")


def _members(bindings: Iterable[Mapping[str, Any]]) -> set[str]:
    return {str(member) for binding in bindings for member in binding.get("members", ())}


def _is_missing(cloud: Cloud, email: str) -> bool:
    project_id = email.partition("@")[2].removesuffix(DOMAIN)
    with cloud.store.read() as db:
        known = db.execute("SELECT 1 FROM projects WHERE id = ?", (project_id,)).fetchone()
    return known is not None and service_accounts.find(cloud, email) is None
