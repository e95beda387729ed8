"""What a client says its bytes are, and the refusal when they are not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emulator.storage.errors import invalid
from emulator.store.blobs import BlobRef


def check(reference: BlobRef, headers: Mapping[str, str], fields: Mapping[str, Any]) -> None:
    """Compares the bytes with `md5Hash`, `crc32c`, X-Goog-Hash and Content-MD5; 400 if unlike."""
    for kind, stated in _stated(headers, fields):
        actual = reference.md5 if kind == "md5" else reference.crc32c
        if stated != actual:
            raise invalid(_sentence(kind, stated, actual))


def _stated(headers: Mapping[str, str], fields: Mapping[str, Any]) -> list[tuple[str, str]]:
    stated = [
        (kind, str(fields[key]))
        for kind, key in (("md5", "md5Hash"), ("crc32c", "crc32c"))
        if fields.get(key)
    ]
    if "content-md5" in headers:
        stated.append(("md5", headers["content-md5"]))
    for item in filter(None, headers.get("x-goog-hash", "").split(",")):
        kind, _, value = item.strip().partition("=")
        if kind not in ("md5", "crc32c") or not value:
            raise invalid(f"Invalid value for header x-goog-hash: '{item.strip()[:100]}'.")
        stated.append((kind, value))
    return stated


def _sentence(kind: str, stated: str, actual: str) -> str:
    name = "MD5 hash" if kind == "md5" else "CRC32C"
    return f'Provided {name} "{stated}" doesn\'t match calculated {name} "{actual}".'
