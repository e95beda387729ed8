"""Vertex's own import form as a source: a JSON object a line, for one label or several a photo."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from ops.data.listing import Listing, shown
from ops.data.row import Base, Row, add_rows
from ops.data.text_rows import refuse_as_a_whole, refuse_empty, text_lines

ML_USE = "aiplatform.googleapis.com/ml_use"
_FORM = '{"imageGcsUri": "gs://…", "classificationAnnotation": {"displayName": "…"}}'
_SHOWN_CHARACTERS = 80


def list_vertex_rows(
    listing: Listing, content: bytes, base: Base, several: bool | None = None
) -> None:
    """Fills the listing from the bytes of a .jsonl; a line that cannot be used is a problem.

    Form: schemas image_classification_{single,multi}_label_io_format_1.0.0.yaml ("prepare data",
    read 2026-08-22); an address may be a path too. `several`: see `ops.data.row.add_rows`.
    """
    if refuse_as_a_whole(listing, content):
        return
    listing.understood = "a list of photos in Vertex's own form"
    add_rows(listing, _rows(listing, content), base, several)
    refuse_empty(listing, _FORM)


def _rows(listing: Listing, content: bytes) -> Iterator[Row]:
    for number, line in enumerate(text_lines(listing, content), start=1):
        if not line.strip():
            continue
        where = f"{listing.source}:{number}"
        try:
            yield _row(where, json.loads(line))
        except (ValueError, KeyError, TypeError, AttributeError):
            received = shown(line.strip()[:_SHOWN_CHARACTERS])
            listing.problem(where, f"not a row of Vertex's form: {received}", f"Write {_FORM}")


def _row(where: str, value: Any) -> Row:
    single = value.get("classificationAnnotation")
    several = value.get("classificationAnnotations", [single] if single else [])
    split = value.get("dataItemResourceLabels", {}).get(ML_USE, "")
    labels = tuple(str(one["displayName"]) for one in several)
    if not isinstance(value["imageGcsUri"], str):
        raise TypeError(value["imageGcsUri"])
    return Row(where, str(split), value["imageGcsUri"].strip(), labels)
