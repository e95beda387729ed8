"""What a pipeline's task is given: parameters and artifacts found, placeholders filled."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from emulator.aiplatform import pipeline_spec
from emulator.errors import ApiError
from emulator.iam.cel import compiled
from emulator.iam.cel_functions import CelError

Body = dict[str, Any]
_PLACEHOLDER = re.compile(r"\{\{\$(.*?)\}\}")
_PART = re.compile(r"\.(\w+)|\[['\"]([^'\"]+)['\"]\]")
_VALUE = re.compile(r"(?:(int|double|string)\()?inputs\.parameter_values\['([^']+)'\](?(1)\))")
_SELECTOR = re.compile(r"parseJson\(string_value\)((?:\[\"[^\"]+\"\])*)")
CASTS = {"int": int, "double": float, "string": str}


@dataclass(frozen=True)
class Values:
    """Parameters by name, and artifacts by name: each a list of uri, type and metadata."""

    parameters: Body = field(default_factory=dict)
    artifacts: dict[str, list[Body]] = field(default_factory=dict)

    def to_json(self) -> Body:
        """As it is kept."""
        return {"parameters": self.parameters, "artifacts": self.artifacts}

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> Values:
        """As it was kept."""
        return cls(dict(kept.get("parameters", {})), dict(kept.get("artifacts", {})))


def typed(value: Any, kind: str) -> Any:
    """A value of a parameter's type: JSON's numbers have lost theirs, a text file never had one."""
    try:
        if kind == "NUMBER_INTEGER":
            return int(float(value))
        if kind == "NUMBER_DOUBLE":
            return float(value)
        if kind == "BOOLEAN" and isinstance(value, str):
            return value.strip().lower() == "true"
        if kind in ("LIST", "STRUCT", "BOOLEAN"):
            return _whole(json.loads(value) if isinstance(value, str) else value)
    except (OverflowError, TypeError, ValueError):
        message = f"Not a value of type {kind}: {str(value)[:200]!r}."
        raise ApiError("INVALID_ARGUMENT", message) from None
    return value


def _whole(value: Any) -> Any:
    """Whole numbers are integers again: a Struct has only doubles."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [_whole(one) for one in value]
    if isinstance(value, dict):
        return {key: _whole(one) for key, one in value.items()}
    return value


def root_values(sent: Body) -> Values:
    """The pipeline's own parameters: as asked for, else their defaults."""
    given = sent["runtimeConfig"].get("parameterValues", {})
    known = pipeline_spec.definitions(sent["pipelineSpec"]["root"])
    return Values(defaulted(known, given))


def defaulted(known: Mapping[str, Body], given: Mapping[str, Any]) -> Body:
    """The values of a component's parameters, typed; optional ones without a value are left out."""
    found = {}
    for name, one in known.items():
        value = given.get(name, one.get("defaultValue"))
        if value is not None:
            found[name] = typed(value, one.get("parameterType", "STRING"))
    return found


def task_values(task: Body, component: Body, scope: Values, made: Mapping[str, Body]) -> Values:
    """The inputs of a task: from its scope, from other tasks' records, or constant.

    ApiError names an input that is not there.
    """
    given: Body = {}
    asked = task.get("inputs", {}).get("parameters", {})
    # A constant may name the task's other inputs, so they come first.
    for name, one in sorted(asked.items(), key=lambda pair: "runtimeValue" in pair[1]):
        value = _parameter(one, scope, made, Values(given))
        if value is not None:
            given[name] = value
    known = pipeline_spec.definitions(component)
    found = {**given, **defaulted(known, given)}
    artifacts = {
        name: _artifact(name, one, scope, made)
        for name, one in task.get("inputs", {}).get("artifacts", {}).items()
    }
    return Values(found, artifacts)


def _parameter(one: Body, scope: Values, made: Mapping[str, Body], own: Values) -> Any:
    value: Any
    if "runtimeValue" in one:
        constant = one["runtimeValue"].get("constant")
        return filled(constant, own, {}) if isinstance(constant, str) else constant
    if "componentInputParameter" in one:
        value = scope.parameters.get(one["componentInputParameter"])
    elif "taskOutputParameter" in one:
        source = one["taskOutputParameter"]
        outputs = made[source["producerTask"]].get("outputs", {}).get("parameters", {})
        value = outputs.get(source["outputParameterKey"])
    elif "taskFinalStatus" in one:
        value = _final_status(one["taskFinalStatus"]["producerTask"], made)
    else:
        raise ApiError("UNIMPLEMENTED", f"The local cloud has no input of {', '.join(one)}.")
    return _selected(value, one.get("parameterExpressionSelector", ""))


