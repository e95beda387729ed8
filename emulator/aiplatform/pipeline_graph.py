"""The graph of a pipeline, walked again and again: what can begin begins, what has ended is told.

All that is known of a task is its record, `_tasks` of the pipeline job, under its path
(`for-loop-1/0/train`): a walk needs nothing else, so that any server can go on with it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from emulator.aiplatform import (
    custom_jobs,
    pipeline_spec,
    pipeline_tasks,
    pipeline_values,
    resources,
)
from emulator.aiplatform.pipeline_tasks import ENDED
from emulator.aiplatform.pipeline_values import Values
from emulator.cloud import Cloud
from emulator.errors import ApiError
from emulator.operations import status

Body = dict[str, Any]
TASKS = "_tasks"
# What comes of a spec whose parts are no objects, lists or texts where the schema has them.
MALFORMED = (AttributeError, IndexError, KeyError, TypeError, ValueError)
ALWAYS = "ALL_UPSTREAM_TASKS_COMPLETED"


class Walk:
    """One look at everything, inside a transaction; `records` is changed in place."""

    def __init__(self, cloud: Cloud, body: Body, *, may_begin: bool) -> None:
        self._cloud, self._body = cloud, body
        self.records: dict[str, Body] = body.setdefault(TASKS, {})
        self._may_begin = may_begin
        self._components: dict[str, Body] = body["pipelineSpec"].get("components", {})
        policy = body["runtimeConfig"].get("failurePolicy")
        self._is_fast = policy == "PIPELINE_FAILURE_POLICY_FAIL_FAST"

    def root(self) -> str:
        """The state of the whole: RUNNING, or one of the ends."""
        spec = self._body["pipelineSpec"]["root"]
        record = self.records.setdefault("", self._new("", ""))
        if record["state"] not in ENDED:
            try:
                self._dag(record, spec, pipeline_values.root_values(self._body))
            except MALFORMED as problem:
                raise _malformed("pipeline", problem) from problem
        return str(record["state"])

    def cancel(self) -> None:
        """Every job that runs is asked to end."""
        for record in self.records.values():
            if "job" in record and record["state"] not in ENDED:
                record["state"] = "CANCELLING"
                custom_jobs.cancel_custom_job(self._cloud, {"name": record["job"]})

    def _new(self, path: str, name: str) -> Body:
        now = resources.now(self._cloud)
        return {"path": path, "name": name, "state": "RUNNING", "createTime": now, "startTime": now}

    def _dag(self, record: Body, component: Body, scope: Values) -> None:
        """The tasks of a graph, looked at in the order of their dependencies."""
        prefix = f"{record['path']}/" if record["path"] else ""
        found = pipeline_spec.tasks(component)
        for name in pipeline_spec.ordered(found):
            made = self._made(prefix, found)
            if pipeline_spec.upstream(found[name]) <= made.keys():
                self._task(prefix + name, name, found[name], scope, made)
        made = self._made(prefix, found)
        begun = [prefix + name for name in found if prefix + name in self.records]
        if len(made) == len(found) or (not self._may_start() and len(made) == len(begun)):
            record["outputs"] = _outputs(component, made)
            self._end(record, _state([one["state"] for one in made.values()], self._may_begin))

    def _made(self, prefix: str, found: Mapping[str, Body]) -> dict[str, Body]:
        """The records of the tasks that have ended, by name."""
        return {
            name: self.records[prefix + name]
            for name in found
            if self.records.get(prefix + name, {}).get("state") in ENDED
        }

    def _may_start(self) -> bool:
        """Whether another task may begin: not once cancelled, nor failed with FAIL_FAST."""
        if not self._may_begin:
            return False
        has_failed = any(one["state"] == "FAILED" for one in self.records.values())
        return not (self._is_fast and has_failed)

    def _task(self, path: str, name: str, task: Body, scope: Values, made: dict[str, Body]) -> None:
        record = self.records.get(path)
        if record is None:
            if not self._may_start():
                return
            shown = task.get("taskInfo", {}).get("name", name)
            record = self.records[path] = self._new(path, shown)
            self._begin(record, task, scope, made)
        if record["state"] not in ENDED:
            try:
                self._go_on(record, task)
            except ApiError as problem:
                self._fail(record, problem)
            except MALFORMED as problem:
                self._fail(record, _malformed(f"task {name}", problem))

    def _begin(self, record: Body, task: Body, scope: Values, made: dict[str, Body]) -> None:
        """The task's inputs, and whether it runs at all."""
        policy = task.get("triggerPolicy", {})
        above = [made[name]["state"] for name in pipeline_spec.upstream(task)]
        if policy.get("strategy") != ALWAYS and any(one != "SUCCEEDED" for one in above):
            self._end(record, "NOT_TRIGGERED")
            return
        try:
            values = pipeline_values.task_values(task, self._component(task), scope, made)
            record["inputs"] = values.to_json()
            condition = policy.get("condition")
            if condition and not pipeline_values.is_triggered(condition, values):
                self._end(record, "NOT_TRIGGERED")
        except ApiError as problem:
            self._fail(record, problem)
        except MALFORMED as problem:
            self._fail(record, _malformed(f"task {record['name']}", problem))

    def _component(self, task: Body) -> Body:
        return self._components[task["componentRef"]["name"]]

    def _go_on(self, record: Body, task: Body) -> None:
        if "artifactIterator" in task:
            message = "The local cloud has no loops over artifacts (artifactIterator)."
            raise ApiError("UNIMPLEMENTED", message)
        if "parameterIterator" in task:
            self._loop(record, task)
        else:
            self._run(record, self._component(task), task)

    def _run(self, record: Body, component: Body, task: Body) -> None:
        values = Values.of(record["inputs"])
        if "dag" in component:
            self._dag(record, component, values)
            return
        if "job" not in record:
            if not self._may_start():  # it was to be tried again
                self._end(record, "NOT_TRIGGERED" if self._may_begin else "CANCELLED")
                return
            pipeline_tasks.start(self._cloud, self._body, record, component, values)
            if record["state"] in ENDED:
                self._end(record, record["state"])
            return
        pipeline_tasks.look(self._cloud, record, component)
        most = int(task.get("retryPolicy", {}).get("maxRetryCount", 0))
        if record["state"] == "FAILED" and record.get("retries", 0) < most and self._may_begin:
            record["retries"] = record.get("retries", 0) + 1
            for key in ("job", "error", "endTime"):
                record.pop(key, None)
            record["state"] = "RUNNING"

    def _loop(self, record: Body, task: Body) -> None:
        """An iteration for each item, each with a record of its own; at most so many at once."""
        iterator = task["parameterIterator"]
        values = Values.of(record["inputs"])
        items = _items(iterator, values)
        limit = int(task.get("iteratorPolicy", {}).get("parallelismLimit", 0)) or len(items)
        parts: list[Body] = []
        for place, item in enumerate(items):
            path = f"{record['path']}/{place}"
            part = self.records.get(path)
            if part is None:
                running = sum(one["state"] not in ENDED for one in parts)
                if running >= limit or not self._may_start():
                    break
                part = self.records[path] = self._new(path, f"{record['name']}-{place}")
                own = {**values.parameters, iterator["itemInput"]: item}
                part["inputs"] = Values(own, values.artifacts).to_json()
            if part["state"] not in ENDED:
                self._run(part, self._component(task), task)
            parts.append(part)
        is_over = len(parts) == len(items) or not self._may_start()
        if is_over and all(one["state"] in ENDED for one in parts):
            record["outputs"] = _gathered(parts)
            self._end(record, _state([one["state"] for one in parts], self._may_begin))

    def _end(self, record: Body, state: str) -> None:
        """A graph has ended with the last of its tasks, anything else now."""
        inside = f"{record['path']}/" if record["path"] else ""
        ends = [
            one.get("endTime", "")
            for path, one in self.records.items()
            if path != record["path"] and path.startswith(inside)
        ]
        record |= {"state": state, "endTime": max(ends, default="") or resources.now(self._cloud)}

    def _fail(self, record: Body, problem: ApiError) -> None:
        record["error"] = status(problem)
        self._end(record, "FAILED")


