"""When a trial is not worth going on with, and when a whole study is not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from statistics import fmean, median
from typing import Any

from emulator.aiplatform import tuning_metrics

Body = dict[str, Any]
# A longer limit is none; a later time than the year 9999 cannot be told.
MAX_SECONDS = 100 * 365 * 24 * 3600.0


def is_hopeless(study: Body, trial: Body, trials: list[Body]) -> bool:
    """Whether the median rule stops a trial: its best value is below the others' typical one.

    "Stops a pending Trial if the Trial's best objective_value is strictly below the median
    'performance' of all completed Trials reported up to the Trial's last measurement"; the
    performance is the running average (study.proto, SDK 2.7.0).
    """
    rule = study.get("medianAutomatedStoppingSpec")
    if rule is None:
        return False
    place: Callable[[Body], float] = tuning_metrics.step
    if rule.get("useElapsedDuration"):
        place = tuning_metrics.elapsed_seconds
    mine = list(_curve(study, trial, place))
    if not mine:
        return False
    until = mine[-1][0]
    typical = []
    for other in trials:
        seen = [value for x, value in _curve(study, other, place) if x <= until]
        if other["state"] == "SUCCEEDED" and seen:
            typical.append(fmean(seen))
    return bool(typical) and max(value for _, value in mine) < median(typical)


def _curve(
    study: Body, trial: Body, place: Callable[[Body], float]
) -> Iterator[tuple[float, float]]:
    """Where, and how good the first metric was there: more is better."""
    metric = study["metrics"][0]["metricId"]
    for measurement in trial.get("measurements", []):
        if (value := tuning_metrics.values(measurement).get(metric)) is not None:
            yield place(measurement), sign(study) * value


def sign(study: Body) -> int:
    """-1 where less of the first metric is better, else 1."""
    return -1 if study["metrics"][0].get("goal") == "MINIMIZE" else 1


def is_enough(study: Body, created: str, trials: list[Body], now: datetime) -> bool:
    """Whether `studyStoppingConfig` ends the study: the first rule that applies decides."""
    rules = study.get("studyStoppingConfig")
    if rules is None:
        return False
    start = datetime.fromisoformat(created)
    ended = [one for one in trials if one["state"] in ("SUCCEEDED", "INFEASIBLE")]
    if (least := rules.get("minimumRuntimeConstraint")) and now < _limit(least, start):
        return False
    if len(ended) < rules.get("minNumTrials", 0):
        return False
    if (most := rules.get("maximumRuntimeConstraint")) and now >= _limit(most, start):
        return True
    if "maxNumTrials" in rules and len(trials) >= rules["maxNumTrials"]:
        return True
    return len(study["metrics"]) == 1 and _is_stuck(study, rules, trials, now)


def _limit(constraint: Body, start: datetime) -> datetime:
    if "endTime" in constraint:
        return datetime.fromisoformat(constraint["endTime"])
    return start + _seconds(constraint["maxDuration"])


def _seconds(duration: str) -> timedelta:
    return timedelta(seconds=min(float(duration.removesuffix("s")), MAX_SECONDS))


def _is_stuck(study: Body, rules: Body, trials: list[Body], now: datetime) -> bool:
    """Whether the best value is too many trials, or too long, ago."""
    good = [one for one in trials if one["state"] == "SUCCEEDED"]
    if not good:
        return False
    good.sort(key=lambda one: str(one["endTime"]))
    metric = study["metrics"][0]["metricId"]
    found = [sign(study) * tuning_metrics.values(one["finalMeasurement"])[metric] for one in good]
    best = found.index(max(found))
    since = len(found) - 1 - best
    if "maxNumTrialsNoProgress" in rules and since >= rules["maxNumTrialsNoProgress"]:
        return True
    if "maxDurationNoProgress" not in rules:
        return False
    limit = datetime.fromisoformat(good[best]["endTime"]) + _seconds(rules["maxDurationNoProgress"])
    return now >= limit
