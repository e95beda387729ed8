"""Calls of Vertex AI that are valid by construction, and messages made from its own descriptors."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import cache
from typing import Any

import httpx
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from hypothesis import strategies as st

from emulator.aiplatform.routes import TABLES
from emulator.rpc import Types
from tests.emulator.fuzz.target import Asked, Target
from tests.emulator.fuzz.values import Draw, json_values, labels, odd, picked, texts

PLACES = "/v1/projects/fuzz-project/locations/us-central1"
SCHEMA = "gs://google-cloud-aiplatform/schema"
IMAGE = "us-docker.pkg.dev/p/r/trainer:1"
MAX_DEPTH = 3
display_names = texts.map(lambda text: text[:40])


def name_of(target: Target, answer: httpx.Response) -> str:
    """The name of what was made: of a resource, or of an operation's result, once it is there."""
    body = answer.json()
    if "/operations/" in body.get("name", "") and "response" not in body:
        body = target.good("POST", f"/v1/{body['name']}:wait", {"timeout": "10s"}).json()
    return str(body.get("response", body).get("name", "nothing"))


def life(
    draw: Draw, target: Target, collection: str, body: dict[str, Any], mask: str, **query: str
) -> str:
    """Something made, read, listed and changed; its name."""
    parent = query.pop("parent", PLACES)
    made = target.good("POST", f"{parent}/{collection}", body, query=query)
    name = name_of(target, made)
    target.good("GET", f"/v1/{name}")
    target.good("GET", f"{parent}/{collection}", query={"pageSize": str(draw(st.integers(1, 99)))})
    if mask:
        changes = {"displayName": draw(display_names), "description": draw(texts)}
        sent = {key: text for key, text in changes.items() if key in mask.split(",")}
        target.good("PATCH", f"/v1/{name}", sent, query={"updateMask": mask})
    return name


def datasets(draw: Draw, target: Target) -> None:
    """A data set and its versions."""
    body = {
        "displayName": draw(display_names),
        "metadataSchemaUri": f"{SCHEMA}/dataset/metadata/image_1.0.0.yaml",
        "labels": draw(labels),
    }
    name = life(draw, target, "datasets", body, "displayName,description")
    target.good("GET", f"/v1/{name}/dataItems")
    target.good("GET", f"/v1/{name}:searchDataItems")
    target.good("GET", f"/v1/{name}/savedQueries")
    target.good("DELETE", f"/v1/{name}")


def endpoints(draw: Draw, target: Target) -> None:
    """An endpoint without a model."""
    body = {"displayName": draw(display_names), "labels": draw(labels)}
    name = life(draw, target, "endpoints", body, "displayName,description")
    target.good("GET", f"{PLACES}/endpoints", query={"orderBy": "create_time desc"})
    target.good("DELETE", f"/v1/{name}")


def models(draw: Draw, target: Target) -> None:
    """An uploaded model, its versions, aliases and evaluations."""
    container = {"imageUri": IMAGE, "ports": [{"containerPort": draw(st.integers(1, 65535))}]}
    model = {"displayName": draw(display_names), "containerSpec": container}
    made = target.good("POST", f"{PLACES}/models:upload", {"model": model}).json()
    name = made.get("response", {}).get("model", "nothing").partition("@")[0]
    target.good("GET", f"/v1/{name}")
    target.good("GET", f"{PLACES}/models", query={"filter": 'labels.a="b"'})
    target.good("GET", f"/v1/{name}:listVersions")
    target.good("PATCH", f"/v1/{name}", {"description": "d"}, query={"updateMask": "description"})
    target.good("POST", f"/v1/{name}@1:mergeVersionAliases", {"versionAliases": ["best"]})
    evaluation = {
        "displayName": draw(display_names),
        "metricsSchemaUri": f"{SCHEMA}/modelevaluation/classification_metrics_1.0.0.yaml",
        "metrics": {"auPrc": 0.5},
    }
    target.good("POST", f"/v1/{name}/evaluations:import", {"modelEvaluation": evaluation})
    target.good("GET", f"/v1/{name}/evaluations")
    target.good("DELETE", f"/v1/{name}")


def tensorboards(draw: Draw, target: Target) -> None:
    """A tensorboard with an experiment, a run, a series and points."""
    board = life(draw, target, "tensorboards", {"displayName": draw(display_names)}, "description")
    experiment = life(
        draw, target, "experiments", {"displayName": draw(display_names)}, "description",
        parent=f"/v1/{board}", tensorboardExperimentId="e",
    )  # fmt: skip
    run = life(
        draw, target, "runs", {"displayName": draw(display_names)}, "description",
        parent=f"/v1/{experiment}", tensorboardRunId="r",
    )  # fmt: skip
    body = {"displayName": "loss", "valueType": "SCALAR"}
    series = life(draw, target, "timeSeries", body, "", parent=f"/v1/{run}")
    points = [
        {"step": str(step), "wallTime": "2026-01-01T00:00:00Z", "scalar": {"value": 0.5}}
        for step in draw(st.sets(st.integers(0, 99), min_size=1, max_size=4))
    ]
    data = {"tensorboardTimeSeriesId": series.rpartition("/")[2], "valueType": "SCALAR"}
    sent = {"tensorboardRun": run, "timeSeriesData": [{**data, "values": points}]}
    target.good("POST", f"/v1/{run}:write", sent)
    target.good("GET", f"/v1/{series}:read")
    target.good("DELETE", f"/v1/{board}")


