"""Compiled pipelines for tests, and a server that knows their containers."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from tests.emulator.vertex import Body, Vertex

ENGINE = Path(__file__).parent / "jobs" / "pipeline_engine.py"
IMAGE = "us-docker.pkg.dev/p/r/step:1"
STRING = {"parameterType": "STRING"}
MODEL = {"artifactType": {"schemaTitle": "system.Model", "schemaVersion": "0.0.1"}}


def pipeline_engines() -> list[str]:
    """The options of a server that knows the image of the steps."""
    return ["--engine", f"train:*/step={sys.executable} {ENGINE}", "--image-pull-seconds", "0.5"]


class Pipeline:
    """A pipeline put together step by step, as a compiler would write it."""

    def __init__(self, **parameters: str) -> None:
        """`parameters` are the pipeline's own: name and type."""
        known = {name: {"parameterType": kind} for name, kind in parameters.items()}
        self.root: Body = {"dag": {"tasks": {}}, "inputDefinitions": {"parameters": known}}
        self.components: Body = {}
        self.executors: Body = {}

    def step(
        self,
        name: str,
        *args: Any,
        inputs: Body | None = None,
        parameters: Body | None = None,
        artifacts: Body | None = None,
        graph: Body | None = None,
        image: str = IMAGE,
        **task: Any,
    ) -> Body:
        """A task of a container with these arguments; `parameters` and `artifacts` it makes."""
        given = inputs or {}
        types = {key: one.pop("type", "STRING") for key, one in given.get("parameters", {}).items()}
        known = {key: {"parameterType": kind} for key, kind in types.items()}
        self.components[f"comp-{name}"] = {
            "executorLabel": f"exec-{name}",
            "inputDefinitions": {"parameters": known},
            "outputDefinitions": {"parameters": parameters or {}, "artifacts": artifacts or {}},
        }
        container = {"image": image, "args": list(args)}
        self.executors[f"exec-{name}"] = {"container": container}
        made = {
            "componentRef": {"name": f"comp-{name}"}, "taskInfo": {"name": name},
            "inputs": given, **task,
        }  # fmt: skip
        (graph or self.root)["dag"]["tasks"][name] = made
        return made

    def graph(self, name: str, inputs: Body | None = None, **task: Any) -> Body:
        """A task that is a graph of its own; steps are added to what is given back."""
        given = inputs or {}
        types = {key: one.pop("type", "STRING") for key, one in given.get("parameters", {}).items()}
        known = {key: {"parameterType": kind} for key, kind in types.items()}
        component: Body = {"dag": {"tasks": {}}, "inputDefinitions": {"parameters": known}}
        self.components[f"comp-{name}"] = component
        self.root["dag"]["tasks"][name] = {
            "componentRef": {"name": f"comp-{name}"}, "taskInfo": {"name": name},
            "inputs": given, **task,
        }  # fmt: skip
        return component

    def spec(self) -> Body:
        """The whole, as JSON."""
        return {
            "pipelineInfo": {"name": "test"},
            "schemaVersion": "2.1.0",
            "sdkVersion": "kfp-2.13.0",
            "root": self.root,
            "components": self.components,
            "deploymentSpec": {"executors": self.executors},
        }

    def job(self, bucket: str, **more: Any) -> Body:
        """A pipeline job that writes to a bucket; `more` are fields of its runtime config."""
        config = {"gcsOutputDirectory": f"gs://{bucket}/root", **more}
        return {"displayName": "pipeline", "pipelineSpec": self.spec(), "runtimeConfig": config}


def made(task: str, key: str = "Output") -> Body:
    """Another task's parameter as an input."""
    return {"taskOutputParameter": {"producerTask": task, "outputParameterKey": key}}


def begin(vertex: Vertex, job: Body, **query: str) -> str:
    """The name of a new pipeline job."""
    asked = "&".join(f"{key}={value}" for key, value in query.items())
    name: str = vertex.post(f"{vertex.parent}/pipelineJobs?{asked}", job)["name"]
    return name


def states(job: Body) -> dict[str, str]:
    """The state of each task by its unique name, without the pipeline's own."""
    return {
        one["taskUniqueName"]: one["state"]
        for one in job["jobDetail"]["taskDetails"]
        if "taskUniqueName" in one
    }
