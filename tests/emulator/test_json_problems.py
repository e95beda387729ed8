"""What Google's front end says of JSON that is not the message it should be."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from emulator import rpc_tables
from emulator.errors import ApiError
from emulator.rpc import Router, Types, request_body

if TYPE_CHECKING:
    from starlette.testclient import TestClient

PARENT = "projects/p/locations/us-central1"
TABLES = rpc_tables.VERTEX_FOLDER
ROUTER, TYPES = Router.read(TABLES / "routes.json"), Types(TABLES / "types.binpb")


def refused(path: str, body: bytes, method: str = "POST", **query: str) -> ApiError:
    """What a request is refused with."""
    found = ROUTER.match(method, f"/v1/{PARENT}/{path}")
    assert found is not None
    with pytest.raises(ApiError) as caught:
        request_body(TYPES, *found, query.items(), body)
    assert caught.value.status == "INVALID_ARGUMENT"
    return caught.value


ENUM = "type.googleapis.com/google.cloud.aiplatform.v1.AcceleratorType"
POOL = "custom_job.job_spec.worker_pool_specs[0]"


@pytest.mark.parametrize(
    ("sent", "field", "sentence"),
    [
        (
            {"colour": 1},
            "custom_job",
            "Invalid JSON payload received. Unknown name \"colour\" at 'custom_job': "
            "Cannot find field.",
        ),
        (
            {"displayName": 5},
            "custom_job.display_name",
            "Invalid value at 'custom_job.display_name' (TYPE_STRING), 5",
        ),
        (
            {"displayName": ["a"]},
            "custom_job",
            "Invalid JSON payload received. Unknown name \"displayName\" at 'custom_job': "
            "Proto field is not repeating, cannot start list.",
        ),
        (
            {"jobSpec": "x"},
            "custom_job.job_spec",
            "Invalid value at 'custom_job.job_spec' "
            '(type.googleapis.com/google.cloud.aiplatform.v1.CustomJobSpec), "x"',
        ),
        (
            {"jobSpec": {"workerPoolSpecs": [{"machineSpec": {"acceleratorType": "GPU"}}]}},
            f"{POOL}.machine_spec.accelerator_type",
            f"Invalid value at '{POOL}.machine_spec.accelerator_type' ({ENUM}), \"GPU\"",
        ),
        (
            {"jobSpec": {"workerPoolSpecs": [{"machineSpec": {"acceleratorType": {}}}]}},
            f"{POOL}.machine_spec.accelerator_type",
            f"Invalid value at '{POOL}.machine_spec.accelerator_type' ({ENUM}), {{}}",
        ),
        (
            {"jobSpec": {"workerPoolSpecs": [{"replicaCount": "many"}]}},
            f"{POOL}.replica_count",
            f"Invalid value at '{POOL}.replica_count' (TYPE_INT64), \"many\"",
        ),
        (
            {"labels": {"a": 1}},
            "custom_job.labels[0].value",
            "Invalid value at 'custom_job.labels[0].value' (TYPE_STRING), 1",
        ),
        (
            {"createTime": "yesterday"},
            "custom_job.create_time",
            "Invalid value at 'custom_job.create_time' "
            '(type.googleapis.com/google.protobuf.Timestamp), "yesterday"',
        ),
    ],
)
def test_each_problem_has_its_sentence_and_field(sent: Any, field: str, sentence: str) -> None:
    """As text, and as a field violation of BadRequest."""
    problem = refused("customJobs", json.dumps(sent).encode())

    assert problem.message == sentence
    assert problem.details[0]["fieldViolations"] == [{"field": field, "description": sentence}]


def test_all_problems_are_told_at_once() -> None:
    """One line and one violation each."""
    problem = refused("customJobs", b'{"a": 1, "jobSpec": {"b": 2}}')

    assert len(problem.message.splitlines()) == 2
    assert len(problem.details[0]["fieldViolations"]) == 2


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"[1]", 'Unknown name "": Root element must be a message.'),
        (b'{"a": b}', 'Unexpected token.\n{"a": b}\n      ^'),
        (b'{"a": ', "Unexpected end of string."),
        (b"\xff\xfe{", "Encountered non UTF-8 code points."),
        (b'{"a":' * 100_000, "Message too deep."),
    ],
)
def test_bodies_that_are_no_object(body: bytes, sentence: str) -> None:
    """What stands where, and never a failure of the server."""
    problem = refused("customJobs", body)

    assert problem.message.startswith(f"Invalid JSON payload received. {sentence}")


@pytest.mark.parametrize("indent", [0, 100])
def test_endless_numbers(local_http: TestClient, indent: int) -> None:
    """Told in words of the API's, not of the server's language, however the body begins."""
    body = b" " * indent + b'{"name": ' + b"9" * 5_000 + b"}"

    for path in ("/v3/projects", f"/v1/{PARENT}/endpoints"):
        answer = local_http.post(path, content=body, headers={"content-type": "application/json"})

        problem = answer.json()["error"]["message"]
        assert problem == "Invalid JSON payload received. A number has too many digits."


def test_queries_are_typed_too() -> None:
    """A number, a truth value, an unknown parameter; a mask may come in snake case."""
    number = refused("datasets", b"", "GET", pageSize="many")
    unknown = refused("datasets", b"", "GET", colour="red")
    found = ROUTER.match("PATCH", f"/v1/{PARENT}/datasets/1")
    assert found is not None
    sent = request_body(TYPES, *found, [("updateMask", "display_name,labels")], b"{}")

    assert number.message == "Invalid value at 'page_size' (TYPE_INT32), \"many\""
    assert "Cannot bind query parameter. Field 'colour' could not be found" in unknown.message
    assert sent["updateMask"] == "displayName,labels"