def metadata(draw: Draw, target: Target) -> None:
    """A metadata store with a context, an artifact and an execution, linked."""
    identifier = target.name("store")
    made = target.good(
        "POST", f"{PLACES}/metadataStores", {}, query={"metadataStoreId": identifier}
    )
    parent = f"/v1/{name_of(target, made)}"
    mask = "displayName,description"
    names = {}
    for noun, title in (
        ("contexts", "system.Experiment"), ("artifacts", "system.Dataset"),
        ("executions", "system.Run"),
    ):  # fmt: skip
        body = {
            "displayName": draw(display_names), "schemaTitle": title, "schemaVersion": "0.0.1",
            "metadata": draw(st.dictionaries(st.from_regex(r"[a-z]{1,9}", fullmatch=True),
                                             st.integers(0, 99) | texts, max_size=3)),
        }  # fmt: skip
        names[noun] = life(draw, target, noun, body, mask, parent=parent)
    linked = {"artifacts": [names["artifacts"]], "executions": [names["executions"]]}
    context = f"/v1/{names['contexts']}"
    target.good("POST", f"{context}:addContextArtifactsAndExecutions", linked)
    target.good("GET", f"{context}:queryContextLineageSubgraph")
    events = {"events": [{"artifact": names["artifacts"], "type": "OUTPUT"}]}
    target.good("POST", f"/v1/{names['executions']}:addExecutionEvents", events)
    target.good("GET", f"/v1/{names['executions']}:queryExecutionInputsAndOutputs")
    target.good("GET", f"{parent}/contexts", query={"filter": 'schema_title="system.Experiment"'})


def jobs(draw: Draw, target: Target) -> None:
    """A custom job of an image that nobody knows, cancelled; resource pools; empty lists."""
    pool = {
        "machineSpec": {"machineType": "n1-standard-4"},
        "replicaCount": "1",
        "containerSpec": {"imageUri": "gcr.io/nobody/knows:1", "args": draw(st.lists(texts))},
    }
    body = {"displayName": draw(display_names), "jobSpec": {"workerPoolSpecs": [pool]}}
    name = life(draw, target, "customJobs", body, "")
    target.good("POST", f"/v1/{name}:cancel", {})
    resources = {
        "machineSpec": {"machineType": "n1-standard-4"},
        "minReplicaCount": draw(st.integers(1, 3)),
    }
    identifier = target.name("pool")
    sent = {
        "deploymentResourcePool": {"dedicatedResources": resources},
        "deploymentResourcePoolId": identifier,
    }
    target.good("POST", f"{PLACES}/deploymentResourcePools", sent)
    path = f"{PLACES}/deploymentResourcePools/{identifier}"
    target.good("GET", path)
    target.good("GET", f"{path}:queryDeployedModels")
    target.good("DELETE", path)
    for noun in ("schedules", "persistentResources", "pipelineJobs", "nasJobs", "trainingPipelines",
                 "hyperparameterTuningJobs", "batchPredictionJobs", "specialistPools"):  # fmt: skip
        target.good("GET", f"{PLACES}/{noun}")


def projects(draw: Draw, target: Target) -> None:
    """A project, its policy, its services, its logs, its service accounts."""
    project = "fuzz-project"
    target.good("GET", f"/v3/projects/{project}")
    policy = target.good("POST", f"/v1/projects/{project}:getIamPolicy", {}).json()
    target.good("POST", f"/v1/projects/{project}:setIamPolicy", {"policy": policy})
    services = f"/v1/projects/{project}/services"
    target.good("POST", f"{services}/storage.googleapis.com:enable", {})
    target.good("GET", services, query={"filter": "state:ENABLED", "pageSize": "200"})
    asked = {"resourceNames": [f"projects/{project}"], "filter": 'severity>="ERROR"'}
    target.good("POST", "/v2/entries:list", asked)
    account = target.name("account")
    sent = {"accountId": account, "serviceAccount": {"displayName": draw(display_names)}}
    made = target.good("POST", f"/v1/projects/{project}/serviceAccounts", sent)
    target.good("DELETE", f"/v1/{name_of(target, made)}")


SCENARIOS = [datasets, endpoints, models, tensorboards, metadata, jobs, projects]


@cache
def _types() -> Types:
    return Types(TABLES / "types.binpb")


