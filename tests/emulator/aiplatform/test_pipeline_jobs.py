"""Pipeline jobs: tasks that run in order and hand on what they made, and how a pipeline ends."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import httpx

from tests.emulator.custom import content, objects
from tests.emulator.pipelines import MODEL, STRING, Pipeline, begin, made, pipeline_engines, states
from tests.emulator.vertex import Body, Vertex, error
from tests.local_cloud import start_cloud, stop_cloud, wait_until

COMPILED = Path(__file__).parents[1] / "jobs" / "compiled_pipeline.json"
OUT = "{{$.outputs.parameters['Output'].output_file}}"
MADE = {"Output": STRING}


def ran(pipes: Vertex, job: Body) -> Body:
    """A new pipeline job in its final state."""
    return pipes.trained(begin(pipes, job))


def test_tasks_hand_on_parameters_and_artifacts(pipes: Vertex, root: str) -> None:
    """The second waits for the first, gets its text and reads its file; each is a custom job."""
    pipeline = Pipeline(greeting="STRING", times="NUMBER_INTEGER")
    pipeline.step(
        "first",
        *("write", OUT, "{{$.inputs.parameters['greeting']}} {{$.inputs.parameters['times']}}"),
        *("write", "{{$.outputs.artifacts['model'].path}}", "weights"),
        inputs={
            "parameters": {
                "greeting": {"componentInputParameter": "greeting"},
                "times": {"componentInputParameter": "times", "type": "NUMBER_INTEGER"},
            }
        },
        parameters=MADE,
        artifacts={"model": MODEL},
    )
    source = {"producerTask": "first", "outputArtifactKey": "model"}
    pipeline.step(
        "second",
        *("copy", "{{$.inputs.artifacts['in'].path}}", "{{$.outputs.artifacts['copy'].path}}"),
        *("input", "{{$}}", OUT),
        inputs={
            "parameters": {"text": made("first")},
            "artifacts": {"in": {"taskOutputArtifact": source}},
        },
        parameters=MADE,
        artifacts={"copy": MODEL},
    )

    job = ran(pipes, pipeline.job(root, parameterValues={"greeting": "hello", "times": 3}))

    assert job["state"] == "PIPELINE_STATE_SUCCEEDED", job
    assert states(job) == {"first": "SUCCEEDED", "second": "SUCCEEDED"}
    whole, first, second = job["jobDetail"]["taskDetails"]
    assert whole["taskName"] == job["name"].rsplit("/", 1)[1]
    assert first["parentTaskId"] == whole["taskId"]
    assert second["startTime"] >= first["endTime"]
    (model,) = first["outputs"]["model"]["artifacts"]
    assert model["schemaTitle"] == "system.Model"
    assert second["inputs"]["in"]["artifacts"][0]["uri"] == model["uri"]
    (copy,) = second["outputs"]["copy"]["artifacts"]
    assert content(pipes, root, copy["uri"].removeprefix(f"gs://{root}/")) == "weights"
    folder = copy["uri"].rsplit("/", 1)[0].removeprefix(f"gs://{root}/")
    assert json.loads(content(pipes, root, f"{folder}/Output") or "") == {"text": "hello 3"}
    custom = pipes.get(second["executorDetail"]["containerDetail"]["mainJob"])
    assert custom["state"] == "JOB_STATE_SUCCEEDED"
    rows = httpx.get(f"{pipes.url}/_emulator/usage").json()["usage"]
    (run,) = [row for row in rows if row["resource"] == job["name"]]
    assert run["usd"] == 0.03


def test_a_branch_is_taken_only_where_its_condition_holds(pipes: Vertex, root: str) -> None:
    """What waits for an untaken branch is not triggered either."""
    pipeline = Pipeline()
    pipeline.step(
        "flip", "write", OUT, "7", parameters={"Output": {"parameterType": "NUMBER_INTEGER"}}
    )
    value = "int(inputs.parameter_values['side'])"
    for name, condition in (("high", f"{value} > 5"), ("low", f"!({value} > 5)")):
        graph = pipeline.graph(
            f"condition-{name}",
            {"parameters": {"side": {**made("flip"), "type": "NUMBER_INTEGER"}}},
            triggerPolicy={"condition": condition},
        )
        pipeline.step(f"{name}-step", "write", OUT, name, parameters=MADE, graph=graph)
    pipeline.step("after", "exit", "0", dependentTasks=["condition-low"])

    job = ran(pipes, pipeline.job(root))

    assert job["state"] == "PIPELINE_STATE_SUCCEEDED", job
    assert states(job) == {
        "flip": "SUCCEEDED",
        "condition-high": "SUCCEEDED",
        "condition-high.high-step": "SUCCEEDED",
        "condition-low": "NOT_TRIGGERED",
        "after": "NOT_TRIGGERED",
    }


def test_a_loop_runs_its_graph_for_each_item(pipes: Vertex, root: str) -> None:
    """Items as they are, one at a time where only one may run, and their outputs as a list."""
    pipeline = Pipeline()
    loop = pipeline.graph(
        "for-loop-1",
        parameterIterator={"itemInput": "item", "items": {"raw": '[{"a": 1}, {"a": 2}]'}},
        iteratorPolicy={"parallelismLimit": 1},
    )
    one = {"componentInputParameter": "item", "parameterExpressionSelector":
           'parseJson(string_value)["a"]', "type": "NUMBER_INTEGER"}  # fmt: skip
    pipeline.step(
        "part", "write", OUT, "n{{$.inputs.parameters['a']}}",
        inputs={"parameters": {"a": one}}, parameters=MADE, graph=loop,
    )  # fmt: skip
    selector = {"producerSubtask": "part", "outputParameterKey": "Output"}
    loop["dag"]["outputs"] = {"parameters": {"each": {"valueFromParameter": selector}}}
    pipeline.step(
        "last", "input", "{{$}}", OUT, parameters=MADE,
        inputs={"parameters": {"all": {**made("for-loop-1", "each"), "type": "LIST"}}},
    )  # fmt: skip

    job = ran(pipes, pipeline.job(root))

    assert job["state"] == "PIPELINE_STATE_SUCCEEDED", job
    assert set(states(job)) == {
        "for-loop-1", "for-loop-1.0", "for-loop-1.0.part", "for-loop-1.1", "for-loop-1.1.part",
        "last",
    }  # fmt: skip
    (written,) = [one for one in objects(pipes, root) if "/last_" in one]
    assert json.loads(content(pipes, root, written) or "") == {"all": ["n1", "n2"]}


def test_an_importer_hands_on_what_is_there(pipes: Vertex, root: str) -> None:
    """The next task reads an object that no task has made."""
    pipes.upload(root, {"mine/model.txt": b"there"})
    pipeline = Pipeline()
    pipeline.step("importer", artifacts={"artifact": MODEL})
    pipeline.executors["exec-importer"] = {
        "importer": {"artifactUri": {"constant": f"gs://{root}/mine/model.txt"}}
    }
    source = {"producerTask": "importer", "outputArtifactKey": "artifact"}
    pipeline.step(
        "read", "copy", "{{$.inputs.artifacts['in'].path}}", OUT, parameters=MADE,
        inputs={"artifacts": {"in": {"taskOutputArtifact": source}}},
    )  # fmt: skip

    job = ran(pipes, pipeline.job(root))

    assert job["state"] == "PIPELINE_STATE_SUCCEEDED", job
    (written,) = [one for one in objects(pipes, root) if "/read_" in one]
    assert content(pipes, root, written) == "there"


def test_a_failed_task_fails_the_pipeline_and_names_itself(pipes: Vertex, root: str) -> None:
    """Other branches go on, what waits for it does not; an exit task runs and knows how."""
    pipeline = Pipeline()
    pipeline.step("bad", "exit", "3")
    pipeline.step("other", "exit", "0")
    pipeline.step("next", "exit", "0", dependentTasks=["bad"])
    status: Body = {"taskFinalStatus": {"producerTask": "bad"}, "type": "TASK_FINAL_STATUS"}
    pipeline.step(
        "exit-handler", "input", "{{$}}", OUT, parameters=MADE,
        inputs={"parameters": {"status": status}},
        dependentTasks=["bad", "other", "next"],
        triggerPolicy={"strategy": "ALL_UPSTREAM_TASKS_COMPLETED"},
    )  # fmt: skip

    job = ran(pipes, pipeline.job(root))

    assert job["state"] == "PIPELINE_STATE_FAILED"
    assert job["error"]["code"] == 9
    assert "The failed tasks are: [bad]." in job["error"]["message"]
    assert states(job) == {
        "bad": "FAILED", "other": "SUCCEEDED", "next": "NOT_TRIGGERED", "exit-handler": "SUCCEEDED",
    }  # fmt: skip
    (bad,) = [one for one in job["jobDetail"]["taskDetails"] if one["taskName"] == "bad"]
    assert "non-zero status of 3" in bad["error"]["message"]
    (written,) = [one for one in objects(pipes, root) if "/exit-handler_" in one]
    assert json.loads(content(pipes, root, written) or "")["status"]["state"] == "FAILED"


def test_a_task_is_tried_again_as_often_as_it_may(pipes: Vertex, root: str) -> None:
    """Once it fails and once it does not: two custom jobs, one task."""
    pipeline = Pipeline()
    pipeline.step("shaky", "fail-once", f"mark-{root}", retryPolicy={"maxRetryCount": 1})

    job = ran(pipes, pipeline.job(root))

    assert job["state"] == "PIPELINE_STATE_SUCCEEDED", job
    jobs = pipes.get(f"{pipes.parent}/customJobs")["customJobs"]
    assert sorted(one["state"] for one in jobs) == ["JOB_STATE_FAILED", "JOB_STATE_SUCCEEDED"]


def test_cancelling_ends_what_runs_and_begins_nothing(pipes: Vertex, root: str) -> None:
    """One by one or many; only then it can be deleted."""
    pipeline = Pipeline()
    pipeline.step("long", "wait", "never")
    pipeline.step("next", "exit", "0", dependentTasks=["long"])
    name = begin(pipes, pipeline.job(root), pipelineJobId="mine")
    wait_until(lambda: states(pipes.get(name)) == {"long": "RUNNING"} if "jobDetail" in
               pipes.get(name) else False)  # fmt: skip
    refused = pipes.call("DELETE", name)

    pipes.post(f"{pipes.parent}/pipelineJobs:batchCancel", {"names": [name]})
    job = pipes.trained(name)

    assert name.endswith("/pipelineJobs/mine")
    assert error(refused)[:2] == (400, "FAILED_PRECONDITION")
    assert (job["state"], job["error"]["code"]) == ("PIPELINE_STATE_CANCELLED", 1)
    assert states(job) == {"long": "CANCELLED"}
    (custom,) = pipes.get(f"{pipes.parent}/customJobs")["customJobs"]
    assert custom["state"] == "JOB_STATE_CANCELLED"
    (listed,) = pipes.get(f"{pipes.parent}/pipelineJobs")["pipelineJobs"]
    assert "jobDetail" not in listed
    pipes.post(f"{pipes.parent}/pipelineJobs:batchDelete", {"names": [name]})
    assert pipes.call("GET", name).status_code == 404


def test_what_the_compiler_writes_runs(pipes: Vertex, root: str) -> None:
    """If, elif and else, loops over constants and a parameter, texts made of parameters.

    `compiled_pipeline.json` is as kfp 2.17.3 compiles `step(text, out, data)` in each of them.
    """
    spec = json.loads(COMPILED.read_text())
    config = {"gcsOutputDirectory": f"gs://{root}", "parameterValues": {"greeting": "hi", "n": 2}}

    job = ran(pipes, {"pipelineSpec": spec, "runtimeConfig": config})

    assert job["state"] == "PIPELINE_STATE_SUCCEEDED", job["error"]
    untaken = {name for name, state in states(job).items() if state == "NOT_TRIGGERED"}
    assert untaken == {f"condition-branches-1.condition-{one}" for one in (2, 4)}
    shown = {one["taskName"] for one in job["jobDetail"]["taskDetails"]}
    assert {"big", "mid", "small"} <= shown
    texts = [content(pipes, root, one) for one in objects(pipes, root) if one.endswith("/out")]
    wanted = ["hi", "hi", "hi", "hi", "hi hi", "item p", "item q", "mid", "none"]
    assert sorted(map(str, texts)) == wanted


def test_a_python_function_is_no_image(pipes: Vertex, root: str) -> None:
    """Its task fails as that of an unknown image does, and says what would run it."""
    pipeline = Pipeline()
    pipeline.step("function", "--executor_input", "{{$}}", image="us-docker.pkg.dev/p/r/step:1")
    launcher = "python3 -m kfp.dsl.executor_main --component_module_path $0"
    container = pipeline.executors["exec-function"]["container"]
    container["command"] = ["sh", "-c", launcher, "def f(): pass"]

    job = ran(pipes, pipeline.job(root))

    assert job["state"] == "PIPELINE_STATE_FAILED"
    said = job["jobDetail"]["taskDetails"][1]["error"]["message"]
    assert "--run-user-code" in said and "kfp" in said


def test_an_image_that_nobody_knows_fails_its_task(pipes: Vertex, root: str) -> None:
    """As a custom job's: with what to do in the task's error."""
    pipeline = Pipeline()
    pipeline.step("python", "--executor_input", "{{$}}", image="python:3.11")

    job = ran(pipes, pipeline.job(root))

    assert job["state"] == "PIPELINE_STATE_FAILED"
    assert "--engine" in job["jobDetail"]["taskDetails"][1]["error"]["message"]


def test_a_pipeline_goes_on_while_the_server_is_dead(tmp_path: Path) -> None:
    """kill -9 during its first task: the next server adopts it, and each task runs once."""
    cloud = start_cloud(tmp_path / "data", *pipeline_engines())
    try:
        vertex = Vertex(cloud.url, "kill-nine")
        bucket = vertex.bucket("kill-nine-root")
        pipeline = Pipeline()
        pipeline.step("first", "wait", "go", "write", OUT, "done", parameters=MADE)
        pipeline.step(
            "second", "input", "{{$}}", OUT, parameters=MADE,
            inputs={"parameters": {"text": made("first")}},
        )  # fmt: skip
        name = begin(vertex, pipeline.job(bucket))
        wait_until(lambda: "customJobs" in vertex.get(f"{vertex.parent}/customJobs"))
        os.kill(cloud.process.pid, signal.SIGKILL)
        cloud.process.wait()
        if cloud.process.stdout:
            cloud.process.stdout.close()
        (tmp_path / "data" / "jobs" / "go").touch()
        cloud = start_cloud(tmp_path / "data", *pipeline_engines())
        vertex = Vertex(cloud.url, "kill-nine")

        job = vertex.trained(name)

        assert job["state"] == "PIPELINE_STATE_SUCCEEDED", job
        assert len(vertex.get(f"{vertex.parent}/customJobs")["customJobs"]) == 2
        (written,) = [one for one in objects(vertex, bucket) if "/second_" in one]
        assert json.loads(content(vertex, bucket, written) or "") == {"text": "done"}
    finally:
        if cloud.process.poll() is None:
            stop_cloud(cloud)
