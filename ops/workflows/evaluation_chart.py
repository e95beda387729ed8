"""The precision-recall curve as points of an SVG: pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ops.workflows.evaluate_metrics import AtThreshold

LEFT, TOP, WIDTH, HEIGHT = 46.0, 22.0, 300.0, 240.0
BOX = {"left": LEFT, "top": TOP, "width": WIDTH, "height": HEIGHT}
TICKS = (0.0, 0.25, 0.5, 0.75, 1.0)
ISO_F1 = (0.5, 0.7, 0.9)
ISO_STEPS = 40

Triple = tuple[float | None, float | None, float | None]
"""Precision, recall and F1; None where there is none."""


def triples(curve: Sequence[AtThreshold], thresholds: Sequence[float]) -> list[Triple]:
    """The figures at each of `thresholds`: of the curve's highest threshold not above it."""
    found: list[Triple] = []
    for threshold in thresholds:
        below = [row for row in curve if row.threshold <= threshold + 1e-9]
        row = below[-1] if below else AtThreshold(threshold, None, None, None)
        found.append((row.precision, row.recall, row.f1))
    return found


def chart(overall: Sequence[Triple], start: int) -> dict[str, Any]:
    """Grid, lines of equal F1, the curve, and the point of the threshold number `start`."""
    known = [(row[0], row[1]) for row in overall if row[0] is not None and row[1] is not None]
    precision, recall, _ = overall[start]
    return {
        "grid": [*_across(), *_down()],
        "isos": [_iso(f1) for f1 in ISO_F1],
        "points": _points(known),
        "dot": _place(precision or 0.0, recall or 0.0),
        "has_dot": precision is not None and recall is not None,
    }


def _place(precision: float, recall: float) -> tuple[float, float]:
    return round(LEFT + recall * WIDTH, 1), round(TOP + (1 - precision) * HEIGHT, 1)


def _points(pairs: Iterable[tuple[float, float]]) -> str:
    places = (_place(precision, recall) for precision, recall in pairs)
    return " ".join(f"{x},{y}" for x, y in places)


def _iso(f1: float) -> dict[str, Any]:
    """All pairs of precision and recall that have this F1."""
    least = f1 / (2 - f1)
    recalls = [least + (1 - least) * step / ISO_STEPS for step in range(ISO_STEPS + 1)]
    pairs = [(f1 * recall / (2 * recall - f1), recall) for recall in recalls]
    x, y = _place(1.0, least)
    return {"f1": f"{f1:g}", "points": _points(pairs), "x": x, "y": y - 6}


def _across() -> list[dict[str, Any]]:
    lines = []
    for tick in TICKS:
        x, y = _place(tick, 0.0)
        line = {"x1": x, "y1": y, "x2": x + WIDTH, "y2": y}
        text = {"tx": x - 6, "ty": y + 4, "anchor": "end", "text": f"{tick:g}"}
        lines.append({**line, **text})
    return lines


def _down() -> list[dict[str, Any]]:
    lines = []
    for tick in TICKS:
        x, y = _place(0.0, tick)
        line = {"x1": x, "y1": y - HEIGHT, "x2": x, "y2": y}
        text = {"tx": x, "ty": y + 16, "anchor": "middle", "text": f"{tick:g}"}
        lines.append({**line, **text})
    return lines
