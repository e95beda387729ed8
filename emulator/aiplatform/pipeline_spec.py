"""A compiled pipeline (Kubeflow's schema 2.1.0, JSON), checked before anything of it runs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from emulator.aiplatform import resources
from emulator.errors import ApiError

Body = dict[str, Any]
Problem = tuple[str, str]
MESSAGE = "pipeline_job"
SPEC = f"{MESSAGE}.pipeline_spec"
# CreatePipelineJobRequest.pipeline_job_id (SDK 2.7.0).
ID = re.compile(r"[a-z][-a-z0-9]{0,127}")
SCHEMA = "2.1."


def checked(sent: Body) -> None:
    """Raises INVALID_ARGUMENT for a pipeline that cannot be run as it is, with every reason.

    UNIMPLEMENTED for one that is only named (`templateUri`) or of an older schema.
    """
    resources.require_label_form(MESSAGE, sent.get("labels", {}))
    if not sent.get("pipelineSpec"):
        if sent.get("templateUri"):
            message = "The local cloud has no template registry: send the pipeline_spec."
            raise ApiError("UNIMPLEMENTED", message)
        raise resources.field_errors([(SPEC, "Required field is not set.")])
    version = str(sent["pipelineSpec"].get("schemaVersion", ""))
    if not version.startswith(SCHEMA):
        message = f"The local cloud runs pipelines of schema {SCHEMA}x. Received: {version!r}."
        raise ApiError("UNIMPLEMENTED", message)
    try:
        problems = [*_root(sent), *_graph(sent["pipelineSpec"]), *_parameters(sent)]
        _order(sent["pipelineSpec"])
    except (AttributeError, KeyError, TypeError) as problem:
        message = f"Not a pipeline spec of schema {SCHEMA}x: {problem}."
        raise resources.field_errors([(SPEC, message)]) from None
    if problems:
        raise resources.field_errors(problems)


def _order(spec: Body) -> None:
    """Raises INVALID_ARGUMENT for tasks that wait for each other."""
    for component in (spec["root"], *spec.get("components", {}).values()):
        ordered(tasks(component))


def _root(sent: Body) -> Iterator[Problem]:
    root = sent.get("runtimeConfig", {}).get("gcsOutputDirectory", "")
    if not root.startswith("gs://") or not root.removeprefix("gs://").partition("/")[0]:
        field = f"{MESSAGE}.runtime_config.gcs_output_directory"
        yield field, f"A Cloud Storage folder is required. Received: {root!r}."


def _graph(spec: Body) -> Iterator[Problem]:
    """Every task has a component, every component something that runs it."""
    if not tasks(spec.get("root", {})):
        yield f"{SPEC}.root.dag.tasks", "Required field is not set."
    components: Body = spec.get("components", {})
    for where, component in (("root", spec.get("root", {})), *components.items()):
        for name, task in tasks(component).items():
            wanted = task.get("componentRef", {}).get("name", "")
            if wanted not in components:
                yield f"{SPEC}.{where}.dag.tasks.{name}", f'Unknown component "{wanted}".'
            for other in upstream(task):
                if other not in tasks(component):
                    yield f"{SPEC}.{where}.dag.tasks.{name}", f'Unknown task "{other}".'
    executors = spec.get("deploymentSpec", {}).get("executors", {})
    for name, component in components.items():
        label = component.get("executorLabel", "")
        if "dag" not in component and label not in executors:
            yield f"{SPEC}.components.{name}.executor_label", f'Unknown executor "{label}".'


def _parameters(sent: Body) -> Iterator[Problem]:
    known = definitions(sent["pipelineSpec"].get("root", {}))
    given = sent.get("runtimeConfig", {}).get("parameterValues", {})
    field = f"{MESSAGE}.runtime_config.parameter_values"
    for name in sorted(set(given) - set(known)):
        yield field, f'The pipeline parameter "{name}" is not found in the pipeline job input.'
    for name, one in known.items():
        is_needed = "defaultValue" not in one and not one.get("isOptional")
        if is_needed and name not in given:
            yield field, f'The pipeline parameter "{name}" is required and not set.'


def tasks(component: Body) -> dict[str, Body]:
    """The tasks of a component's graph by their names; none where it has no graph."""
    found: dict[str, Body] = component.get("dag", {}).get("tasks", {})
    return found


def definitions(component: Body) -> dict[str, Body]:
    """A component's input parameters by their names."""
    found: dict[str, Body] = component.get("inputDefinitions", {}).get("parameters", {})
    return found


def upstream(task: Body) -> set[str]:
    """The tasks that must have ended before a task can begin."""
    found = set(task.get("dependentTasks", []))
    for one in task.get("inputs", {}).get("parameters", {}).values():
        for key in ("taskOutputParameter", "taskFinalStatus"):
            if key in one:
                found.add(one[key]["producerTask"])
    for one in task.get("inputs", {}).get("artifacts", {}).values():
        if "taskOutputArtifact" in one:
            found.add(one["taskOutputArtifact"]["producerTask"])
    return found


def ordered(found: dict[str, Body]) -> list[str]:
    """The names of tasks, each behind those that it waits for. INVALID_ARGUMENT for a circle."""
    done: list[str] = []
    while len(done) < len(found):
        ready = [
            name
            for name in sorted(found)
            if name not in done and upstream(found[name]) <= set(done)
        ]
        if not ready and not any(upstream(found[one]) - found.keys() for one in found):
            left = ", ".join(sorted(set(found) - set(done)))
            raise ApiError("INVALID_ARGUMENT", f"The tasks wait for each other: {left}.")
        if not ready:
            return done  # what waits for a stranger is told by name elsewhere
        done += ready
    return done
