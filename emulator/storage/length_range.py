"""How long an upload may be: what X-Goog-Content-Length-Range, or a form's policy, allows.

https://cloud.google.com/storage/docs/xml-api/reference-headers and json_api/v1/parameters, read
2026-11-22. EntityTooLarge as www.codejam.info/2023/04/firebase-functions-entity-too-large.html
recorded it; EntityTooSmall is worded like it (no record found).
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

from emulator.storage.errors import invalid

HEADER = "x-goog-content-length-range"
RANGE = re.compile(r" *(\d{1,18}) *, *(\d{1,18}) *")
LARGE = "Content-length exceeds upper bound on range"
SMALL = "Content-length smaller than lower bound on range"


@dataclass(frozen=True)
class LengthRange:
    """The least and the most bytes that an upload may have, both included."""

    least_bytes: int = 0
    most_bytes: int | None = None

    def check(self, size_bytes: int, *, ended: bool) -> None:
        """400 once an upload is longer than allowed, or at its end shorter."""
        if self.most_bytes is not None and size_bytes > self.most_bytes:
            raise invalid(LARGE)
        if ended and size_bytes < self.least_bytes:
            raise invalid(SMALL)


def asked(headers: Mapping[str, str]) -> LengthRange | None:
    """What a request's header allows, None without one. 400 for what is no range."""
    text = headers.get(HEADER)
    if text is None:
        return None
    found = RANGE.fullmatch(text)
    if found is None or int(found[1]) > int(found[2]):
        raise invalid(f"Invalid value for X-Goog-Content-Length-Range: '{text[:100]}'.")
    return LengthRange(int(found[1]), int(found[2]))


async def limited(headers: Mapping[str, str], media: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The bytes as they come, refused once they are longer than the header allows."""
    allowed, size_bytes = asked(headers) or LengthRange(), 0
    async for data in media:
        size_bytes += len(data)
        allowed.check(size_bytes, ended=False)
        yield data
    allowed.check(size_bytes, ended=True)
