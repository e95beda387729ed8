"""Conditional reads as HTTP has them (RFC 9110, section 13): by entity tag and by time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from emulator.storage.errors import condition_not_met
from emulator.storage.preconditions import NotModifiedError


def check_read(headers: Mapping[str, str], etag: str, updated: str) -> None:
    """Raises 412 or NotModifiedError where a condition of the headers does not hold."""
    changed = datetime.fromisoformat(updated).replace(microsecond=0)
    if "if-match" in headers:
        if not _names(headers["if-match"], etag):
            raise condition_not_met()
    elif (moment := _moment(headers.get("if-unmodified-since"))) and changed > moment:
        raise condition_not_met("If-Unmodified-Since")
    if "if-none-match" in headers:
        if _names(headers["if-none-match"], etag):
            raise NotModifiedError
    elif (moment := _moment(headers.get("if-modified-since"))) and changed <= moment:
        raise NotModifiedError


def check_write(headers: Mapping[str, str], etag: str | None) -> bool:
    """Whether a write is conditional; 412 where it is and does not hold. No etag: no object."""
    if "if-match" in headers and (etag is None or not _names(headers["if-match"], etag)):
        raise condition_not_met()
    if "if-none-match" in headers and etag is not None and _names(headers["if-none-match"], etag):
        raise condition_not_met("If-None-Match")
    return "if-match" in headers or "if-none-match" in headers


def _names(text: str, etag: str) -> bool:
    tags = [tag.strip().removeprefix("W/") for tag in text.split(",")]
    return "*" in tags or any(tag.strip('"') == etag.strip('"') for tag in tags)


def _moment(text: str | None) -> datetime | None:
    """A date of HTTP; None for none and for what is not one."""
    try:
        moment = parsedate_to_datetime(text) if text else None
    except ValueError:
        return None
    if moment is None:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
