"""What a tuning job is asked to search, checked as Google checks it before anything starts."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from emulator.aiplatform import custom_spec, resources, tuning_space
from emulator.aiplatform.listing import camel
from emulator.errors import ApiError

Body = dict[str, Any]
Problem = tuple[str, str]
MESSAGE = "hyperparameter_tuning_job"
STUDY = f"{MESSAGE}.study_spec"
REQUIRED = ("display_name", "study_spec", "max_trial_count", "parallel_trial_count")
# study.proto of SDK 2.7.0: "This list should not contain more than 1,000 values."
MAX_DISCRETE_VALUES = 1000
# Rules whose models Google does not tell.
UNSUPPORTED = {
    "decayCurveStoppingSpec": "decay_curve_stopping_spec",
    "convexAutomatedStoppingSpec": "convex_automated_stopping_spec",
}


def checked(sent: Body) -> Body:
    """The job as it will be kept.

    INVALID_ARGUMENT lists every field that is wrong; UNIMPLEMENTED names a stopping rule that the
    local cloud does not have.
    """
    resources.require_fields(MESSAGE, sent, REQUIRED)
    resources.require_label_form(MESSAGE, sent.get("labels", {}))
    problems = [*_counts(sent), *_metrics(sent["studySpec"]), *_parameters(sent["studySpec"])]
    if problems:
        raise resources.field_errors(problems)
    for key, field in UNSUPPORTED.items():
        if key in sent["studySpec"]:
            message = f"The local cloud does not have {STUDY}.{field}; it has median."
            raise ApiError("UNIMPLEMENTED", message)
    if any("safetyConfig" in metric for metric in sent["studySpec"]["metrics"]):
        message = f"The local cloud does not have {STUDY}.metrics.safety_config."
        raise ApiError("UNIMPLEMENTED", message)
    spec = custom_spec.checked(sent.get("trialJobSpec"), f"{MESSAGE}.trial_job_spec")
    return {**sent, "trialJobSpec": spec}


def _counts(sent: Body) -> Iterator[Problem]:
    for field in ("max_trial_count", "parallel_trial_count"):
        if sent[camel(field)] < 1:
            yield f"{MESSAGE}.{field}", "Must be at least 1."
    if sent.get("maxFailedTrialCount", 0) < 0:
        yield f"{MESSAGE}.max_failed_trial_count", "Must not be negative."


def _metrics(study: Body) -> Iterator[Problem]:
    metrics = study.get("metrics", [])
    if not metrics:
        yield f"{STUDY}.metrics", "At least one metric must be specified."
    yield from _ids(
        [metric.get("metricId", "") for metric in metrics], f"{STUDY}.metrics", "metric"
    )


def _parameters(study: Body) -> Iterator[Problem]:
    parameters = study.get("parameters", [])
    if not parameters:
        yield f"{STUDY}.parameters", "At least one parameter must be specified."
    is_grid = study.get("algorithm") == "GRID_SEARCH"
    yield from _level(parameters, f"{STUDY}.parameters", is_grid)


def _level(parameters: list[Body], field: str, is_grid: bool) -> Iterator[Problem]:
    yield from _ids([one.get("parameterId", "") for one in parameters], field, "parameter")
    for place, parameter in enumerate(parameters):
        here = f"{field}[{place}]"
        problems = list(_values(parameter, here, is_grid))
        yield from problems
        if not problems:
            yield from _conditions(parameter, here, is_grid)


def _ids(ids: list[str], field: str, noun: str) -> Iterator[Problem]:
    for place, one in enumerate(ids):
        if not one or any(character.isspace() for character in one):
            message = "Must not be empty and must not contain whitespaces."
            yield f"{field}[{place}].{noun}_id", message
    for one, count in Counter(ids).items():
        if one and count > 1:
            yield field, f'The {noun}_id "{one}" is not unique.'


def _values(parameter: Body, field: str, is_grid: bool) -> Iterator[Problem]:
    kind = tuning_space.kind_of(parameter)
    if not kind:
        yield field, "One of the value specs must be specified."
        return
    if kind == tuning_space.DOUBLE and is_grid:
        message = "GRID_SEARCH needs INTEGER, CATEGORICAL or DISCRETE parameters."
        yield f"{field}.double_value_spec", message
    scale = parameter.get("scaleType", "SCALE_TYPE_UNSPECIFIED")
    if kind in (tuning_space.CATEGORICAL, tuning_space.DISCRETE):
        values = parameter[kind].get("values", [])
        problems = list(_listed(values, kind, field))
        yield from problems
        if problems:
            return
    if kind == tuning_space.CATEGORICAL:
        if scale != "SCALE_TYPE_UNSPECIFIED":
            yield f"{field}.scale_type", "Leave unset for CATEGORICAL parameters."
        return
    low, high = tuning_space.bounds(parameter)
    if not (math.isfinite(low) and math.isfinite(high)):
        yield field, "The values must be finite."
    if low > high:
        yield field, f"min_value {low:g} must not be greater than max_value {high:g}."
    if scale in tuning_space.LOG_SCALES and low <= 0:
        message = f"The entire feasible space must be strictly positive for {scale}."
        yield f"{field}.scale_type", message


def _listed(values: list[Any], kind: str, field: str) -> Iterator[Problem]:
    here = f"{field}.{kind.removesuffix('ValueSpec')}_value_spec.values"
    if not values:
        yield here, "At least one value must be specified."
    if len(values) > MAX_DISCRETE_VALUES:
        yield here, f"No more than {MAX_DISCRETE_VALUES:,} values are allowed."
    if kind == tuning_space.DISCRETE and any(isinstance(one, str) for one in values):
        yield here, "The values must be finite."  # JSON has NaN and infinities as texts
        return
    if kind == tuning_space.DISCRETE and any(
        second - first < tuning_space.EPSILON for first, second in pairwise(values)
    ):
        yield here, "The values must be in increasing order and at least 1e-10 apart."
    if len(set(values)) < len(values):
        yield here, "The values must be unique."


def _conditions(parameter: Body, field: str, is_grid: bool) -> Iterator[Problem]:
    """Each condition is of the parent's type, and names values that the parent may have."""
    kind = tuning_space.kind_of(parameter)
    for place, part in enumerate(parameter.get("conditionalParameterSpecs", [])):
        here = f"{field}.conditional_parameter_specs[{place}]"
        wanted = part.get(tuning_space.CONDITIONS.get(kind, ""), {}).get("values", [])
        if not wanted:
            yield here, "The condition must have values of the parent parameter's type."
        for value in wanted:
            if not _is_feasible(parameter, value):
                yield here, f"The parent parameter cannot be {value}."
        yield from _level([part.get("parameterSpec", {})], f"{here}.parameter_spec", is_grid)


def _is_feasible(parameter: Body, value: Any) -> bool:
    if tuning_space.kind_of(parameter) == tuning_space.INTEGER:
        low, high = tuning_space.bounds(parameter)
        return low <= int(value) <= high
    return value in tuning_space.options(parameter)
