"""The values that a study's parameters may have: by type, by scale, by their parents' values."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Any

Body = dict[str, Any]
Value = float | int | str
Choose = Callable[[str, Body], Value]
DOUBLE, INTEGER = "doubleValueSpec", "integerValueSpec"
CATEGORICAL, DISCRETE = "categoricalValueSpec", "discreteValueSpec"
KINDS = (DOUBLE, INTEGER, CATEGORICAL, DISCRETE)
CONDITIONS = {
    DISCRETE: "parentDiscreteValues",
    INTEGER: "parentIntValues",
    CATEGORICAL: "parentCategoricalValues",
}
LOG_SCALES = ("UNIT_LOG_SCALE", "UNIT_REVERSE_LOG_SCALE")
# "The Epsilon of the value matching is 1e-10" (study.proto, SDK 2.7.0).
EPSILON = 1e-10


def kind_of(parameter: Body) -> str:
    """Which of the four value specs a parameter has; empty where it has none."""
    return next((kind for kind in KINDS if kind in parameter), "")


def bounds(parameter: Body) -> tuple[float, float]:
    """The least and the greatest value of a numeric parameter."""
    spec = parameter[kind_of(parameter)]
    if kind_of(parameter) == DISCRETE:
        return min(spec["values"]), max(spec["values"])
    return float(spec.get("minValue", 0)), float(spec.get("maxValue", 0))


def options(parameter: Body) -> Sequence[Value]:
    """Every value of a parameter that is not DOUBLE, in order; a range may be too long to list."""
    spec = parameter[kind_of(parameter)]
    if kind_of(parameter) == INTEGER:
        low, high = (int(spec.get(key, 0)) for key in ("minValue", "maxValue"))
        return range(low, high + 1)
    return list(spec["values"])


def is_finite(parameters: list[Body]) -> bool:
    """Whether no parameter, conditional ones included, is DOUBLE."""
    return all(
        kind_of(one) != DOUBLE and is_finite([part["parameterSpec"] for part in _conditional(one)])
        for one in parameters
    )


def chosen(parameters: list[Body], choose: Choose, path: str = "") -> dict[str, Value]:
    """A value for each parameter that is active, given the values of its parents.

    `choose` is called with a parameter's place in the spec, which is unique, and the parameter.
    """
    found: dict[str, Value] = {}
    for number, parameter in enumerate(parameters):
        place = f"{path}{number}.{parameter['parameterId']}"
        value = choose(place, parameter)
        found[parameter["parameterId"]] = value
        for part, conditional in enumerate(_conditional(parameter)):
            if _is_active(parameter, conditional, value):
                below = [conditional["parameterSpec"]]
                found |= chosen(below, choose, f"{place}/{part}.")
    return found


def grid(parameters: list[Body]) -> Iterator[dict[str, Value]]:
    """Every point of a finite space, the last parameter changing fastest."""
    if not parameters:
        yield {}
        return
    first, rest = parameters[0], parameters[1:]
    for value in options(first):
        active = [
            part["parameterSpec"] for part in _conditional(first) if _is_active(first, part, value)
        ]
        for below in grid([*active, *rest]):
            yield {first["parameterId"]: value, **below}


def at_random(parameter: Body, random: Random) -> Value:
    """A value at random, evenly on the parameter's scale."""
    if kind_of(parameter) in (CATEGORICAL, DISCRETE):
        return random.choice(options(parameter))
    low, high = bounds(parameter)
    if kind_of(parameter) == INTEGER and parameter.get("scaleType") not in LOG_SCALES:
        return random.randint(int(low), int(high))
    return from_scale(parameter, _even(parameter, low, high, random))


def _even(parameter: Body, low: float, high: float, random: Random) -> float:
    if parameter.get("scaleType") in LOG_SCALES:
        return math.exp(random.uniform(math.log(low), math.log(high)))
    return random.uniform(low, high)


def to_scale(parameter: Body, value: float) -> float:
    """Where a value is for a search that knows linear and log scales: mirrored if reversed."""
    low, high = bounds(parameter)
    is_reversed = parameter.get("scaleType") == "UNIT_REVERSE_LOG_SCALE"
    return low + high - value if is_reversed else value


def from_scale(parameter: Body, position: float) -> Value:
    """The feasible value at a position of `to_scale`, or the nearest one to it."""
    low, high = bounds(parameter)
    value = min(max(to_scale(parameter, position), low), high)
    kind = kind_of(parameter)
    if kind == INTEGER:
        return round(value)
    if kind == DISCRETE:
        return min(options(parameter), key=lambda one: abs(float(one) - value))
    return value


def _conditional(parameter: Body) -> list[Body]:
    found: list[Body] = parameter.get("conditionalParameterSpecs", [])
    return found


def _is_active(parameter: Body, conditional: Body, value: Value) -> bool:
    wanted = conditional.get(CONDITIONS.get(kind_of(parameter), ""), {}).get("values", [])
    if isinstance(value, str):
        return value in wanted
    return any(abs(float(one) - value) < EPSILON for one in wanted)


def argument(value: Value) -> str:
    """A value as it is written on a trial's command line; a whole number without a point."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    return str(value)
