"""How the next trial's values are chosen: in the space, better by and by, the same each time."""

from __future__ import annotations

import math
from statistics import fmean, median
from typing import Any

import pytest

from emulator.aiplatform import tuning_metrics, tuning_space
from emulator.aiplatform.tuning_search import Tried, suggest
from emulator.aiplatform.tuning_space import Value

Body = dict[str, Any]


def double(name: str, low: float, high: float, scale: str = "UNIT_LINEAR_SCALE") -> Body:
    """A DOUBLE parameter."""
    spec = {"minValue": low, "maxValue": high}
    return {"parameterId": name, "doubleValueSpec": spec, "scaleType": scale}


def study(*parameters: Body, algorithm: str = "", goal: str = "MINIMIZE") -> Body:
    """A study of one metric."""
    metrics = [{"metricId": "loss", "goal": goal}]
    return {"metrics": metrics, "parameters": list(parameters), "algorithm": algorithm}


def search(spec: Body, trials: int, loss: Any) -> list[Tried]:
    """So many trials, one after the other, each judged at once."""
    tried: list[Tried] = []
    for _ in range(trials):
        found = suggest(spec, 7, tried)
        assert found is not None
        tried.append(Tried(found, (loss(found),)))
    return tried


def bowl(given: dict[str, Value]) -> float:
    """Least at x = 0.7 and rate = 0.01."""
    x, rate = float(given["x"]), float(given["rate"])
    return (x - 0.7) ** 2 + (math.log10(rate) + 2) ** 2 / 4


@pytest.mark.parametrize("goal", ["MINIMIZE", "MAXIMIZE"])
def test_the_model_learns_from_the_trials(goal: str) -> None:
    """Its later half is far better than what chance finds, whichever way is up."""
    sign = 1 if goal == "MINIMIZE" else -1
    space = [double("x", 0, 1), double("rate", 1e-5, 1, "UNIT_LOG_SCALE")]

    learned = search(study(*space, goal=goal), 40, lambda given: sign * bowl(given))
    chance = search(study(*space, algorithm="RANDOM_SEARCH"), 40, bowl)

    late = fmean(bowl(one.parameters) for one in learned[20:])
    assert late < 0.5 * fmean(bowl(one.parameters) for one in chance)


def test_a_suggestion_depends_on_the_trials_alone() -> None:
    """The same spec, seed and trials, one of them still running: the same next trial."""
    spec = study(double("x", 0, 1), double("rate", 1e-5, 1, "UNIT_LOG_SCALE"))
    tried = [*search(spec, 8, bowl), Tried({"x": 0.5, "rate": 0.1}, None), Tried({"x": 0.1}, ())]

    assert suggest(spec, 7, tried) == suggest(spec, 7, tried)
    assert suggest(spec, 8, tried) != suggest(spec, 7, tried)


def test_scales_spread_values_as_they_say() -> None:
    """Half of all values lie below the middle of the scale: geometric, or its mirror image."""
    space = [
        double("plain", 1, 1000),
        double("log", 1, 1000, "UNIT_LOG_SCALE"),
        double("reverse", 1, 1000, "UNIT_REVERSE_LOG_SCALE"),
    ]
    tried = search(study(*space, algorithm="RANDOM_SEARCH"), 400, lambda _: 0.0)

    middle = {name: median(float(one.parameters[name]) for one in tried) for name in
              ("plain", "log", "reverse")}  # fmt: skip
    assert 400 < middle["plain"] < 600
    assert 15 < middle["log"] < 65
    assert 935 < middle["reverse"] < 985


@pytest.mark.parametrize("algorithm", ["", "RANDOM_SEARCH", "GRID_SEARCH"])
def test_a_finite_space_is_used_up_without_a_repeat(algorithm: str) -> None:
    """Every point once, then nothing: conditional parameters only where they are active."""
    depth: Body = {
        "parameterId": "depth",
        "discreteValueSpec": {"values": [1.5, 2.5]},
        "conditionalParameterSpecs": [
            {
                "parentDiscreteValues": {"values": [2.5]},
                "parameterSpec": {
                    "parameterId": "width",
                    "integerValueSpec": {"minValue": "-1", "maxValue": "1"},
                },
            }
        ],
    }
    spec = study(
        depth, {"parameterId": "kind", "categoricalValueSpec": {"values": ["a", "b"]}},
        algorithm=algorithm,
    )  # fmt: skip

    tried = search(spec, 8, lambda given: float(given["depth"]))

    assert suggest(spec, 7, tried) is None
    points = [one.parameters for one in tried]
    assert all(points.count(point) == 1 for point in points)
    assert all(("width" in point) == (point["depth"] == 2.5) for point in points)


def test_several_metrics_are_searched_together() -> None:
    """Optuna is told of both: the search goes on with trials that have two values."""
    spec = study(double("x", 0, 1)) | {
        "metrics": [{"metricId": "loss", "goal": "MINIMIZE"}, {"metricId": "accuracy"}]
    }
    tried = [Tried({"x": n / 10}, (n / 10, 1 - n / 10)) for n in range(10)]

    found = suggest(spec, 7, tried)

    assert found is not None
    assert 0 <= float(found["x"]) <= 1


@pytest.mark.parametrize(
    ("value", "said"), [(3, "3"), (32.0, "32"), (0.25, "0.25"), ("cnn", "cnn"), (1e-05, "1e-05")]
)
def test_values_are_written_as_a_trainer_reads_them(value: Value, said: str) -> None:
    """A whole number has no point, so that `type=int` takes a discrete value."""
    assert tuning_space.argument(value) == said


def test_half_a_line_of_reports_is_left_for_later(tmp_path: Any) -> None:
    """What hypertune is just writing is read once it is whole; NaN is no report."""
    file = tmp_path / "output.metrics"
    rows = '{"timestamp": 1.0, "a": "nan", "global_step": "1"}\n'
    rows += '{"timestamp": 2.0, "a": "0.5", "global_step": "2"}\n'
    file.write_text(rows + '{"timestamp": 3.0, "a": "0.7", "global')

    first = tuning_metrics.read(file, ["a"], 0)
    file.write_text(rows + '{"timestamp": 3.0, "a": "0.7", "global_step": "3"}\n')
    second = tuning_metrics.read(file, ["a"], first[-1].moment)

    assert [(one.step, one.value) for one in first] == [(2, 0.5)]
    assert [(one.step, one.value) for one in second] == [(3, 0.7)]
