"""Rows of a batch prediction's files, and the instances that are made of them."""

from __future__ import annotations

import base64
import gzip
import json
import struct
from typing import Any

import pytest

from emulator.aiplatform import batch_formats, batch_instances
from emulator.aiplatform.import_files import RowError
from emulator.errors import ApiError

Body = dict[str, Any]
URI = "gs://b/f"


def record(data: bytes) -> bytes:
    """One record of a TFRecord file; nobody reads its CRCs."""
    return struct.pack("<Q", len(data)) + b"\0" * 4 + data + b"\0" * 4


def values(content: bytes, kind: str) -> list[Any]:
    """The rows of a file as values."""
    return [json.loads(text) for _, text in batch_formats.rows(URI, content, kind)]


def test_a_line_of_csv_is_an_object_of_its_columns() -> None:
    """Numbers are numbers, texts texts, quotes and line ends inside them are kept."""
    content = b'\xef\xbb\xbfkey,size,name\r\n1,2.5,"a, ""b""\nc"\r\n\r\nx,nan,\r\n'

    assert values(content, "csv") == [
        {"key": 1, "size": 2.5, "name": 'a, "b"\nc'},
        {"key": "x", "size": "nan", "name": ""},
    ]


@pytest.mark.parametrize("kind", ["tf-record", "tf-record-gzip"])
def test_a_record_is_its_bytes(kind: str) -> None:
    """Each as `b64`, whatever is in it."""
    parts = [b"one\n", b"", b"\xff\0two"]
    content = b"".join(map(record, parts))

    found = values(gzip.compress(content) if kind.endswith("gzip") else content, kind)

    assert [base64.b64decode(one["b64"]) for one in found] == parts


@pytest.mark.parametrize(
    ("content", "kind", "message"),
    [
        (b"a,b\n1\n", "csv", "line 2: 1 values for 2 columns"),
        (b"\xff", "csv", "is not UTF-8"),
        (record(b"whole") + record(b"cut")[:-1], "tf-record", "record 2 is cut short"),
        (b"12345", "tf-record", "record 1 is cut short"),
        (b"plain", "tf-record-gzip", "is not gzip"),
        (gzip.compress(b"x" * 100, mtime=0)[:-9], "tf-record-gzip", "is not gzip"),
    ],
)
def test_a_file_that_is_not_of_its_kind_is_refused(content: bytes, kind: str, message: str) -> None:
    """With its address and what is wrong."""
    with pytest.raises(ApiError, match=message):
        values(content, kind)


ROW = {"id": 7, "b64": "xyz", "size": 3}


@pytest.mark.parametrize(
    ("config", "kind", "sent", "told"),
    [
        ({}, "jsonl", ROW, {"instance": ROW}),
        ({"keyField": "id"}, "jsonl", {"b64": "xyz", "size": 3}, {"key": 7}),
        ({"includedFields": ["b64"]}, "jsonl", {"b64": "xyz"}, {"instance": ROW}),
        ({"excludedFields": ["id"]}, "jsonl", {"b64": "xyz", "size": 3}, {"instance": ROW}),
        (
            {"instanceType": "array", "includedFields": ["size", "b64"]},
            "jsonl",
            [3, "xyz"],
            {"instance": ROW},
        ),
        ({}, "csv", [7, "xyz", 3], {"instance": [7, "xyz", 3]}),
        ({"keyField": "id"}, "csv", ["xyz", 3], {"key": 7}),
    ],
)
def test_an_instance_is_made_as_it_was_asked_for(
    config: Body, kind: str, sent: Any, told: Body
) -> None:
    """What the model is sent, and how the results name the row (BatchPredictionJob, SDK 2.7.0)."""
    assert batch_instances.sent(ROW, config, kind, "line 1") == sent
    assert batch_instances.told(ROW, config, kind) == told


@pytest.mark.parametrize(
    ("value", "config"),
    [
        ("text", {"keyField": "id"}),
        (ROW, {"includedFields": ["colour"]}),
        (ROW, {"instanceType": "array"}),
        ([1], {"instanceType": "object"}),
    ],
)
def test_a_row_that_does_not_fit_is_an_error_of_its_own(value: Any, config: Body) -> None:
    """No object, a field that it lacks, or fields in no order."""
    with pytest.raises(RowError, match="line 1"):
        batch_instances.sent(value, config, "jsonl", "line 1")


@pytest.mark.parametrize(
    ("config", "kind", "field"),
    [
        ({"instanceType": "tree"}, "jsonl", "instance_type"),
        ({"instanceType": "object"}, "csv", "instance_type"),
        ({"keyField": "id"}, "file-list", "key_field"),
        ({"includedFields": ["a"], "excludedFields": ["b"]}, "jsonl", "excluded_fields"),
    ],
)
def test_a_configuration_that_does_not_fit_is_refused(config: Body, kind: str, field: str) -> None:
    """Before the job is made, by field."""
    with pytest.raises(ApiError, match=f"instance_config.{field};"):
        batch_instances.check(config, kind)
