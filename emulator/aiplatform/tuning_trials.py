"""The trials of a tuning job: each a custom job, begun, watched and judged."""

from __future__ import annotations

import copy
import zlib
from datetime import datetime
from typing import Any

from emulator.aiplatform import (
    custom_environment,
    custom_jobs,
    names,
    resources,
    tuning_metrics,
    tuning_search,
    tuning_space,
    tuning_stopping,
)
from emulator.aiplatform.lifecycles import CUSTOM_JOB, OWNER, TUNING_JOB
from emulator.aiplatform.tuning_space import Value
from emulator.cloud import Cloud
from emulator.logging import entries

Body = dict[str, Any]
LIFE = TUNING_JOB
ENDED = ("SUCCEEDED", "INFEASIBLE")
# The moment of the last report that was taken, by trial.
REPORTED = "_reported"
# No further trial: the space is used up, or a stopping rule said so.
ENOUGH = "_enough"
# Why the job is failing: a google.rpc.Status.
FAILURE = "_failure"
# Trials that somebody's cancelling ended: no failures.
UNWANTED = "The trial was cancelled."


def active(body: Body) -> list[Body]:
    """The trials that have not ended."""
    return [one for one in body.get("trials", []) if one["state"] not in ENDED]


def is_ending(body: Body) -> bool:
    """Whether the job is being cancelled, or has failed and only waits for its trials."""
    return body["state"] == LIFE.state("CANCELLING") or FAILURE in body


def wants_more(body: Body) -> bool:
    """Whether another trial may begin now."""
    if LIFE.is_final(body) or is_ending(body) or body.get(ENOUGH):
        return False
    is_room = len(active(body)) < int(body["parallelTrialCount"])
    return is_room and len(body.get("trials", [])) < int(body["maxTrialCount"])


def begin(cloud: Cloud, name: str) -> bool:
    """Whether another trial has begun: chosen first, then stored with its job at once. Blocks."""
    body = cloud.resources.require(name)
    if not wants_more(body):
        return False
    if tuning_stopping.is_enough(
        body["studySpec"], body["createTime"], body.get("trials", []), cloud.clock.now()
    ):
        _stop_search(cloud, name)
        return False
    chosen = tuning_search.suggest(body["studySpec"], zlib.crc32(name.encode()), _tried(body))
    if chosen is None:
        _stop_search(cloud, name)
        return False
    with cloud.store.transaction():
        body = cloud.resources.require(name)
        if not wants_more(body):
            return False
        _insert(cloud, body, chosen)
    return True


def _stop_search(cloud: Cloud, name: str) -> None:
    with cloud.store.transaction():
        body = LIFE.store(cloud, cloud.resources.require(name), **{ENOUGH: True})
        if body["studySpec"].get("studyStoppingConfig", {}).get("shouldStopAsap"):
            cancel_all(cloud, body)


def _tried(body: Body) -> list[tuning_search.Tried]:
    """What the search knows of the trials; numbers are whole again where the spec has them so."""
    metrics = [metric["metricId"] for metric in body["studySpec"]["metrics"]]
    found = []
    for trial in body.get("trials", []):
        values: tuple[float, ...] | None = None if trial["state"] not in ENDED else ()
        if trial["state"] == "SUCCEEDED":
            final = tuning_metrics.values(trial["finalMeasurement"])
            values = tuple(final[metric] for metric in metrics)
        parameters = {one["parameterId"]: one["value"] for one in trial.get("parameters", [])}
        found.append(tuning_search.Tried(parameters, values))
    return found


def _insert(cloud: Cloud, body: Body, chosen: dict[str, Value]) -> None:
    trials = body.get("trials", [])
    number = str(len(trials) + 1)
    job = f"{names.location(body['name']).name}/customJobs/{names.new_id()}"
    trial = {
        "id": number,
        "state": "REQUESTED",
        "parameters": [{"parameterId": key, "value": value} for key, value in chosen.items()],
        "customJob": job,
    }
    custom_jobs.insert(cloud, job, _job(cloud, body, number, job, chosen))
    LIFE.store(cloud, body, trials=[*trials, trial])
    said = " ".join(f"{key}={tuning_space.argument(value)}" for key, value in chosen.items())
    entries.service(cloud, body["name"], f"Trial {number} was requested: {said}")


def _job(cloud: Cloud, body: Body, number: str, job: str, chosen: dict[str, Value]) -> Body:
    """The custom job of a trial: the job's spec, with its parameters and a folder of its own."""
    spec = copy.deepcopy(body["trialJobSpec"])
    given = [f"--{key}={tuning_space.argument(value)}" for key, value in chosen.items()]
    for pool in spec.get("workerPoolSpecs", []):
        code = pool.get("containerSpec") or pool["pythonPackageSpec"]
        code["args"] = [*code.get("args", []), *given]
    if base := spec.get("baseOutputDirectory", {}).get("outputUriPrefix"):
        spec["baseOutputDirectory"] = {"outputUriPrefix": f"{base.rstrip('/')}/{number}"}
    file = cloud.jobs.path(names.last(job)) / tuning_metrics.FILE
    return {
        "displayName": f"{body['displayName']}-trial-{number}",
        "jobSpec": spec,
        "labels": body.get("labels", {}),
        OWNER: body["name"],
        custom_environment.VARIABLES: {
            "CLOUD_ML_TRIAL_ID": number,
            "CLOUD_ML_HP_METRIC_FILE": str(file),
        },
    }