def _malformed(what: str, problem: Exception) -> ApiError:
    message = f"The {what} cannot be run as it is specified: {problem!r}."
    return ApiError("INVALID_ARGUMENT", message)


def _state(states: list[str], is_wanted: bool) -> str:
    """The end of a graph by the ends of its tasks."""
    if not is_wanted:
        return "CANCELLED"
    return next((one for one in ("FAILED", "CANCELLED") if one in states), "SUCCEEDED")


def _items(iterator: Body, values: Values) -> list[Any]:
    asked = iterator["items"]
    found = asked["raw"] if "raw" in asked else values.parameters[asked["inputParameter"]]
    items = json.loads(found) if isinstance(found, str) else found
    if not isinstance(items, list):
        raise ApiError("INVALID_ARGUMENT", f"A loop needs a list. Received: {str(items)[:200]}.")
    return items


def _gathered(parts: list[Body]) -> Body:
    """The outputs of all iterations: of each parameter a list, of each artifact all of them."""
    outputs = [one.get("outputs", {}) for one in parts]
    parameters = {key for one in outputs for key in one.get("parameters", {})}
    artifacts = {key for one in outputs for key in one.get("artifacts", {})}
    return {
        "parameters": {
            key: [one["parameters"][key] for one in outputs if key in one.get("parameters", {})]
            for key in parameters
        },
        "artifacts": {
            key: [found for one in outputs for found in one.get("artifacts", {}).get(key, [])]
            for key in artifacts
        },
    }


def _outputs(component: Body, made: Mapping[str, Body]) -> Body:
    """What a graph gives on of its tasks' outputs."""
    asked = component.get("dag", {}).get("outputs", {})
    parameters, artifacts = {}, {}
    for name, one in asked.get("parameters", {}).items():
        selectors = one.get("valueFromOneof", {}).get("parameterSelectors", [])
        for source in [one["valueFromParameter"]] if "valueFromParameter" in one else selectors:
            record = made.get(source["producerSubtask"], {})
            outputs = record.get("outputs", {}).get("parameters", {})
            if source["outputParameterKey"] in outputs:
                parameters[name] = outputs[source["outputParameterKey"]]
                break
    for name, one in asked.get("artifacts", {}).items():
        for source in one.get("artifactSelectors", []):
            record = made.get(source["producerSubtask"], {})
            outputs = record.get("outputs", {}).get("artifacts", {})
            if source["outputArtifactKey"] in outputs:
                artifacts[name] = outputs[source["outputArtifactKey"]]
    return {"parameters": parameters, "artifacts": artifacts}