@cache
def _rows() -> list[dict[str, str]]:
    rows: list[dict[str, str]] = json.loads((TABLES / "routes.json").read_text())
    return [row for row in rows if row.get("request")]


def generated(draw: Draw, seen: list[str]) -> Asked:
    """A request of any RPC: names that are there or odd, a message of its own type."""
    row = draw(st.sampled_from(_rows()))
    segment = st.sampled_from(["fuzz-project", "us-central1", "1", "-"]) | odd

    def variable(found: re.Match[str]) -> str:
        form = found[0].strip("{}").partition("=")[2] or "*"
        odd_one = re.sub(
            r"\*+", lambda _: str(draw(segment)), form.replace("projects/*/locations/*", PLACES[4:])
        )
        return picked(draw, [name for name in seen if _fits(form, name)], st.just(odd_one))

    path = re.sub(r"\{[^}]*\}", variable, row["uri"])
    descriptor = _types().pool.FindMessageTypeByName(row["request"])
    method, body = row["method"].upper(), None
    if row.get("body") == "*":
        body = draw(message(descriptor, MAX_DEPTH))
    elif row.get("body"):
        body = draw(message(descriptor.fields_by_name[row["body"]].message_type, MAX_DEPTH))
    return Asked(method, path, body=body)


def _fits(form: str, name: str) -> bool:
    return (
        re.fullmatch(re.escape(form).replace(r"\*\*", ".+").replace(r"\*", "[^/]+"), name)
        is not None
    )


def message(descriptor: Descriptor, depth: int) -> st.SearchStrategy[Any]:
    """JSON of a message, as its descriptor has it; well-known types in their own forms."""
    known = _KNOWN.get(descriptor.full_name)
    if known is not None:
        return known
    fields = [one for one in descriptor.fields if one.message_type is None or depth > 0]
    if not fields:
        return st.just({})

    @st.composite
    def built(draw: Draw) -> dict[str, Any]:
        chosen = draw(st.lists(st.sampled_from(fields), max_size=5, unique_by=lambda one: one.name))
        return {one.json_name: draw(_field(one, depth - 1)) for one in chosen}

    return built()


def _field(field: FieldDescriptor, depth: int) -> st.SearchStrategy[Any]:
    inner = field.message_type
    if inner is not None and inner.GetOptions().map_entry:
        value = _single(inner.fields_by_name["value"], depth)
        return st.dictionaries(odd.filter(lambda key: key != ""), value, max_size=2)
    single = _single(field, depth)
    return st.lists(single, max_size=3) if field.is_repeated else single


def _single(field: FieldDescriptor, depth: int) -> st.SearchStrategy[Any]:
    if field.message_type is not None:
        return message(field.message_type, depth)
    if field.enum_type is not None:
        return st.sampled_from([value.name for value in field.enum_type.values])
    return _SCALARS[field.cpp_type](field)


_INTEGERS = st.integers(-(2**31), 2**31 - 1) | st.integers(0, 5)
_SCALARS: dict[int, Callable[[FieldDescriptor], st.SearchStrategy[Any]]] = {
    FieldDescriptor.CPPTYPE_INT32: lambda _: _INTEGERS,
    FieldDescriptor.CPPTYPE_UINT32: lambda _: st.integers(0, 2**32 - 1),
    FieldDescriptor.CPPTYPE_INT64: lambda _: st.integers(-(2**63), 2**63 - 1).map(str) | _INTEGERS,
    FieldDescriptor.CPPTYPE_UINT64: lambda _: st.integers(0, 2**64 - 1).map(str),
    FieldDescriptor.CPPTYPE_DOUBLE: lambda _: st.floats(allow_nan=False, allow_infinity=False),
    FieldDescriptor.CPPTYPE_FLOAT: lambda _: st.floats(-1e30, 1e30),
    FieldDescriptor.CPPTYPE_BOOL: lambda _: st.booleans(),
    FieldDescriptor.CPPTYPE_STRING: lambda field: (
        st.sampled_from(["", "AAAA", "aGVsbG8="])
        if field.type == FieldDescriptor.TYPE_BYTES
        else texts | odd.filter(lambda text: "\ud800" not in text)
    ),
}
_KNOWN: dict[str, st.SearchStrategy[Any]] = {
    "google.protobuf.Struct": st.dictionaries(texts, json_values, max_size=3),
    "google.protobuf.Value": json_values,
    "google.protobuf.ListValue": st.lists(json_values, max_size=3),
    "google.protobuf.Timestamp": st.sampled_from(["2026-01-01T00:00:00Z", "1970-01-01T00:00:00Z"]),
    "google.protobuf.Duration": st.sampled_from(["1s", "0s", "-3.5s", "3600s"]),
    "google.protobuf.FieldMask": st.sampled_from(["displayName", "a.b,c", "", "*"]),
    "google.protobuf.Any": st.just({"@type": "type.googleapis.com/google.protobuf.Empty"}),
}
