"""One task of a pipeline: a custom job with what it is to read and write, or an import."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from emulator.aiplatform import (
    component_code,
    custom_environment,
    custom_jobs,
    names,
    pipeline_values,
    resources,
)
from emulator.aiplatform.lifecycles import CUSTOM_JOB, OWNER
from emulator.aiplatform.pipeline_values import Values
from emulator.cloud import Cloud
from emulator.errors import ApiError
from emulator.operations import status
from emulator.resourcemanager import projects
from emulator.storage import objects

Body = dict[str, Any]
# "By default the component runs on as an e2-standard-4 machine" ("Specify machine types for a
# pipeline step", read 2026-08-22).
MACHINE = "e2-standard-4"
ENDED = ("SUCCEEDED", "FAILED", "CANCELLED", "SKIPPED", "NOT_TRIGGERED")


def task_id(name: str, path: str) -> str:
    """A task's number, which depends on its pipeline and place alone."""
    digest = hashlib.sha256(f"{name}\0{path}".encode()).digest()
    return str(int.from_bytes(digest[:8], "big") >> 1)


def folder(cloud: Cloud, body: Body, path: str) -> str:
    """Where a task writes: `ROOT/PROJECT NUMBER/JOB/TASK_ID`."""
    root = body["runtimeConfig"]["gcsOutputDirectory"].rstrip("/")
    number = projects.number(cloud, names.location(body["name"]).project)
    last = path.replace("/", "_")
    job = names.last(body["name"])
    return f"{root}/{number}/{job}/{last}_{task_id(body['name'], path)}"


def start(cloud: Cloud, body: Body, record: Body, component: Body, values: Values) -> None:
    """The task runs from now on, or has ended; in the caller's transaction."""
    executor = body["pipelineSpec"]["deploymentSpec"]["executors"][component["executorLabel"]]
    if "importer" in executor:
        _import(record, component, executor["importer"], values)
    elif "container" in executor:
        _launch(cloud, body, record, component, executor["container"], values)
    else:
        message = f"The local cloud has no executor of {', '.join(executor)}."
        raise ApiError("UNIMPLEMENTED", message)


def _import(record: Body, component: Body, importer: Body, values: Values) -> None:
    """An artifact that is there already: its address is all that is needed."""
    asked = importer["artifactUri"]
    uri = asked.get("constant") or values.parameters.get(asked.get("runtimeParameter", ""), "")
    (name,) = component["outputDefinitions"]["artifacts"]
    artifact = {
        "name": name,
        "uri": pipeline_values.filled(uri, values, {}),
        "type": _object(importer.get("typeSchema")),
        "metadata": _object(importer.get("metadata")),
    }
    record["outputs"] = {"parameters": {}, "artifacts": {name: [artifact]}}
    record["state"] = "SUCCEEDED"


def _launch(
    cloud: Cloud, body: Body, record: Body, component: Body, container: Body, values: Values
) -> None:
    job = f"{names.location(body['name']).name}/customJobs/{names.new_id()}"
    mount = str(custom_environment.view(cloud, names.last(job)).folder)
    place = folder(cloud, body, record["path"])
    more = _context(body, record, component, place, mount)
    given = Values(values.parameters, _with_paths(values.artifacts, mount))
    more[""] = _executor_input(given, more["outputs"])
    spec = {
        "imageUri": pipeline_values.filled(container["image"], given, more),
        "command": container.get("command", []),
        "args": pipeline_values.arguments(container.get("args", []), given, more),
        "env": [
            {"name": one["name"], "value": pipeline_values.filled(one["value"], given, more)}
            for one in container.get("env", [])
        ],
    }
    pool = {
        "machineSpec": {"machineType": MACHINE},
        "replicaCount": "1",
        "containerSpec": {key: value for key, value in spec.items() if value},
    }
    account = {"serviceAccount": body["serviceAccount"]} if "serviceAccount" in body else {}
    uris = [one["uri"] for found in values.artifacts.values() for one in found]
    wanted = {
        "displayName": f"{names.last(body['name'])}-{record['name']}",
        "jobSpec": {"workerPoolSpecs": [pool], **account},
        "labels": body.get("labels", {}),
        OWNER: body["name"],
        custom_environment.DATA_BUCKETS: sorted({_bucket(uri) for uri in (place, *uris)} - {""}),
    }
    if source := component_code.source(container.get("command", [])):
        wanted[component_code.SOURCE] = source
    custom_jobs.insert(cloud, job, wanted)
    record |= {"job": job, "state": "PENDING", "folder": place}


def _bucket(uri: str) -> str:
    return uri.removeprefix("gs://").partition("/")[0] if uri.startswith("gs://") else ""


def _path(uri: str, mount: str) -> str:
    return f"{mount}/{uri.removeprefix('gs://')}" if uri.startswith("gs://") else uri


def _with_paths(artifacts: dict[str, list[Body]], mount: str) -> dict[str, list[Body]]:
    return {
        name: [{**one, "path": _path(one["uri"], mount)} for one in found]
        for name, found in artifacts.items()
    }


