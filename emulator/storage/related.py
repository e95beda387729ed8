"""multipart/related, the form of an upload with metadata: read piece by piece, never held whole."""

from __future__ import annotations

import re
from typing import Any

from emulator.storage.errors import invalid
from emulator.storage.http import JSON_LIMIT_BYTES, parse_object

BOUNDARY = re.compile(r'boundary=(?:"([^"]+)"|([^;\s]+))', re.IGNORECASE)
HEAD_END = re.compile(rb"\r?\n\r?\n")
PART_TYPE = re.compile(rb"^content-type:[ \t]*([^\r\n]*)", re.IGNORECASE | re.MULTILINE)


def boundary_of(content_type: str) -> bytes:
    """The boundary in a Content-Type header. 400 when there is none."""
    found = BOUNDARY.search(content_type)
    if found is None:
        raise invalid(f"Missing boundary in the Content-Type header: '{content_type}'.")
    return (found[1] or found[2]).encode("latin-1")


class Related:
    """Takes a body in pieces and gives back the bytes of its second part, the media."""

    def __init__(self, boundary: bytes) -> None:
        self._opening = b"--" + boundary
        self._closing = b"\n--" + boundary
        self._buffer = b""
        self._in_media = False
        self.done = False
        self.fields: dict[str, Any] = {}
        self.media_type = ""

    def feed(self, data: bytes) -> bytes:
        """The media bytes that are certain once `data` has come."""
        if self.done:
            return b""
        self._buffer += data
        if not self._in_media:
            self._in_media = self._read_heads()
        return self._media() if self._in_media else b""

    def finish(self) -> None:
        """Raises 400 when the closing boundary has not come."""
        if not self.done:
            raise invalid("The multipart body of the request has no end.")

    def _read_heads(self) -> bool:
        """Whether the metadata part and the head of the media part are complete."""
        if len(self._buffer) > JSON_LIMIT_BYTES:
            raise invalid("The metadata of the upload is too long.")
        start = self._buffer.find(self._opening)
        first = HEAD_END.search(self._buffer, start) if start >= 0 else None
        middle = self._buffer.find(self._closing, first.end() - 1) if first else -1
        second = HEAD_END.search(self._buffer, middle + 1) if middle >= 0 else None
        if first is None or second is None:
            return False
        self.fields = parse_object(self._buffer[first.end() : middle])
        found = PART_TYPE.search(self._buffer, middle + 1, second.end())
        self.media_type = found[1].decode("latin-1").strip() if found else ""
        self._buffer = self._buffer[second.end() :]
        return True

    def _media(self) -> bytes:
        end = self._buffer.find(self._closing)
        if end >= 0:
            self.done = True
            return self._buffer[:end].removesuffix(b"\r")
        certain = max(0, len(self._buffer) - len(self._closing) - 1)
        media, self._buffer = self._buffer[:certain], self._buffer[certain:]
        return media
