"""Builds: they fetch, look and register, and say what they did not do."""

from __future__ import annotations

import io
import tarfile
from typing import TYPE_CHECKING, Any

import pytest

from emulator.clock import SteppedClock

if TYPE_CHECKING:
    from starlette.testclient import TestClient

PLACE = "/v1/projects/build-project/locations/us-central1"
IMAGE = "us-central1-docker.pkg.dev/build-project/ops/trainer:src-1"


def archive(*names: str) -> bytes:
    """A tar.gz with these files."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name in names:
            tar.addfile(tarfile.TarInfo(name), io.BytesIO())
    return packed.getvalue()


def asked(**changed: Any) -> dict[str, Any]:
    """A build as `ops` asks for it."""
    args = ["build", "--file=trainer/Dockerfile", f"--tag={IMAGE}", "."]
    step = {"name": "gcr.io/cloud-builders/docker", "args": args}
    source = {"storageSource": {"bucket": "sources", "object": "source.tar.gz"}}
    body = {"source": source, "steps": [step], "images": [IMAGE], "tags": ["src-1"]}
    return {**body, "logsBucket": "gs://sources/logs", **changed}


@pytest.fixture
def http(local_http: TestClient) -> TestClient:
    """A project with a repository, a bucket and a source."""
    local_http.post(f"{PLACE}/repositories?repositoryId=ops", json={"format": "DOCKER"})
    local_http.post("/storage/v1/b?project=build-project", json={"name": "sources"})
    upload(local_http, archive("trainer/Dockerfile"))
    return local_http


def upload(http: TestClient, content: bytes) -> None:
    """Put a source into the bucket."""
    path = "/upload/storage/v1/b/sources/o?uploadType=media&name=source.tar.gz"
    assert http.post(path, content=content).status_code == 200


def built(http: TestClient, clock: SteppedClock, body: dict[str, Any]) -> dict[str, Any]:
    """The build when it is over."""
    begun = http.post(f"{PLACE}/builds", json=body).json()["metadata"]["build"]
    clock.advance(2)
    found: dict[str, Any] = http.get(f"{PLACE}/builds/{begun['id']}").json()
    return found


def test_a_build_is_queued_then_works_then_is_over(http: TestClient, clock: SteppedClock) -> None:
    """Its state follows the clock; the image is there only when it is over."""
    begun = http.post(f"{PLACE}/builds", json=asked()).json()["metadata"]["build"]
    path = f"{PLACE}/builds/{begun['id']}"
    tag = f"{PLACE}/repositories/ops/packages/trainer/tags/src-1"

    assert begun["status"] == "QUEUED"
    assert http.get(path).json()["status"] == "WORKING"
    assert http.get(tag).status_code == 404

    clock.advance(1)
    done = http.get(path).json()
    digest = done["results"]["images"][0]["digest"]
    assert done["status"] == "SUCCESS"
    assert http.get(tag).json()["version"].endswith(f"/versions/{digest}")
    found = http.get(f"{PLACE}/repositories/ops/dockerImages/trainer@{digest}").json()
    assert (found["tags"], found["uri"]) == (["src-1"], f"{IMAGE.rpartition(':')[0]}@{digest}")


def test_the_same_source_and_step_have_the_same_digest(
    http: TestClient, clock: SteppedClock
) -> None:
    """Another source has another, and the tag moves to it."""
    first, second = (built(http, clock, asked())["results"]["images"][0] for _ in range(2))
    upload(http, archive("trainer/Dockerfile", "trainer/task.py"))
    other = built(http, clock, asked())["results"]["images"][0]
    listed = http.get(f"{PLACE}/repositories/ops/dockerImages").json()["dockerImages"]

    assert first["digest"] == second["digest"] != other["digest"]
    assert sorted(one["tags"] for one in listed if one.get("tags")) == [["src-1"]]


def test_the_log_says_what_was_not_done(http: TestClient, clock: SteppedClock) -> None:
    """It lies in the bucket that the build named."""
    done = built(http, clock, asked())
    path = f"/storage/v1/b/sources/o/logs%2Flog-{done['id']}.txt?alt=media"

    assert "runs no Docker" in http.get(path).text


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "no source": ({"source": {"storageSource": {"bucket": "sources", "object": "x"}}}, "FETCH"),
    "another step": ({"steps": [{"name": "bash", "args": ["build"]}]}, "USER_BUILD_STEP"),
    "no tag": ({"images": [IMAGE + "x"]}, "PUSH_IMAGE_NOT_FOUND"),
}


@pytest.mark.parametrize(("changed", "kind"), BAD.values(), ids=BAD)
def test_what_cannot_be_built_fails(
    http: TestClient, clock: SteppedClock, changed: dict[str, Any], kind: str
) -> None:
    """The failure has a type of Google's and a sentence; no image is registered."""
    done = built(http, clock, asked(**changed))

    assert done["status"] == "FAILURE"
    assert done["failureInfo"]["type"].startswith(kind)
    assert http.get(f"{PLACE}/repositories/ops/dockerImages").json() == {}


