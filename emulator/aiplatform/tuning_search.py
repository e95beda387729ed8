"""Which values the next trial gets: by Optuna's model of the trials so far, at random, or by grid.

A suggestion depends on the spec, the seed and the trials alone: nothing is kept in memory, so that
a server that takes a job up goes on as the one before it would have.
"""

from __future__ import annotations

import logging
import warnings
from dataclasses import dataclass
from itertools import islice
from random import Random
from typing import TYPE_CHECKING, Any, Literal

from emulator.aiplatform import tuning_space
from emulator.aiplatform.tuning_space import Value

if TYPE_CHECKING:
    import optuna
    from optuna.distributions import BaseDistribution

Body = dict[str, Any]
# Optuna's own default is 10; Vertex AI recommends few trials, which a model should soon direct.
STARTUP_TRIALS = 5
ATTEMPTS = 10
MAX_GRID_POINTS = 100_000


@dataclass(frozen=True)
class Tried:
    """A trial so far: its parameters, and one value a metric once it has succeeded.

    `values` is None while the trial goes on; empty when it failed.
    """

    parameters: dict[str, Value]
    values: tuple[float, ...] | None


def suggest(spec: Body, seed: int, tried: list[Tried]) -> dict[str, Value] | None:
    """The parameters of the next trial; None when every point of a finite space has been tried."""
    algorithm = spec.get("algorithm")
    parameters = spec["parameters"]
    if algorithm == "GRID_SEARCH":
        return next(islice(tuning_space.grid(parameters), len(tried), None), None)
    known = [one.parameters for one in tried]
    for attempt in range(ATTEMPTS):
        number = seed + ATTEMPTS * len(tried) + attempt
        if algorithm == "RANDOM_SEARCH":
            found = _random(parameters, number)
        else:
            found = _model(spec, number, tried)
        if found not in known:
            return found
    if not tuning_space.is_finite(parameters):
        return found
    points = islice(tuning_space.grid(parameters), MAX_GRID_POINTS)
    left = [point for point in points if point not in known]
    return Random(seed + len(tried)).choice(left) if left else None


def _random(parameters: list[Body], seed: int) -> dict[str, Value]:
    random = Random(seed)
    return tuning_space.chosen(
        parameters, lambda _, parameter: tuning_space.at_random(parameter, random)
    )


def _model(spec: Body, seed: int, tried: list[Tried]) -> dict[str, Value]:
    """What Optuna's tree-structured Parzen estimator asks for, given the trials so far."""
    import optuna

    optuna.logging.set_verbosity(logging.WARNING)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        sampler = optuna.samplers.TPESampler(
            seed=seed % 2**32,
            n_startup_trials=STARTUP_TRIALS,
            multivariate=True,
            group=True,
            constant_liar=True,
        )
        study = optuna.create_study(sampler=sampler, directions=_directions(spec))
        for one in tried:
            if one.values != ():
                study.add_trial(_known(spec["parameters"], one))
        trial = study.ask()
        return tuning_space.chosen(
            spec["parameters"], lambda place, parameter: _asked(trial, place, parameter)
        )


def _directions(spec: Body) -> list[Literal["minimize", "maximize"]]:
    """ "Goal Type will default to maximize" (study.proto)."""
    return [
        "minimize" if metric.get("goal") == "MINIMIZE" else "maximize" for metric in spec["metrics"]
    ]


def _known(parameters: list[Body], one: Tried) -> optuna.trial.FrozenTrial:
    """A trial as Optuna would have it: running while it has no values."""
    import optuna

    params: dict[str, Any] = {}
    distributions: dict[str, BaseDistribution] = {}

    def take(place: str, parameter: Body) -> Value:
        value = one.parameters[parameter["parameterId"]]
        distributions[place] = _distribution(parameter)
        params[place] = value if isinstance(value, str) else tuning_space.to_scale(parameter, value)
        return value

    tuning_space.chosen(parameters, take)
    state = optuna.trial.TrialState.RUNNING
    if one.values is not None:
        state = optuna.trial.TrialState.COMPLETE
    return optuna.trial.create_trial(
        state=state, values=one.values, params=params, distributions=distributions
    )


def _asked(trial: optuna.trial.Trial, place: str, parameter: Body) -> Value:
    value: Value = trial._suggest(place, _distribution(parameter))
    return value if isinstance(value, str) else tuning_space.from_scale(parameter, value)


def _distribution(parameter: Body) -> BaseDistribution:
    from optuna.distributions import (
        CategoricalDistribution,
        FloatDistribution,
        IntDistribution,
    )

    kind = tuning_space.kind_of(parameter)
    if kind == tuning_space.CATEGORICAL:
        return CategoricalDistribution(parameter[kind]["values"])
    low, high = tuning_space.bounds(parameter)
    is_log = parameter.get("scaleType") in tuning_space.LOG_SCALES
    if kind == tuning_space.INTEGER:
        return IntDistribution(int(low), int(high), log=is_log)
    return FloatDistribution(low, high, log=is_log)
