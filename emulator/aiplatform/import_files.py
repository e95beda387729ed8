"""Rows of import files, CSV and JSONL, before anybody has looked at the photos."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

SCHEMA_PREFIX = "gs://google-cloud-aiplatform/schema/dataset/ioformat/"
# google-cloud-aiplatform 2.7.0, schema.py.
SINGLE_LABEL = SCHEMA_PREFIX + "image_classification_single_label_io_format_1.0.0.yaml"
MULTI_LABEL = SCHEMA_PREFIX + "image_classification_multi_label_io_format_1.0.0.yaml"
ML_USE = "aiplatform.googleapis.com/ml_use"
ML_USES = {"training": "training", "train": "training", "test": "test"} | {
    "validation": "validation",
    "validate": "validation",
}
# "must start with a letter and only contain letters, numbers, and underscores"
# (Prepare image training data for classification, read 2026-08-22).
LABEL = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


class RowError(Exception):
    """What is wrong with one row."""


@dataclass(frozen=True)
class Row:
    """One photo of an import file; `problem` says why it cannot be imported, else it is empty."""

    where: str
    uri: str = ""
    annotations: tuple[str, ...] = ()
    labels: dict[str, str] = field(default_factory=dict)
    problem: str = ""


def read_rows(uri: str, content: bytes, multi_label: bool) -> Iterator[Row]:
    """Every row that is not blank, in order, JSONL by the file's suffix or first character."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        yield Row(uri, problem=f"The file is not UTF-8: byte {problem.start}.")
        return
    is_jsonl = uri.lower().endswith((".jsonl", ".json")) or text.lstrip()[:1] == "{"
    parse = _json_lines if is_jsonl else _csv_lines
    for number, value in parse(text):
        where = f"{uri}, line {number}"
        try:
            row = _from_json(where, value) if is_jsonl else _from_csv(where, value)
            yield _checked(row, multi_label)
        except RowError as problem:
            yield Row(where, problem=str(problem))


def _csv_lines(text: str) -> Iterator[tuple[int, Any]]:
    reader = csv.reader(io.StringIO(text, newline=""))
    for cells in reader:
        if any(cell.strip() for cell in cells):
            yield reader.line_num, [cell.strip() for cell in cells]


def _json_lines(text: str) -> Iterator[tuple[int, Any]]:
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            yield number, line


def _from_csv(where: str, cells: list[str]) -> Row:
    """`[ML_USE],GCS_FILE_PATH,[LABEL]…`."""
    ml_use = ""
    if not cells[0].startswith("gs://"):
        ml_use, cells = cells[0], cells[1:]
    if not cells or not cells[0].startswith("gs://"):
        raise RowError(f"Expected [ML_USE],GCS_FILE_PATH,[LABEL]. Received: {','.join(cells)!r}.")
    labels = {ML_USE: ml_use} if ml_use and ml_use.upper() != "UNASSIGNED" else {}
    return Row(where, cells[0], tuple(cell for cell in cells[1:] if cell), labels)


def _from_json(where: str, line: str) -> Row:
    try:
        value = json.loads(line)
        uri = value["imageGcsUri"]
        single = value.get("classificationAnnotation")
        several = value.get("classificationAnnotations", [single] if single else [])
        annotations = tuple(str(one["displayName"]) for one in several)
        labels = {str(k): str(v) for k, v in value.get("dataItemResourceLabels", {}).items()}
    except (ValueError, KeyError, TypeError, AttributeError) as problem:
        raise RowError(f"Not a row of image classification ({problem!r}): {line[:200]}") from None
    if not isinstance(uri, str):
        raise RowError(f"imageGcsUri must be a string. Received: {uri!r}.")
    return Row(where, uri, annotations, labels)


def _checked(row: Row, multi_label: bool) -> Row:
    for label in row.annotations:
        if not LABEL.fullmatch(label):
            raise RowError(
                f'Invalid label "{label}": it must start with a letter and only contain letters, '
                "numbers, and underscores."
            )
    if len(row.annotations) > 1 and not multi_label:
        raise RowError(f"More than one label in a single-label import: {row.annotations}.")
    return Row(row.where, row.uri, tuple(dict.fromkeys(row.annotations)), _ml_use(row.labels))


def _ml_use(labels: dict[str, str]) -> dict[str, str]:
    """The labels with ml_use in lower case; either case is accepted in a file."""
    if ML_USE not in labels:
        return labels
    use = ML_USES.get(labels[ML_USE].lower())
    if use is None:
        message = f'Invalid ML_USE "{labels[ML_USE]}": expected TRAINING, VALIDATION or TEST.'
        raise RowError(message)
    return {**labels, ML_USE: use}
