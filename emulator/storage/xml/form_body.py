"""multipart/form-data, the form of an upload by a web page: the file is last and never held."""

from __future__ import annotations

import re

from emulator.storage.xml.errors import XmlError, invalid_argument

# All fields before the file together.
FIELDS_LIMIT_BYTES = 1 << 20
HEAD_END = re.compile(rb"\r?\n\r?\n")
NAME = re.compile(rb'\bname="((?:[^"\\]|\\.)*)"', re.IGNORECASE)
FILE_NAME = re.compile(rb'filename="((?:[^"\\]|\\.)*)"', re.IGNORECASE)
PART_TYPE = re.compile(rb"^content-type:[ \t]*([^\r\n]*)", re.IGNORECASE | re.MULTILINE)


class FormBody:
    """Takes a body in pieces; `fields` (lower-case names) are whole once `in_file` is true."""

    def __init__(self, boundary: bytes) -> None:
        self._mark = b"\n--" + boundary
        self._buffer = b"\n"
        self.fields: dict[str, str] = {}
        self.file_name = ""
        self.file_type = ""
        self.in_file = False
        self.done = False
        self._begun = False

    def feed(self, data: bytes) -> bytes:
        """The bytes of the file that are certain once `data` has come."""
        if self.done:
            return b""
        self._buffer += data
        while not self.in_file and not self.done and self._read_part():
            pass
        if not self.in_file:
            if len(self._buffer) > FIELDS_LIMIT_BYTES:
                raise invalid_argument("The fields of the form before its file are too long.")
            return b""
        return self._file()

    def finish(self) -> None:
        """400 when the form has no file, or no end."""
        if not self.in_file:
            raise invalid_argument("POST requires exactly one file upload per request.")
        if not self.done:
            message = "The body of your POST request is not well-formed multipart/form-data."
            raise XmlError(400, "MalformedPOSTRequest", message)

    def _read_part(self) -> bool:
        """Takes one field off the buffer, or the head of the file; whether there was one."""
        start = self._buffer.find(self._mark)
        head_at = start + len(self._mark)
        if start < 0 or len(self._buffer) < head_at + 2:
            return False
        if self._buffer[head_at : head_at + 2] == b"--":
            self.done = True
            return False
        head = HEAD_END.search(self._buffer, head_at)
        if head is None:
            return False
        lines = self._buffer[head_at : head.start()]
        name = NAME.search(lines)
        field = _text(name[1]).lower() if name else ""
        if field == "file":
            self._open_file(lines)
            self._buffer = b"\n" + self._buffer[head.end() :]
            return False
        end = self._buffer.find(self._mark, head.end() - 1)
        if end < 0:
            return False
        self.fields[field] = _text(self._buffer[head.end() : end].removesuffix(b"\r"))
        self._buffer = self._buffer[end:]
        return True

    def _open_file(self, lines: bytes) -> None:
        name, kind = FILE_NAME.search(lines), PART_TYPE.search(lines)
        self.file_name = _text(name[1]) if name else ""
        self.file_type = _text(kind[1]).strip() if kind else ""
        self.in_file = True

    def _file(self) -> bytes:
        end = self._buffer.find(self._mark)
        if end >= 0:
            self.done = True
            return self._first(self._buffer[:end].removesuffix(b"\r"))
        certain = max(0, len(self._buffer) - len(self._mark) - 1)
        media, self._buffer = self._buffer[:certain], self._buffer[certain:]
        return self._first(media)

    def _first(self, media: bytes) -> bytes:
        """The bytes less the line end that stands before the file, where its mark may follow."""
        if self._begun or not media:
            return media
        self._begun = True
        return media[1:]


def _text(data: bytes) -> str:
    return re.sub(rb"\\(.)", rb"\1", data).decode("utf-8", "replace")
