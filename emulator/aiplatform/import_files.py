"""Rows of import files, CSV and JSONL, before anybody has looked at the photos."""

from __future__ import annotations

import codecs
import csv
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
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
PIECE_BYTES = 256 << 10


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


def read_rows(uri: str, path: Path, multi_label: bool) -> Iterator[Row]:
    """Every row that is not blank, in order, JSONL by the file's suffix or first character.

    The file is read along; of one that is not UTF-8 no row is given.
    """
    try:
        first = _first_character(path)
    except UnicodeDecodeError as problem:
        yield Row(uri, problem=f"The file is not UTF-8: byte {problem.start}.")
        return
    is_jsonl = uri.lower().endswith((".jsonl", ".json")) or first == "{"
    parse = _json_lines if is_jsonl else _csv_lines
    with path.open(encoding="utf-8-sig", newline="") as file:
        for number, value in parse(file):
            where = f"{uri}, line {number}"
            try:
                row = _from_json(where, value) if is_jsonl else _from_csv(where, value)
                yield _checked(row, multi_label)
            except RowError as problem:
                yield Row(where, problem=str(problem))


def _first_character(path: Path) -> str:
    """The first that is no blank, once the whole file is known to be UTF-8."""
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    first, before = "", 0
    with path.open("rb") as file:
        while True:
            data = file.read(PIECE_BYTES)
            try:
                text = decoder.decode(data, final=not data)
            except UnicodeDecodeError as problem:
                problem.start += before - (len(problem.object) - len(data))
                raise
            first = first or text.lstrip()[:1]
            before += len(data)
            if not data:
                return first


def _csv_lines(lines: Iterable[str]) -> Iterator[tuple[int, Any]]:
    reader = csv.reader(lines)
    for cells in reader:
        if any(cell.strip() for cell in cells):
            yield reader.line_num, [cell.strip() for cell in cells]


def _json_lines(lines: Iterable[str]) -> Iterator[tuple[int, Any]]:
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield number, line.rstrip("\r\n")


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