@pytest.mark.parametrize("content", [b"no archive", archive("Dockerfile")], ids=["junk", "no file"])
def test_the_source_is_looked_into(http: TestClient, clock: SteppedClock, content: bytes) -> None:
    """An object that is no archive, or has no build file where the step says, fails the build."""
    upload(http, content)

    assert built(http, clock, asked())["status"] == "FAILURE"


def test_without_the_repository_nothing_is_pushed(http: TestClient, clock: SteppedClock) -> None:
    """The build fails at its end, as on Google."""
    http.delete(f"{PLACE}/repositories/ops")

    assert built(http, clock, asked())["failureInfo"]["type"] == "PUSH_FAILED"


def test_builds_are_found_by_tag_and_state(http: TestClient, clock: SteppedClock) -> None:
    """The newest first; a filter on anything else is refused by name."""
    for tag in ("a", "b", "a"):
        http.post(f"{PLACE}/builds", json=asked(tags=[tag]))
        clock.advance(0.3)
    found = http.get(f"{PLACE}/builds", params={"filter": 'tags="a" AND status="WORKING"'}).json()
    times = [one["createTime"] for one in found["builds"]]

    assert len(times) == 2 and times == sorted(times, reverse=True)
    assert http.get(f"{PLACE}/builds", params={"filter": "images=x"}).status_code == 501


def test_a_running_build_is_cancelled_once(http: TestClient, clock: SteppedClock) -> None:
    """Cancelled, it registers nothing; what is over cannot be cancelled."""
    begun = http.post(f"{PLACE}/builds", json=asked()).json()["metadata"]["build"]
    path = f"{PLACE}/builds/{begun['id']}"

    assert http.post(f"{path}:cancel", json={}).json()["status"] == "CANCELLED"
    clock.advance(5)
    assert http.get(path).json()["status"] == "CANCELLED"
    assert http.post(f"{path}:cancel", json={}).status_code == 400


def test_what_google_refuses_at_once(http: TestClient) -> None:
    """No step; an account without a place for the log; an account that is not there."""
    account = "projects/build-project/serviceAccounts/x@build-project.iam.gserviceaccount.com"

    assert http.post(f"{PLACE}/builds", json=asked(steps=[])).status_code == 400
    refused = http.post(f"{PLACE}/builds", json=asked(serviceAccount=account, logsBucket=""))
    assert "build.logs_bucket" in refused.json()["error"]["message"]
    assert http.post(f"{PLACE}/builds", json=asked(serviceAccount=account)).status_code == 404


def test_a_disabled_service_answers_nothing(http: TestClient) -> None:
    """403 with the reason; Vertex AI goes on."""
    service = "/v1/projects/build-project/services/cloudbuild.googleapis.com"
    http.post(f"{service}:disable", json={})

    refused = http.get(f"{PLACE}/builds")

    assert refused.status_code == 403
    assert refused.json()["error"]["details"][0]["reason"] == "SERVICE_DISABLED"
    assert http.get(f"{PLACE}/datasets").status_code == 200


def test_a_build_does_what_its_account_may(http: TestClient, clock: SteppedClock) -> None:
    """It reads the source and pushes the image only with the rights for both."""
    made = http.post("/v1/projects/build-project/serviceAccounts", json={"accountId": "builder"})
    name, member = made.json()["name"], f"serviceAccount:{made.json()['email']}"
    body = asked(serviceAccount=name)
    reader = {"role": "roles/storage.objectViewer", "members": [member]}
    writer = {"role": "roles/artifactregistry.writer", "members": [member]}

    def types(*bindings: dict[str, Any]) -> str:
        path = "/v1/projects/build-project:setIamPolicy"
        http.post(path, json={"policy": {"bindings": list(bindings)}})
        return str(built(http, clock, body).get("failureInfo", {}).get("type", ""))

    assert types() == "FETCH_SOURCE_FAILED"
    assert types(reader) == "PUSH_NOT_AUTHORIZED"
    assert types(reader, writer) == ""
