"""Projects created, changed, deleted and brought back, in v1 and in v3."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.local_cloud import LocalCloud

if TYPE_CHECKING:
    from starlette.testclient import TestClient

FOLDER = {"type": "folder", "id": "123456789012"}


def test_a_project_is_created_once(local_http: TestClient) -> None:
    """The operation ends with the project; both versions show it; the id is taken then."""
    sent = {"projectId": "new-project", "name": "New project", "parent": FOLDER}

    operation = local_http.post("/v1/projects", json=sent).json()

    assert operation["done"] is True
    assert local_http.get(f"/v1/{operation['name']}").json() == operation
    v1 = local_http.get("/v1/projects/new-project").json()
    v3 = local_http.get(f"/v3/projects/{v1['projectNumber']}").json()
    assert (v1["name"], v1["parent"]) == ("New project", FOLDER)
    assert (v3["displayName"], v3["parent"]) == ("New project", "folders/123456789012")
    assert local_http.post("/v1/projects", json=sent).status_code == 409


def test_a_bad_project_id_is_refused(local_http: TestClient) -> None:
    """Too short, capitals, or a hyphen at the end: 400."""
    for project_id in ("abc", "Upper-case", "ends-with-", "1starts"):
        answer = local_http.post("/v1/projects", json={"projectId": project_id})
        assert answer.status_code == 400, project_id


@pytest.mark.parametrize(
    ("name", "code"),
    [("abc", 400), ("a" * 31, 400), ("under_score", 400), ("Café 'one'!", 200)],
)
def test_display_names(local_http: TestClient, name: str, code: int) -> None:
    """4 to 30 letters, digits, spaces, hyphens, quotes and exclamation marks."""
    sent = {"projectId": "named-project", "name": name}

    assert local_http.post("/v1/projects", json=sent).status_code == code


def test_a_mask_changes_a_project_of_version_3(local_http: TestClient) -> None:
    """The display name changes, the labels that are not in the mask stay."""
    labels = {"team": "vision"}
    local_http.post(
        "/v3/projects",
        json={"projectId": "masked-project", "displayName": "Before", "labels": labels},
    )
    sent = {"displayName": "After", "labels": {}}

    local_http.patch("/v3/projects/masked-project?updateMask=displayName", json=sent)

    after = local_http.get("/v3/projects/masked-project").json()
    assert (after["displayName"], after["labels"]) == ("After", labels)


def test_a_deleted_project_refuses_its_services_until_it_is_back(local_http: TestClient) -> None:
    """Marked for deletion it can be read, but its datasets cannot; undeleted they can."""
    datasets = "/v1/projects/short-lived/locations/us-central1/datasets"
    assert local_http.get(datasets).status_code == 200

    assert local_http.delete("/v1/projects/short-lived").json() == {}

    state = local_http.get("/v1/projects/short-lived").json()["lifecycleState"]
    assert state == "DELETE_REQUESTED"
    assert local_http.get(datasets).status_code == 403
    local_http.post("/v1/projects/short-lived:undelete", json={})
    assert local_http.get(datasets).status_code == 200


def test_a_search_finds_projects_by_label(local_http: TestClient) -> None:
    """Of three projects the one with the label."""
    for number in range(3):
        sent = {"projectId": f"search-{number}x", "labels": {"n": str(number)}}
        local_http.post("/v1/projects", json=sent)

    found = local_http.get("/v3/projects:search", params={"query": "labels.n:1"}).json()

    assert [one["projectId"] for one in found["projects"]] == ["search-1x"]


def test_a_list_finds_projects_by_the_beginning_of_their_name(local_http: TestClient) -> None:
    """Whatever the case: `name:dem*`."""
    for name in ("Demo one", "A demo"):
        project_id = name.lower().replace(" ", "-")
        local_http.post("/v1/projects", json={"projectId": project_id, "name": name})

    found = local_http.get("/v1/projects", params={"filter": "name:dem*"}).json()

    assert [one["projectId"] for one in found["projects"]] == ["demo-one"]


def test_only_named_and_created_projects_exist(start: Callable[..., LocalCloud]) -> None:
    """With `--project`, others are refused until somebody creates them, across a restart too."""
    cloud = start("--project", "the-only-one")
    with httpx.Client(base_url=cloud.url) as http:
        assert http.get("/v1/projects/the-only-one").status_code == 200
        refused = http.get("/v1/projects/another-one")
        assert refused.status_code == 403
        assert refused.json()["error"]["message"] == "The caller does not have permission"

        http.post("/v1/projects", json={"projectId": "another-one"})

        assert http.get("/v1/projects/another-one").status_code == 200
        url = "/v1/projects/another-one/locations/us-central1/datasets"
        assert http.get(url).status_code == 200
