"""The files of a batch prediction's input, row by row: JSON lines, lists, CSV, TFRecord."""

from __future__ import annotations

import base64
import csv
import gzip
import io
import json
import struct
import zlib
from collections.abc import Iterator
from typing import Any

from emulator.errors import ApiError

FILE_LIST = "file-list"
CSV, RECORDS, ZIPPED = "csv", "tf-record", "tf-record-gzip"
FORMATS = ("jsonl", FILE_LIST, CSV, RECORDS, ZIPPED)
# A compressed file that grows beyond this is refused: the server's memory is not endless.
MAX_UNZIPPED_BYTES = 1 << 30
_HEADER_BYTES, _CRC_BYTES = 12, 4


def rows(uri: str, content: bytes, kind: str) -> Iterator[tuple[str, str]]:
    """Where a row stands, and its text: a JSON value, or an address in a list.

    A line of CSV is an object of its columns, a record `{"b64": …}`. INVALID_ARGUMENT for a file
    that is not of its kind.
    """
    if kind == CSV:
        return _csv(uri, _text(uri, content))
    if kind in (RECORDS, ZIPPED):
        return _records(uri, _unzipped(uri, content) if kind == ZIPPED else content)
    return _lines(uri, _text(uri, content))


def _text(uri: str, content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        message = f'The input file "{uri}" is not UTF-8: byte {problem.start}.'
        raise ApiError("INVALID_ARGUMENT", message) from None


def _lines(uri: str, text: str) -> Iterator[tuple[str, str]]:
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            yield f"{uri}, line {number}", line.strip()


def _csv(uri: str, text: str) -> Iterator[tuple[str, str]]:
    """Each line by the names of the first: what reads as a number is one."""
    reader = csv.reader(io.StringIO(text, newline=""))
    header = next(reader, [])
    for line in reader:
        if not line:
            continue
        where = f"{uri}, line {reader.line_num}"
        if len(line) != len(header):
            message = f"{where}: {len(line)} values for {len(header)} columns."
            raise ApiError("INVALID_ARGUMENT", message)
        yield where, json.dumps({key: _value(one) for key, one in zip(header, line, strict=True)})


def _value(text: str) -> Any:
    for kind in (int, float):
        try:
            value = kind(text)
        except ValueError:
            continue
        return value if value == value and abs(value) != float("inf") else text
    return text


def _unzipped(uri: str, content: bytes) -> bytes:
    try:
        with gzip.open(io.BytesIO(content)) as file:
            found = file.read(MAX_UNZIPPED_BYTES + 1)
    except (OSError, EOFError, zlib.error) as problem:
        message = f'The input file "{uri}" is not gzip: {problem}.'
        raise ApiError("INVALID_ARGUMENT", message) from None
    if len(found) > MAX_UNZIPPED_BYTES:
        raise ApiError("INVALID_ARGUMENT", f'The input file "{uri}" is over 1 GiB unpacked.')
    return found


def _records(uri: str, content: bytes) -> Iterator[tuple[str, str]]:
    """TFRecord: length, its CRC, data, its CRC (tensorflow.org/tutorials/load_data/tfrecord)."""
    position, number = 0, 0
    while position < len(content):
        number += 1
        start = position + _HEADER_BYTES
        size = 0
        if start <= len(content):
            (size,) = struct.unpack_from("<Q", content, position)
        if start > len(content) or start + size + _CRC_BYTES > len(content):
            message = f'The input file "{uri}" is no TFRecord file: record {number} is cut short.'
            raise ApiError("INVALID_ARGUMENT", message)
        data = content[start : start + size]
        yield f"{uri}, record {number}", json.dumps({"b64": base64.b64encode(data).decode()})
        position = start + size + _CRC_BYTES
