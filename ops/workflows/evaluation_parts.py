"""The parts of the evaluation page as plain values: labels, matrix, mix-ups, pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ops.data.thumbnail import Thumbnail
from ops.workflows.evaluate import Evaluated
from ops.workflows.evaluate_metrics import Confusion, by_f1
from ops.workflows.evaluate_photos import Judged
from ops.workflows.evaluation_chart import triples

MOST_LABELS_IN_TABLE = 40
"""Of a matrix drawn as a table; a larger one is drawn as a map of its cells."""
MOST_MIXED = 60
WORST_AT_FIRST = 24
TINY_PIXELS = 64
SHADES = 5


def label_names(evaluated: Evaluated) -> tuple[str, ...]:
    """Every label in the order of the matrix; the places of labels in the page."""
    if evaluated.confusion is not None:
        return evaluated.confusion.labels
    if evaluated.photos is not None:
        return tuple(sorted(evaluated.photos.labels))
    return tuple(row.label for row in evaluated.labels)


def labels(evaluated: Evaluated, thresholds: Sequence[float], start: int) -> list[dict[str, Any]]:
    """A row a label, the hardest first."""
    rows = []
    for row in by_f1(evaluated.labels):
        curve = triples(row.curve, thresholds)
        at = curve[start] if curve else (row.at.precision, row.at.recall, row.at.f1)
        facts = {"name": row.label, "photos": row.photos, "au_prc": row.au_prc}
        rows.append({**facts, "at": at, "curve": curve})
    return rows


def matrix(confusion: Confusion) -> dict[str, Any]:
    """The matrix as a table; when it is large `cells`, only those with photos, and no `rows`."""
    if len(confusion.labels) <= MOST_LABELS_IN_TABLE:
        rows = [
            {"name": name, "cells": [_cell(confusion, i, j) for j in range(len(confusion.labels))]}
            for i, name in enumerate(confusion.labels)
        ]
        return {"names": confusion.labels, "rows": rows, "cells": []}
    cells = [
        _cell(confusion, i, j)
        for i, row in enumerate(confusion.rows)
        for j, count in enumerate(row)
        if count
    ]
    return {"names": confusion.labels, "rows": [], "cells": cells}


def _cell(confusion: Confusion, row: int, column: int) -> dict[str, Any]:
    count, of_row = confusion.rows[row][column], sum(confusion.rows[row])
    share = count / of_row if of_row else 0.0
    kind = "g" if row == column else "b"
    level = min(SHADES, 1 + int(share * SHADES)) if count else 0
    true, said = confusion.labels[row], confusion.labels[column]
    what = f"{true}, recognised" if row == column else f"{true}, taken for {said}"
    return {
        "count": count,
        "place": f"{row}-{column}",
        "row": row,
        "column": column,
        "kind": kind,
        "shade": f"{kind}{level}",
        "opacity": round(0.35 + 0.65 * share, 2),
        "words": f"{what}: {photos(count)} of {of_row}",
    }


def mixed(confusion: Confusion | None) -> list[dict[str, Any]]:
    """The most frequent cells off the diagonal."""
    if confusion is None:
        return []
    place = {name: index for index, name in enumerate(confusion.labels)}
    return [
        {
            "true": true,
            "said": said,
            "count": count,
            "place": f"{place[true]}-{place[said]}",
            "words": f"{true}, taken for {said}: {photos(count)}",
        }
        for true, said, count in confusion.mixed_up()[:MOST_MIXED]
    ]


def figures(
    evaluated: Evaluated, rows: Sequence[Judged], pictures: Mapping[str, Thumbnail]
) -> list[dict[str, Any]]:
    """A figure for each photo that has a picture, in the order of `rows`; the first are visible."""
    place = {name: index for index, name in enumerate(label_names(evaluated))}
    wrong = {row.uri for row in evaluated.mistakes}
    shown = [
        _figure(evaluated, row, pictures[row.uri], place, row.uri in wrong)
        for row in rows
        if row.uri in pictures
    ]
    return [
        {**figure, "hidden": index >= WORST_AT_FIRST or not figure["wrong"]}
        for index, figure in enumerate(shown)
    ]


def _figure(
    evaluated: Evaluated, row: Judged, small: Thumbnail, place: Mapping[str, int], wrong: bool
) -> dict[str, Any]:
    said = _said(evaluated, row)
    true = ", ".join(row.true) or "nothing"
    called = ", ".join(said) or "nothing"
    return {
        "src": small.uri,
        "width": small.width,
        "height": small.height,
        "tiny": max(small.width, small.height) <= TINY_PIXELS,
        "wrong": wrong,
        "file": row.file,
        "true": true,
        "said": called,
        "score": _score(evaluated, row),
        "true_places": " ".join(str(place[label]) for label in row.true if label in place),
        "said_places": " ".join(str(place[label]) for label in said if label in place),
        "alt": f"{true}, taken for {called}" if wrong else f"{true}, recognised",
    }


def _score(evaluated: Evaluated, row: Judged) -> str:
    """Of what was said; of several labels the one that is most wrong, or none."""
    if evaluated.multi_label:
        worst = row.most_wrong(evaluated.overall.threshold)
        return f"({worst})" if worst else ""
    return f"{row.scores[row.best]:.2f}"


def _said(evaluated: Evaluated, row: Judged) -> tuple[str, ...]:
    return row.predicted(evaluated.overall.threshold) if evaluated.multi_label else (row.best,)


def photos(count: int) -> str:
    """`1 photo`, `1,234 photos`."""
    return f"{count:,} photo{'' if count == 1 else 's'}"
