"""Pipelines that cannot run: refused with the field, or failed with a sentence, never a crash."""

from __future__ import annotations

import pytest

from tests.emulator.pipelines import Pipeline, begin
from tests.emulator.vertex import Body, Vertex, error


@pytest.mark.parametrize(
    ("change", "code", "message"),
    [
        ({"pipelineSpec": {}}, 400, "pipeline_spec; Message: Required"),
        ({"pipelineSpec": {}, "templateUri": "https://x"}, 501, "template registry"),
        ({"runtimeConfig": {}}, 400, "runtime_config.gcs_output_directory"),
        (
            {"runtimeConfig": {"gcsOutputDirectory": "gs://b", "parameterValues": {"x": 1}}},
            400,
            'The pipeline parameter "x" is not found',
        ),
    ],
)
def test_what_google_would_refuse_is_refused(
    pipes: Vertex, root: str, change: Body, code: int, message: str
) -> None:
    """With the field and what is wrong with it, before anything starts."""
    pipeline = Pipeline()
    pipeline.step("one", "exit", "0")

    answer = pipes.call("POST", f"{pipes.parent}/pipelineJobs", pipeline.job(root) | change)

    assert error(answer)[0] == code
    assert message in error(answer)[2]


def test_graphs_that_cannot_run_are_refused(pipes: Vertex, root: str) -> None:
    """A task that waits for a stranger, one without a component, a parameter that is not given."""
    stranger, lost, needy = Pipeline(), Pipeline(), Pipeline(must="STRING")
    stranger.step("one", dependentTasks=["two"])
    lost.step("one")["componentRef"]["name"] = "comp-two"
    needy.step("one")

    said = [
        error(pipes.call("POST", f"{pipes.parent}/pipelineJobs", one.job(root)))[2]
        for one in (stranger, lost, needy)
    ]

    assert 'Unknown task "two"' in said[0]
    assert 'Unknown component "comp-two"' in said[1]
    assert '"must" is required' in said[2]


@pytest.mark.parametrize(
    "change",
    [
        {"root": []},
        {"root": {"dag": {"tasks": {"one": 5}}}},
        {"components": {"comp-one": "x"}},
        {"components": 5},
        {"deploymentSpec": {"executors": None}},
        {"root": {"dag": {"tasks": {"one": {"componentRef": "x", "inputs": []}}}}},
    ],
)
def test_what_is_no_pipeline_at_all_is_refused(pipes: Vertex, root: str, change: Body) -> None:
    """Any JSON may come as a spec: 400, never a failure of the server."""
    pipeline = Pipeline()
    pipeline.step("one", "exit", "0")
    job = pipeline.job(root)
    job["pipelineSpec"] |= change

    answer = pipes.call("POST", f"{pipes.parent}/pipelineJobs", job)

    assert error(answer)[:2] == (400, "INVALID_ARGUMENT")


def test_a_malformed_step_fails_its_task(pipes: Vertex, root: str) -> None:
    """Arguments that are no texts, and an artifact's type that is no object: told, not a crash."""
    pipeline = Pipeline()
    pipeline.step("odd", 5, artifacts={"model": {"artifactType": 1.5}})

    job = pipes.trained(begin(pipes, pipeline.job(root)))

    assert job["state"] == "PIPELINE_STATE_FAILED"
    said = job["jobDetail"]["taskDetails"][1]["error"]["message"]
    assert said.startswith("The task odd cannot be run as it is specified")


def test_tasks_that_wait_for_each_other_are_refused(pipes: Vertex, root: str) -> None:
    """A circle has no first task."""
    pipeline = Pipeline()
    pipeline.step("one", dependentTasks=["two"])
    pipeline.step("two", dependentTasks=["one"])

    answer = pipes.call("POST", f"{pipes.parent}/pipelineJobs", pipeline.job(root))

    assert "wait for each other: one, two" in error(answer)[2]
