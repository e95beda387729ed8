"""Pages of named things that are few: by name, from a token on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emulator.storage import listing

Body = dict[str, Any]


def asked(query: Mapping[str, str], size: str = "maxResults") -> tuple[str, int]:
    """Where the page starts, inclusively, and how many items it may have. 400 for neither."""
    token = query.get("pageToken")
    limit = listing.page_size({"maxResults": query[size]} if query.get(size) else {})
    return listing.decoded_token(token) if token else "", limit


def answered(kind: str, limit: int, found: list[tuple[str, Body]]) -> Body:
    """A page as JSON; `found` has the names and items from its start, one more than it may have."""
    answer: Body = {"kind": kind}
    if len(found) > limit:
        answer["nextPageToken"] = listing.token(found[limit][0])
    items = [item for _, item in found[:limit]]
    return answer | ({"items": items} if items else {})