def _context(body: Body, record: Body, component: Body, place: str, mount: str) -> Body:
    """What placeholders may name beside the inputs: the outputs, and the pipeline itself."""
    known = component.get("outputDefinitions", {})
    artifacts = {
        name: {
            "name": name,
            "uri": f"{place}/{name}",
            "path": _path(f"{place}/{name}", mount),
            "type": _object(one.get("artifactType")),
            "metadata": {},
        }
        for name, one in known.get("artifacts", {}).items()
    }
    parameters = {
        name: {"output_file": _path(f"{place}/{name}", mount)}
        for name in known.get("parameters", {})
    }
    output_file = _path(f"{place}/executor_output.json", mount)
    number = task_id(body["name"], record["path"])
    return {
        "outputs": {
            "artifacts": artifacts,
            "parameters": parameters,
            "output_file": output_file,
            "output_metadata_uri": output_file,
        },
        "pipeline_job_name": names.last(body["name"]),
        "pipeline_job_uuid": task_id(body["name"], ""),
        "pipeline_job_resource_name": body["name"],
        "pipeline_job_create_time_utc": body["createTime"],
        "pipeline_task_name": record["name"],
        "pipeline_task_uuid": number,
        "pipeline_root": body["runtimeConfig"]["gcsOutputDirectory"],
        "pipeline_service_account": body.get("serviceAccount", ""),
    }


def _executor_input(values: Values, outputs: Body) -> Body:
    """`{{$}}`: Kubeflow's ExecutorInput, with paths of the job's own mount."""
    made = {
        name: {"artifacts": [{key: one[key] for key in ("name", "uri", "type", "metadata")}]}
        for name, one in outputs["artifacts"].items()
    }
    parameters = {
        name: {"outputFile": one["output_file"]} for name, one in outputs["parameters"].items()
    }
    return {
        "inputs": {
            "parameterValues": values.parameters,
            "artifacts": {name: {"artifacts": one} for name, one in values.artifacts.items()},
        },
        "outputs": {
            "parameters": parameters,
            "artifacts": made,
            "outputFile": outputs["output_file"],
        },
    }


def look(cloud: Cloud, record: Body, component: Body) -> None:
    """What the task's job has come to is in its record; in the caller's transaction."""
    job = cloud.resources.get(record["job"])
    if job is None or job["state"] == CUSTOM_JOB.state("CANCELLED"):
        record |= {"state": "CANCELLED", "error": {"code": 1, "message": "CANCELED"}}
    elif job["state"] == CUSTOM_JOB.state("FAILED"):
        record |= {"state": "FAILED", "error": job["error"]}
    elif job["state"] == CUSTOM_JOB.state("SUCCEEDED"):
        _collect(cloud, record, component)
    elif "startTime" in job and record["state"] == "PENDING":
        record |= {"state": "RUNNING", "startTime": job["startTime"]}
    if record["state"] in ENDED:
        record["endTime"] = resources.now(cloud) if job is None else job["endTime"]
        if job is not None and "startTime" in job:
            record["startTime"] = job["startTime"]


def _collect(cloud: Cloud, record: Body, component: Body) -> None:
    """The outputs of a task that ended well; one that left a parameter out has failed."""
    known = component.get("outputDefinitions", {})
    said = _json(_text(cloud, f"{record['folder']}/executor_output.json") or "{}")
    try:
        told = _object(said.get("parameterValues"))
        parameters = _parameters(cloud, record, known.get("parameters", {}), told)
    except ApiError as problem:
        record |= {"state": "FAILED", "error": status(problem)}
        return
    artifacts = {}
    for name, one in known.get("artifacts", {}).items():
        own = {
            "name": name,
            "uri": f"{record['folder']}/{name}",
            "type": _object(one.get("artifactType")),
            "metadata": {},
        }
        listed = _object(_object(said.get("artifacts")).get(name)).get("artifacts")
        found = listed if isinstance(listed, list) else []
        artifacts[name] = [_as_told(own, more) for more in found] or [own]
    record |= {"state": "SUCCEEDED", "outputs": {"parameters": parameters, "artifacts": artifacts}}


def _as_told(own: Body, more: Any) -> Body:
    """An artifact as its task told of it, where that is of the right kind."""
    known = {key: value for key, value in _object(more).items() if key in own}
    return {**own, **{key: one for key, one in known.items() if isinstance(one, type(own[key]))}}


def _object(value: Any) -> Body:
    """A JSON object as it is, anything else as an empty one."""
    return value if isinstance(value, dict) else {}


def _parameters(cloud: Cloud, record: Body, known: dict[str, Body], told: Body) -> Body:
    found = {}
    for name, one in known.items():
        value = told[name] if name in told else _text(cloud, f"{record['folder']}/{name}")
        if value is not None:
            found[name] = pipeline_values.typed(value, one.get("parameterType", "STRING"))
        elif not one.get("isOptional"):
            message = f'The output parameter "{name}" of the task {record["name"]} was not written.'
            raise ApiError("FAILED_PRECONDITION", message)
    return found


def _text(cloud: Cloud, uri: str) -> str | None:
    bucket, _, name = uri.removeprefix("gs://").partition("/")
    row = objects.get_object(cloud, bucket, name)
    return None if row is None else cloud.blobs.path(row.sha256).read_text(errors="replace")


def _json(text: str) -> Body:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
