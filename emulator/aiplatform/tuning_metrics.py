"""What a trial reports: the lines that `hypertune` writes, gathered into measurements.

`cloudml-hypertune` 0.1.0.dev6 writes its last 100 reports anew with each one, a JSON object a line:
`{"timestamp", "trial", "<metric>": "0.5", "global_step": "3", "checkpoint_path"}`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Body = dict[str, Any]
FILE = Path("hypertune") / "output.metrics"


@dataclass(frozen=True)
class Report:
    """One line: when it was written (epoch seconds), at which step, which metric, its value."""

    moment: float
    step: int
    metric: str
    value: float


def read(path: Path, metrics: Iterable[str], after: float) -> list[Report]:
    """The reports of these metrics behind a moment, in order; half a line is left for later."""
    try:
        text = path.read_text(errors="replace")
    except (FileNotFoundError, NotADirectoryError):
        return []
    wanted = set(metrics)
    found = [
        report
        for line in text[: text.rfind("\n") + 1].splitlines()
        for report in _reports(line, wanted)
    ]
    return sorted((one for one in found if one.moment > after), key=lambda one: one.moment)


def _reports(line: str, wanted: set[str]) -> list[Report]:
    """The reports of a line; none where it is none, or its value is no finite number."""
    try:
        row = json.loads(line)
        moment, step = float(row["timestamp"]), int(row.get("global_step") or 0)
        values = {key: float(row[key]) for key in wanted & row.keys()}
    except (ValueError, KeyError, TypeError, AttributeError):
        return []
    return [
        Report(moment, step, key, value) for key, value in values.items() if math.isfinite(value)
    ]


def add(measurements: list[Body], reports: Iterable[Report], started: float) -> list[Body]:
    """The measurements with new reports: one for each step, or for each report without a step."""
    found = [dict(one) for one in measurements]
    for report in reports:
        metric = {"metricId": report.metric, "value": report.value}
        last = found[-1] if found else None
        if last is not None and step(last) == report.step and report.metric not in values(last):
            last["metrics"] = [*last["metrics"], metric]
            continue
        measurement: Body = {"elapsedDuration": f"{max(report.moment - started, 0):.3f}s"}
        if report.step:
            measurement["stepCount"] = str(report.step)
        found.append({**measurement, "metrics": [metric]})
    return found


def step(measurement: Body) -> int:
    """The step of a measurement."""
    return int(measurement.get("stepCount", 0))


def elapsed_seconds(measurement: Body) -> float:
    """How long the trial had run by a measurement."""
    return float(measurement["elapsedDuration"].removesuffix("s"))


def values(measurement: Body) -> dict[str, float]:
    """The metrics of a measurement by their ids."""
    return {one["metricId"]: one["value"] for one in measurement["metrics"]}


def final(measurements: list[Body], study: Body) -> Body | None:
    """The measurement that a trial is judged by, None where a metric was never reported.

    The last value of each metric; with BEST_MEASUREMENT the whole measurement that is best by the
    first metric.
    """
    ids = [metric["metricId"] for metric in study["metrics"]]
    last = {key: value for one in measurements for key, value in values(one).items()}
    if any(key not in last for key in ids):
        return None
    whole = [one for one in measurements if set(ids) <= set(values(one))]
    if study.get("measurementSelectionType") == "BEST_MEASUREMENT" and whole:
        sign = -1 if study["metrics"][0].get("goal") == "MINIMIZE" else 1
        return max(whole, key=lambda one: sign * values(one)[ids[0]])
    metrics = [{"metricId": key, "value": last[key]} for key in ids]
    return {**measurements[-1], "metrics": metrics}