def _selected(value: Any, selector: str) -> Any:
    """A part of a value: `parseJson(string_value)["a"]`."""
    if not selector or value is None:
        return value
    found = _SELECTOR.fullmatch(selector)
    if found is None:
        raise ApiError("UNIMPLEMENTED", f"The local cloud has no expression {selector}.")
    value = json.loads(value) if isinstance(value, str) else value
    for key in re.findall(r'\["([^"]+)"\]', found[1]):
        value = value[key]
    return value


def _final_status(name: str, made: Mapping[str, Body]) -> Body:
    record = made[name]
    error = record.get("error", {})
    return {"state": record["state"], "pipelineTaskName": name, "error": error}


def _artifact(name: str, one: Body, scope: Values, made: Mapping[str, Body]) -> list[Body]:
    if "taskOutputArtifact" in one:
        source = one["taskOutputArtifact"]
        outputs = made[source["producerTask"]].get("outputs", {}).get("artifacts", {})
        found = outputs.get(source["outputArtifactKey"])
    else:
        found = scope.artifacts.get(one.get("componentInputArtifact", ""))
    if found is None:
        raise ApiError("FAILED_PRECONDITION", f'The input artifact "{name}" was not produced.')
    return list(found)


def is_triggered(condition: str, values: Values) -> bool:
    """Whether a task's condition holds. UNIMPLEMENTED for an expression beyond comparisons."""
    known: Body = {}

    def name_of(found: re.Match[str]) -> str:
        value = values.parameters.get(found[2])
        key = f"value{len(known)}"
        known[key] = CASTS[found[1]](value) if found[1] else value
        return key

    try:
        return bool(compiled(_VALUE.sub(name_of, condition))(known))
    except (CelError, ValueError, TypeError) as problem:
        message = f"The local cloud cannot evaluate the condition {condition}: {problem}"
        raise ApiError("UNIMPLEMENTED", message) from None


def filled(text: str, values: Values, more: Mapping[str, Any]) -> str:
    """A text with its placeholders filled: `{{$.inputs.parameters['x']}}`, `{{$}}` and so on.

    `more` has what is not among the inputs: `outputs`, `pipeline_job_name`, …, and `""` for all.
    """
    known = {
        "inputs": {
            "parameters": values.parameters,
            "artifacts": {name: found[0] for name, found in values.artifacts.items() if found},
        },
        **more,
    }

    def fill(found: re.Match[str]) -> str:
        value = _at(known, found[1])
        return value if isinstance(value, str) else json.dumps(value)

    return _PLACEHOLDER.sub(fill, text)


def _at(known: Mapping[str, Any], path: str) -> Any:
    value: Any = known if path else known.get("", {})
    for dotted, quoted in _PART.findall(path):
        if not isinstance(value, Mapping) or (dotted or quoted) not in value:
            raise ApiError("INVALID_ARGUMENT", f"The placeholder {{{{${path}}}}} has no value.")
        value = value[dotted or quoted]
    return value


def arguments(sent: list[Any], values: Values, more: Mapping[str, Any]) -> list[str]:
    """A container's arguments, filled; `Concat` and `IfPresent` are worked out."""
    return [one for part in sent for one in _argument(part, values, more)]


def _argument(part: Any, values: Values, more: Mapping[str, Any]) -> list[str]:
    if isinstance(part, str):
        part = _structured(part)
    if isinstance(part, str):
        return [filled(part, values, more)]
    if "Concat" in part:
        return ["".join(arguments(part["Concat"], values, more))]
    if "IfPresent" in part:
        inside = part["IfPresent"]
        name = inside["InputName"]
        is_there = name in values.parameters or bool(values.artifacts.get(name))
        chosen = inside["Then"] if is_there else inside.get("Else", [])
        return arguments(chosen if isinstance(chosen, list) else [chosen], values, more)
    raise ApiError("UNIMPLEMENTED", f"The local cloud has no argument {json.dumps(part)[:200]}.")


def _structured(text: str) -> Any:
    """What the compiler writes as JSON inside a text: `{"IfPresent": …}`; else the text."""
    if text.startswith(('{"Concat"', '{"IfPresent"')):
        return json.loads(text)
    return text
