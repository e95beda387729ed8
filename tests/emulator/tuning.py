"""Tuning jobs for tests: a server whose container reports a metric of its parameters."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from tests.emulator.custom import ended, job_spec
from tests.emulator.vertex import Body, Vertex

ENGINE = Path(__file__).parent / "jobs" / "tuning_engine.py"
RATE: Body = {
    "parameterId": "rate",
    "doubleValueSpec": {"minValue": 0.0001, "maxValue": 1.0},
    "scaleType": "UNIT_LOG_SCALE",
}
UNITS: Body = {"parameterId": "units", "integerValueSpec": {"minValue": "1", "maxValue": "4"}}


def tuning_engines() -> list[str]:
    """The options of a server that knows the image of the trials."""
    return ["--engine", f"train:*/trainer={sys.executable} {ENGINE}", "--image-pull-seconds", "0.5"]


def study(*parameters: Body, **more: Any) -> Body:
    """A study that wants the most of `accuracy`."""
    metrics = [{"metricId": "accuracy", "goal": "MAXIMIZE"}]
    return {"metrics": metrics, "parameters": list(parameters or (RATE, UNITS)), **more}


def tuning_job(spec: Body, *args: str, trials: int = 3, base: str = "", **more: Any) -> Body:
    """A job of so many trials, two at once."""
    return {
        "displayName": "tuning",
        "studySpec": spec,
        "maxTrialCount": trials,
        "parallelTrialCount": 2,
        "trialJobSpec": job_spec(*args, base=base),
        **more,
    }


def begin_tuning(vertex: Vertex, body: Body) -> str:
    """The name of a new tuning job."""
    name: str = vertex.post(f"{vertex.parent}/hyperparameterTuningJobs", body)["name"]
    return name


def tuned(vertex: Vertex, body: Body) -> Body:
    """A new tuning job in its final state."""
    return ended(vertex, begin_tuning(vertex, body))


def parameters(trial: Body) -> dict[str, Any]:
    """A trial's parameters by their ids."""
    return {one["parameterId"]: one["value"] for one in trial["parameters"]}
