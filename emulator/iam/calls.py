"""A request of IAM v1 or IAM Credentials v1, as its rules see it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from emulator.cloud import Cloud
from emulator.errors import ApiError
from emulator.iam import enforce, permissions, service_accounts, targets
from emulator.iam.service_accounts import Account
from emulator.iam.targets import Target
from emulator.numbers import whole
from emulator.resourcemanager import projects

if TYPE_CHECKING:
    from starlette.datastructures import QueryParams

    from emulator.tokens import Caller, Tokens

Body = dict[str, Any]


@dataclass(frozen=True)
class Call:
    """One request: its method's name, the names in its path, its query, its body, its caller."""

    cloud: Cloud
    tokens: Tokens
    method: str
    names: Mapping[str, str]
    query: QueryParams
    body: Body
    caller: Caller

    def account(self) -> Account:
        """The account that the path names. NOT_FOUND when there is none."""
        return service_accounts.require(self.cloud, self.names["project"], self.names["account"])

    def check_right(self) -> None:
        """PERMISSION_DENIED unless the caller has the permission that the method needs.

        What is not there is refused like what nobody may see.
        """
        for permission in permissions.of_method(self.method):
            enforce.require(self.cloud, self.caller, permission, self._target())

    def _target(self) -> Target:
        key = self.names.get("account")
        project = self.names.get("project", "-")
        if key is None:
            return targets.project(projects.canonical(self.cloud, project), targets.IAM)
        found = service_accounts.find(self.cloud, key)
        if found is not None:
            return targets.account(self.cloud, found)
        if project == service_accounts.ANY_PROJECT:
            return targets.NOWHERE
        return targets.project(projects.canonical(self.cloud, project), targets.IAM)

    def only(self, *fields: str) -> None:
        """INVALID_ARGUMENT, as Google words it, for a field that the request has not."""
        for name in self.body:
            if name not in fields:
                message = (
                    f'Invalid JSON payload received. Unknown name "{name}": Cannot find field.'
                )
                raise ApiError("INVALID_ARGUMENT", message)

    def text(self, field: str) -> str:
        """A field that must be there and not empty."""
        value = self.body.get(field)
        if not isinstance(value, str) or not value:
            raise ApiError("INVALID_ARGUMENT", f"{field} is required.")
        return value

    def many(self, field: str) -> list[str]:
        """A list of texts; none where it is not sent."""
        value = self.body.get(field) or []
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise ApiError("INVALID_ARGUMENT", f"Invalid value at '{field}': expected texts.")
        return value

    def inner(self, field: str) -> Body:
        """An object in the body; empty where it is not sent."""
        value = self.body.get(field) or {}
        if not isinstance(value, dict):
            raise ApiError("INVALID_ARGUMENT", f"Invalid value at '{field}': expected an object.")
        return value

    def page(self, default: int, most: int) -> tuple[str, int]:
        """Page token and size as asked for; the size is at most `most`."""
        size = whole(self.query.get("pageSize"), "page_size") or default
        return self.query.get("pageToken", ""), min(size, most)