def look(cloud: Cloud, name: str) -> None:
    """What the trials have done since the last look is in the job: state, reports, end. Blocks."""
    with cloud.store.transaction():
        body = cloud.resources.require(name)
        before = copy.deepcopy(body)
        for trial in active(body):
            _look(cloud, body, trial)
        if body != before:
            LIFE.store(cloud, body)
    if any("startTime" in trial for trial in body.get("trials", [])):
        LIFE.mark_running(cloud, name)


def _look(cloud: Cloud, body: Body, trial: Body) -> None:
    job = cloud.resources.get(trial["customJob"])
    if job is not None and "startTime" in job and trial["state"] == "REQUESTED":
        trial |= {"state": "ACTIVE", "startTime": job["startTime"]}
    _read(cloud, body, trial)
    if job is None or CUSTOM_JOB.is_final(job):
        _judge(cloud, body, trial, job)
    elif is_ending(body) or tuning_stopping.is_hopeless(body["studySpec"], trial, body["trials"]):
        _stop(cloud, trial)


def _read(cloud: Cloud, body: Body, trial: Body) -> None:
    """New reports become measurements, each once."""
    file = cloud.jobs.path(names.last(trial["customJob"])) / tuning_metrics.FILE
    metrics = [metric["metricId"] for metric in body["studySpec"]["metrics"]]
    known = body.get(REPORTED, {})
    reports = tuning_metrics.read(file, metrics, known.get(trial["id"], 0.0))
    if reports and "startTime" in trial:
        started = datetime.fromisoformat(trial["startTime"]).timestamp()
        trial["measurements"] = tuning_metrics.add(trial.get("measurements", []), reports, started)
        body[REPORTED] = {**known, trial["id"]: reports[-1].moment}


def _stop(cloud: Cloud, trial: Body) -> None:
    """The trial is asked to end; what it has reported by then counts."""
    if trial["state"] != "STOPPING":
        trial["state"] = "STOPPING"
        custom_jobs.cancel_custom_job(cloud, {"name": trial["customJob"]})


def cancel_all(cloud: Cloud, body: Body) -> None:
    """Every trial that goes on is asked to end; for the inside of a transaction."""
    for trial in active(body):
        _stop(cloud, trial)
    LIFE.store(cloud, body)


def _judge(cloud: Cloud, body: Body, trial: Body, job: Body | None) -> None:
    """A trial whose job has ended: SUCCEEDED with its final measurement, or INFEASIBLE."""
    is_stopped = trial["state"] == "STOPPING"
    trial["endTime"] = resources.now(cloud) if job is None else job["endTime"]
    final = tuning_metrics.final(trial.get("measurements", []), body["studySpec"])
    is_cancelling = body["state"] == LIFE.state("CANCELLING")
    if job is None or (job["state"] == CUSTOM_JOB.state("CANCELLED") and not is_stopped):
        _fail(trial, UNWANTED)
    elif job["state"] == CUSTOM_JOB.state("FAILED"):
        _fail(trial, job["error"]["message"])
    elif final is not None and not (is_stopped and is_cancelling):
        trial |= {"state": "SUCCEEDED", "finalMeasurement": final}
    elif is_stopped:
        _fail(trial, UNWANTED)
    else:
        wanted = ", ".join(metric["metricId"] for metric in body["studySpec"]["metrics"])
        _fail(trial, f"The trial ended without a value of each metric: {wanted}.")
    entries.service(cloud, body["name"], f"Trial {trial['id']} ended: {trial['state']}.")
    _count_failures(body, trial)


def _fail(trial: Body, reason: str) -> None:
    trial |= {"state": "INFEASIBLE", "infeasibleReason": reason}


def _count_failures(body: Body, trial: Body) -> None:
    """Too many failed trials fail the job.

    "If set to 0, Vertex AI decides how many Trials must fail" (hyperparameter_tuning_job.proto):
    one, as long as none has succeeded.
    """
    if trial["state"] != "INFEASIBLE" or trial["infeasibleReason"] == UNWANTED or FAILURE in body:
        return
    reason = trial["infeasibleReason"]
    failed = [one for one in body["trials"] if one.get("infeasibleReason", UNWANTED) != UNWANTED]
    limit = body.get("maxFailedTrialCount", 0)
    is_first = not any(one["state"] == "SUCCEEDED" for one in body["trials"])
    if limit and len(failed) >= limit:
        message = f"{len(failed)} trials have failed. The last trial's error message was: {reason}"
        body[FAILURE] = {"code": 3, "message": message}
    elif not limit and is_first:
        given = ", ".join(
            f"{one['parameterId']}={tuning_space.argument(one['value'])}"
            for one in trial["parameters"]
        )
        message = (
            f"Hyperparameter Tuning Trial #{trial['id']} Failed before any other successful trials "
            f"were completed. The failed trial had parameters: {given}. "
            f"The trial's error message was: {reason}"
        )
        body[FAILURE] = {"code": 3, "message": message}
