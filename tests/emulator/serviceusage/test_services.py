"""Service Usage, asked by Google's client and against recorded exchanges."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import httpx
import pytest

from tests.local_cloud import LocalCloud

if TYPE_CHECKING:
    from google.cloud.service_usage_v1 import ServiceUsageClient

GOLDEN = Path(__file__).parents[4] / "shared" / "golden"
HOST = "https://serviceusage.googleapis.com"
VERTEX = "aiplatform.googleapis.com"


@pytest.fixture
def project() -> str:
    """A project that no other test uses."""
    return f"services-{uuid4().hex[:8]}"


@pytest.fixture
def services(server: LocalCloud) -> ServiceUsageClient:
    """Google's client for services."""
    from google.auth.credentials import AnonymousCredentials
    from google.cloud.service_usage_v1 import ServiceUsageClient

    return ServiceUsageClient(
        transport="rest",
        credentials=AnonymousCredentials(),  # type: ignore[no-untyped-call]
        client_options={"api_endpoint": server.url},
    )


def ended(operation: Any) -> Any:
    """What an operation of the client ended with."""
    return operation.result()


def states(services: ServiceUsageClient, project: str, *names: str) -> list[str]:
    """The states of services, in this order."""
    parent = f"projects/{project}"
    asked = {"parent": parent, "names": [f"{parent}/services/{name}" for name in names]}
    return [one.state.name for one in services.batch_get_services(asked).services]


def test_what_the_local_cloud_serves_is_enabled(services: ServiceUsageClient, project: str) -> None:
    """A new project has the catalogue's services, and no other."""
    found = states(services, project, VERTEX, "storage.googleapis.com", "vision.googleapis.com")

    assert found == ["ENABLED", "ENABLED", "DISABLED"]


def test_services_are_disabled_and_enabled(services: ServiceUsageClient, project: str) -> None:
    """One by one or many at once, each change an operation with the service as its answer."""
    name = f"projects/{project}/services/{VERTEX}"

    off = ended(services.disable_service({"name": name}))
    asked = [VERTEX, "vision.googleapis.com"]
    body = {"parent": f"projects/{project}", "service_ids": asked}
    on = ended(services.batch_enable_services(body))

    assert off.service.state.name == "DISABLED"
    assert [one.state.name for one in on.services] == ["ENABLED", "ENABLED"]
    assert states(services, project, VERTEX) == ["ENABLED"]


def test_services_are_listed_by_state(services: ServiceUsageClient, project: str) -> None:
    """A page at a time, and only those in the state that is asked for."""
    parent = f"projects/{project}"
    ended(services.disable_service({"name": f"{parent}/services/{VERTEX}"}))

    asked = {"parent": parent, "filter": "state:ENABLED", "page_size": 4}
    enabled = {one.config.name for one in services.list_services(asked)}
    disabled = services.list_services({"parent": parent, "filter": "state:DISABLED"})

    assert VERTEX not in enabled and {"storage.googleapis.com", "sts.googleapis.com"} <= enabled
    assert [one.config.name for one in disabled] == [VERTEX]


def test_a_disabled_service_answers_no_calls(http: httpx.Client, project: str) -> None:
    """Vertex AI says that it is disabled, and by which address it is enabled."""
    http.post(f"/v1/projects/{project}/services/{VERTEX}:disable", json={})

    refused = http.get(f"/v1/projects/{project}/locations/us-central1/datasets")
    http.post(f"/v1/projects/{project}/services/{VERTEX}:enable", json={})
    again = http.get(f"/v1/projects/{project}/locations/us-central1/datasets")

    assert (refused.status_code, again.status_code) == (403, 200)
    assert refused.json()["error"]["details"][0]["reason"] == "SERVICE_DISABLED"


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "services/nothing", None, 403),
        ("POST", "services/vertex.example.com:enable", {}, 403),
        ("GET", "services:batchGet", None, 400),
        ("GET", f"services:batchGet?names=projects/other/services/{VERTEX}", None, 400),
        ("POST", "services:batchEnable", {"serviceIds": [VERTEX] * 21}, 400),
        ("POST", "services:batchEnable", {"ids": [VERTEX]}, 400),
        ("GET", "services?filter=name:x", None, 400),
    ],
)
def test_what_google_refuses_is_refused(
    http: httpx.Client, project: str, method: str, path: str, body: Any, status: int
) -> None:
    """Services that do not exist, names of another project, too many at once, unknown fields."""
    assert http.request(method, f"/v1/projects/{project}/{path}", json=body).status_code == status


def exchanges(log: str) -> list[tuple[str, str, Any, int, Any]]:
    """Method, path, body, status and answer of the exchanges with Service Usage."""
    found = []
    for block in (GOLDEN / log).read_text().split("\n---\n"):
        parts = block.strip().split("\n\n")
        split = next(i for i, part in enumerate(parts) if re.match(r"\d{3} ", part))
        method, url = parts[0].splitlines()[0].split(" ", 1)
        sent = json.loads("\n\n".join(parts[1:split]) or "null")
        answer = json.loads("\n\n".join(parts[split + 1 :]) or "null")
        if url.startswith(HOST):
            found.append((method, url.removeprefix(HOST), sent, int(parts[split][:3]), answer))
    return found


@pytest.mark.parametrize("log", ["service.log", "serviceidentity.log"])
def test_recorded_exchanges(http: httpx.Client, log: str, project: str) -> None:
    """Each answer has Google's status and every key that Google answered, operations included."""
    if not GOLDEN.is_dir():
        pytest.skip("needs the recorded exchanges in ../shared/golden")
    operation = "operations/none"
    for method, path, sent, status, answered in exchanges(log):
        path = re.sub(r"project-\$\{uniqueId\}|\$\{projectId\}", project, path)
        path = path.replace("operations/${operationID}", operation)
        answer = http.request(method, path, json=sent)
        operation = answer.json().get("name", operation) if method == "POST" else operation
        assert answer.status_code == status, path
        assert set(answered) <= set(answer.json()), path
