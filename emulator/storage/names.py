"""Names of buckets and objects, and the order in which objects are listed."""

from __future__ import annotations

import re

from emulator.storage.errors import StorageError, invalid

# https://cloud.google.com/storage/docs/buckets#naming, as Google's labs quote it, read 2026-11-21.
BUCKET = re.compile(r"[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]")
BUCKET_PART_LENGTH = 63
# "google" and close misspellings of it.
RESERVED = ("google", "g00gle", "go0gle", "g0ogle")
HIDDEN_PREFIX = "emulator-"
# https://cloud.google.com/storage/docs/objects#naming, read 2026-11-21. In a hierarchical namespace
# the name of the folder and that of the object in it have a limit each.
OBJECT_BYTES, TREE_PART_BYTES = 1024, 512
LAST_CHARACTER = 0x10FFFF
SURROGATES = range(0xD800, 0xE000)


def check_bucket(name: str) -> None:
    """Raises 400 for a name that no bucket of a user may have."""
    parts = name.split(".")
    if (
        not BUCKET.fullmatch(name)
        or any(not 1 <= len(part) <= BUCKET_PART_LENGTH for part in parts)
        or any(word in name for word in RESERVED)
        or name.startswith("goog")
        or re.fullmatch(r"\d+\.\d+\.\d+\.\d+", name)
    ):
        raise invalid(f"Invalid bucket name: '{name}'")
    if name.startswith(HIDDEN_PREFIX):
        raise invalid(
            f"Invalid bucket name: '{name}'. Names that start with '{HIDDEN_PREFIX}' "
            "belong to the local cloud itself; choose another."
        )


def check_object(name: str) -> None:
    """Raises 400 for a name that no object may have."""
    if not name:
        raise StorageError(400, "required", "Required", ("parameter", "name"))
    size = len(name.encode("utf-8", "surrogatepass"))
    if size > OBJECT_BYTES:
        raise invalid(
            f"The maximum object length is {OBJECT_BYTES} characters, but got a name with "
            f"{size} characters: ''{name[:60]}...''"
        )
    forbidden = name in (".", "..") or name.startswith(".well-known/acme-challenge/")
    if forbidden or "\r" in name or "\n" in name or not _is_text(name):
        raise invalid(f"Invalid object name: {name!r}")


def check_tree_name(name: str) -> None:
    """Raises 400 for a name too long for a hierarchical namespace: of the folder, or in it."""
    folder, slash, base = name.rpartition("/")
    for part in (folder + slash, base):
        if len(part.encode()) > TREE_PART_BYTES:
            raise invalid(
                "In a hierarchical namespace the name of a folder, and that of an object in it, "
                f"have at most {TREE_PART_BYTES} bytes: '{part[:60]}...'"
            )


def successor(prefix: str) -> str | None:
    """The least name behind all names that start with `prefix`; None when there is none."""
    for end in range(len(prefix), 0, -1):
        code = ord(prefix[end - 1]) + 1
        if code in SURROGATES:
            code = SURROGATES.stop
        if code <= LAST_CHARACTER:
            return prefix[: end - 1] + chr(code)
    return None


def _is_text(name: str) -> bool:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
