"""Projects: ids on first use, one number everywhere, and the only ones when named."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest
from starlette.testclient import TestClient

from emulator.cloud import Cloud
from emulator.errors import ApiError
from emulator.resourcemanager import projects
from tests.local_cloud import LocalCloud


def test_a_project_exists_on_first_use(local: Cloud) -> None:
    """Its number is the same each time, found back by number, and differs between projects."""
    number = projects.number(local, "photos-demo")

    assert number == projects.number(local, "photos-demo") != projects.number(local, "another")
    assert len(str(number)) == 12
    assert projects.by_number(local, number) == "photos-demo"
    assert projects.canonical(local, str(number)) == projects.canonical(local, "photos-demo")


def test_an_unknown_number(local: Cloud) -> None:
    """A number that no project has is refused as Google refuses it."""
    assert projects.by_number(local, 123456789012) is None
    with pytest.raises(ApiError) as refused:
        projects.canonical(local, "123456789012")
    assert refused.value.status == "PERMISSION_DENIED"


def test_both_versions_of_get(local_http: TestClient) -> None:
    """v3 and v1 know a project by id and by number, in their own forms."""
    v3 = local_http.get("/v3/projects/photos-demo").json()
    number = v3["name"].removeprefix("projects/")
    v1 = local_http.get(f"/v1/projects/{number}").json()

    assert (v3["projectId"], v3["state"]) == ("photos-demo", "ACTIVE")
    assert local_http.get(f"/v3/projects/{number}").json() == v3
    assert (v1["projectId"], v1["projectNumber"]) == ("photos-demo", number)
    assert v1["lifecycleState"] == "ACTIVE"


def test_the_bucket_has_the_same_number(local_http: TestClient) -> None:
    """Cloud Storage answers the number that Resource Manager does."""
    name = local_http.get("/v3/projects/photos-demo").json()["name"]
    made = local_http.post("/storage/v1/b?project=photos-demo", json={"name": "numbered"}).json()

    assert name == f"projects/{made['projectNumber']}"


def test_only_named_projects(start: Callable[..., LocalCloud]) -> None:
    """With --project any other id is 403 in every service; the named one has a number at once."""
    cloud = start("--project", "only-one")
    name = httpx.get(f"{cloud.url}/v3/projects/only-one").json()["name"]

    other = httpx.get(f"{cloud.url}/v3/projects/other")
    bucket = httpx.post(f"{cloud.url}/storage/v1/b?project=other", json={"name": "some-name"})

    assert httpx.get(f"{cloud.url}/v1/{name}").json()["projectId"] == "only-one"
    assert (other.status_code, other.json()["error"]["status"]) == (403, "PERMISSION_DENIED")
    assert bucket.status_code == 403
    assert bucket.json()["error"]["errors"][0]["reason"] == "forbidden"
