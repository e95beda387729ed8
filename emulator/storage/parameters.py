"""Parameters of a query that have few values: what else they say is refused, wherever it counts."""

from __future__ import annotations

from collections.abc import Mapping

from emulator.storage.errors import StorageError

BOOLEANS = frozenset({
    "allowNonEmpty", "copySourceAcl", "enableObjectRetention", "includeFoldersAsPrefixes",
    "includeTrailingDelimiter", "overrideUnlockedRetention", "recursive", "showDeletedKeys",
    "softDeleted", "versions",
})  # fmt: skip
# https://cloud.google.com/storage/docs/json_api/v1/parameters, as of 2026-11.
VALUES = {"alt": ("json", "media"), "projection": ("full", "noAcl")}
CHECKED = BOOLEANS | VALUES.keys()


def check(query: Mapping[str, str]) -> None:
    """400 for a boolean that is none, and for another value than the listed ones."""
    for name in query.keys() & CHECKED:
        said = query[name]
        if name in BOOLEANS:
            if said.lower() not in ("", "true", "false"):  # Python's clients write True
                raise _invalid(name, f"Invalid boolean value: '{said}'.")
        elif said not in VALUES[name]:
            allowed = ", ".join(VALUES[name])
            raise _invalid(name, f"Invalid string value: '{said}'. Allowed values: [{allowed}]")


def _invalid(name: str, message: str) -> StorageError:
    return StorageError(400, "invalid", message, ("parameter", name))
