"""Operations over HTTP and as rows."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from emulator.cloud import Cloud
from emulator.errors import ApiError
from tests.emulator.vertex import Vertex, error
from tests.local_cloud import LocalCloud

METADATA = {"@type": "type.googleapis.com/google.cloud.aiplatform.v1.DeleteOperationMetadata"}
EMPTY = {"@type": "type.googleapis.com/google.protobuf.Empty"}


def test_an_operation_ends_once(local: Cloud) -> None:
    """The first end stays, whatever comes after; until then it is somebody's work."""
    operations = local.operations
    name = operations.begin("projects/p/locations/l", METADATA, "work", {"a": 1})["name"]
    assert [one.payload for one in operations.unfinished("work")] == [{"a": 1}]

    assert operations.cancel(name)
    operations.finish(name, EMPTY)
    operations.fail(name, ApiError("INTERNAL", "late"))

    assert operations.get(name)["error"] == {"code": 1, "message": "CANCELLED"}
    assert operations.unfinished("work") == []


def test_an_operation_is_not_there_when_its_transaction_is_not(local: Cloud) -> None:
    """What was begun inside a transaction that failed was never begun."""
    with pytest.raises(RuntimeError), local.store.transaction():
        local.operations.begin("projects/p", METADATA, "work", {})
        raise RuntimeError

    assert local.operations.unfinished("work") == []


def test_operations_are_polled_under_three_versions(server: LocalCloud) -> None:
    """The SDKs poll /ui; v1beta1 has types of its own version."""
    vertex = Vertex(server.url, "versions")
    operation = vertex.post(
        f"{vertex.parent}/endpoints",
        {"displayName": "x"},
    )

    answers = [
        vertex.call("GET", operation["name"], version=version).json()
        for version in ("v1", "ui", "v1beta1")
    ]

    assert answers[0] == answers[1] == operation
    assert ".v1beta1.Endpoint" in answers[2]["response"]["@type"]
    assert vertex.post(f"{operation['name']}:wait") == operation


def test_operations_are_listed_and_deleted(server: LocalCloud) -> None:
    """Under the resource they were made for; once deleted they are 404."""
    vertex = Vertex(server.url, "listed")
    operation = vertex.post(f"{vertex.parent}/endpoints", {"displayName": "x"})
    parent = operation["name"].rsplit("/", 1)[0]

    listed = vertex.get(parent)["operations"]
    vertex.call("DELETE", operation["name"])

    assert listed == [operation]
    assert error(vertex.call("GET", operation["name"]))[:2] == (404, "NOT_FOUND")
    assert vertex.get(parent) == {}


def test_methods_that_are_missing_say_their_name(server: LocalCloud) -> None:
    """Known to the SDK, not to the local cloud: 501 with the RPC."""
    vertex = Vertex(server.url, "missing")

    answer = vertex.call("GET", f"{vertex.parent}/featurestores")

    code, status, message = error(answer)
    assert (code, status) == (501, "UNIMPLEMENTED")
    assert "google.cloud.aiplatform.v1.FeaturestoreService.ListFeaturestores" in message
    assert vertex.call("GET", f"{vertex.parent}/nonsense").status_code == 404


def test_a_project_that_is_not_named_is_refused(start: Callable[..., LocalCloud]) -> None:
    """With --project, another project does not exist for Vertex AI either."""
    vertex = Vertex(start("--project", "mine").url, "yours")

    assert error(vertex.call("GET", f"{vertex.parent}/datasets"))[:2] == (403, "PERMISSION_DENIED")


def test_reset_ends_and_forgets_everything(start: Callable[..., LocalCloud]) -> None:
    """After a reset no resource and no operation is left."""
    vertex = Vertex(start().url, "reset")
    operation = vertex.post(f"{vertex.parent}/endpoints", {"displayName": "x"})

    httpx.post(f"{vertex.url}/_emulator/reset", timeout=60).raise_for_status()

    assert vertex.get(f"{vertex.parent}/endpoints") == {}
    assert vertex.call("GET", operation["name"]).status_code == 404


def test_an_operation_begun_by_v1beta1_has_its_types_at_ui_too(http: httpx.Client) -> None:
    """The SDKs poll /ui whatever version they speak, and read only their own version's types."""
    url = "/v1beta1/projects/beta-project/locations/us-central1/endpoints"
    made = http.post(url, json={"displayName": "beta"}).json()

    polled = http.get(f"/ui/{made['name']}").json()

    assert ".v1beta1.Endpoint" in polled["response"]["@type"]
    assert ".v1beta1.Create" in polled["metadata"]["@type"]
