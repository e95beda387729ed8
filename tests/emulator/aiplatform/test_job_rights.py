"""Jobs and operations are asked for the rights of their account before they see a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

from tests.emulator.custom import begin_job, content, ended, objects
from tests.emulator.vertex import Body, Vertex, photo
from tests.local_cloud import LocalCloud, wait_until

WORDS = (
    "Service account `{email}` does not have `[{permission}]` IAM permission(s) to the {what}. "
    "Please either copy the files to the Google Cloud Storage bucket owned by your project, or "
    "grant the required IAM permission(s) to the service account."
)


def agent(vertex: Vertex) -> str:
    """The address of Vertex AI's agent in the project."""
    number = vertex.get(f"projects/{vertex.project}")["projectNumber"]
    return f"service-{number}@gcp-sa-aiplatform.iam.gserviceaccount.com"


def policy(vertex: Vertex) -> dict[str, list[str]]:
    """Members by role."""
    found = vertex.post(f"projects/{vertex.project}:getIamPolicy")
    return {one["role"]: one["members"] for one in found["bindings"]}


def revoke(vertex: Vertex) -> None:
    """Nobody has a role in the project any more."""
    body = {"policy": {"version": 3, "bindings": []}}
    vertex.post(f"projects/{vertex.project}:setIamPolicy", body)


def grant(vertex: Vertex, bucket: str, role: str, email: str, **condition: Any) -> None:
    """The bucket gives the account a role, and nobody else any."""
    binding = {"role": role, "members": [f"serviceAccount:{email}"], **condition}
    uniform = {"iamConfiguration": {"uniformBucketLevelAccess": {"enabled": True}}}
    base = f"{vertex.url}/storage/v1/b/{bucket}"
    httpx.patch(base, json=uniform).raise_for_status()
    body = {"version": 3, "bindings": [binding]}
    httpx.put(f"{base}/iam", json=body).raise_for_status()


def account(vertex: Vertex) -> str:
    """A new service account of the project."""
    path = f"projects/{vertex.project}/serviceAccounts"
    email: str = vertex.post(path, {"accountId": f"runner-{uuid4().hex[:6]}"})["email"]
    return email


def import_file(vertex: Vertex, bucket: str) -> str:
    """The address of a list of one photo."""
    rows = f"gs://{bucket}/a.png,cat\n".encode()
    vertex.upload(bucket, {"a.png": photo(1), "list.csv": rows})
    return f"gs://{bucket}/list.csv"


def test_the_agent_has_its_role_until_somebody_takes_it(vertex: Vertex, bucket: str) -> None:
    """An import works for those who set nothing; without the role it is an error of the operation.

    A role on the bucket is enough again.
    """
    uri, dataset = import_file(vertex, bucket), vertex.dataset()

    first = vertex.done(vertex.begin_import(dataset, uri))
    granted = policy(vertex)
    revoke(vertex)
    second = vertex.done(vertex.begin_import(dataset, uri))
    grant(vertex, bucket, "roles/storage.objectViewer", agent(vertex))
    third = vertex.done(vertex.begin_import(dataset, uri))

    assert granted["roles/aiplatform.serviceAgent"] == [f"serviceAccount:{agent(vertex)}"]
    assert "error" not in first and "error" not in third
    said = WORDS.format(
        email=agent(vertex), permission="storage.objects.get", what=f'bucket "{bucket}"'
    )
    assert second["error"] == {"code": 9, "message": said}


def test_the_list_may_be_read_and_a_photo_not(vertex: Vertex, bucket: str) -> None:
    """The photo's bucket is asked too: another project's grants nothing."""
    other = Vertex(vertex.url, f"other-{uuid4().hex[:8]}")
    theirs = other.bucket(f"theirs-{uuid4().hex[:8]}")
    other.upload(theirs, {"a.png": photo(1)})
    vertex.upload(bucket, {"list.csv": f"gs://{theirs}/a.png,cat\n".encode()})

    operation = vertex.done(vertex.begin_import(vertex.dataset(), f"gs://{bucket}/list.csv"))

    assert f'to the bucket "{theirs}"' in operation["error"]["message"]


def test_an_export_and_a_model_s_files_are_asked_for(vertex: Vertex, bucket: str) -> None:
    """Export: an error of the operation. Upload of a model: of the call, as recorded."""
    dataset = vertex.dataset()
    vertex.done(vertex.begin_import(dataset, import_file(vertex, bucket)))
    vertex.upload(bucket, {"model/saved_model.pb": b"x"})
    revoke(vertex)
    config = {"gcsDestination": {"outputUriPrefix": f"gs://{bucket}/out"}}
    model = {
        "displayName": "m",
        "artifactUri": f"gs://{bucket}/model",
        "containerSpec": {"imageUri": "us-docker.pkg.dev/p/r/i"},
    }

    export = vertex.done(vertex.post(f"{dataset}:export", {"exportConfig": config}))
    upload = vertex.call("POST", f"{vertex.parent}/models:upload", {"model": model})

    assert export["error"]["code"] == 9
    assert "[storage.objects.create]` IAM permission(s)" in export["error"]["message"]
    assert (upload.status_code, upload.json()["error"]["status"]) == (400, "FAILED_PRECONDITION")
    assert upload.json()["error"]["message"] == WORDS.format(
        email=agent(vertex), permission="storage.objects.get",
        what=f'directory "gs://{bucket}/model"',
    )  # fmt: skip


def test_a_job_sees_and_writes_what_its_account_may(custom: Vertex, runs: str) -> None:
    """Under a condition by prefix: the files outside are not there, and none can be made there."""
    email = account(custom)
    custom.upload(runs, {"mine/in": b"mine", "other/in": b"other"})
    prefix = f"projects/_/buckets/{runs}/objects/mine/"
    condition = {"title": "p", "expression": f'resource.name.startsWith("{prefix}")'}
    grant(custom, runs, "roles/storage.objectUser", email, condition=condition)

    def run(*args: str, base: str = "") -> Body:
        return ended(custom, begin_job(custom, *args, base=base, serviceAccount=email))

    good = run("copy", f"gs://{runs}/mine/in", f"gs://{runs}/mine/out")
    unseen = run("copy", f"gs://{runs}/other/in", f"gs://{runs}/mine/out2")
    outside = run("write", f"gs://{runs}/other/out", "x")
    refused = run("say", "x", base=f"gs://{runs}/other/run")

    states = [job["state"].removeprefix("JOB_STATE_") for job in (good, unseen, outside, refused)]
    assert states == ["SUCCEEDED", "FAILED", "SUCCEEDED", "FAILED"]
    assert objects(custom, runs) == ["mine/in", "mine/out", "other/in"]
    assert content(custom, runs, "mine/out") == "mine"
    assert refused["error"]["message"] == WORDS.format(
        email=email, permission="storage.objects.create",
        what=f'directory "gs://{runs}/other/run"',
    )  # fmt: skip


def test_a_job_signs_in_as_its_account(
    custom: Vertex, custom_server: LocalCloud, runs: str
) -> None:
    """Its key is the account's, or the custom code agent's, and is gone when the job is over."""
    email = account(custom)
    grant(custom, runs, "roles/storage.objectAdmin", email)
    number = custom.get(f"projects/{custom.project}")["projectNumber"]
    found = []
    for more in ({"serviceAccount": email}, {}):
        job = begin_job(custom, "wait", "go", **more)
        folder = Path(custom_server.data, "jobs", job.rsplit("/", 1)[1])
        wait_until(lambda job=job: custom.get(job)["state"] == "JOB_STATE_RUNNING")  # type: ignore[misc]
        key = folder / "credentials.json"
        found.append((json.loads(key.read_text())["client_email"], oct(key.stat().st_mode)[-3:]))
        (folder / "go").touch()
        ended(custom, job)
        wait_until(lambda key=key: not key.exists())  # type: ignore[misc]

    code = f"service-{number}@gcp-sa-aiplatform-cc.iam.gserviceaccount.com"
    assert found == [(email, "600"), (code, "600")]
    assert policy(custom)["roles/aiplatform.customCodeServiceAgent"] == [f"serviceAccount:{code}"]


def test_a_job_s_clients_of_storage_are_its_account(
    custom: Vertex, custom_server: LocalCloud, runs: str
) -> None:
    """Plain `storage.Client()` and `GCSFileSystem()`, in its own bucket and in another's."""
    email = account(custom)
    theirs = custom.bucket(f"theirs-{uuid4().hex[:8]}")
    custom.upload(theirs, {"o": b"secret"})
    custom.upload(runs, {"o": b"mine"})
    grant(custom, runs, "roles/storage.objectAdmin", email)
    grant(custom, theirs, "roles/storage.objectViewer", agent(custom))

    job = begin_job(custom, "clients", f"gs://{runs}/o", "clients", f"gs://{theirs}/o",
                    serviceAccount=email)  # fmt: skip
    ended(custom, job)

    said = Path(custom_server.data, "jobs", job.rsplit("/", 1)[1], "stdout.log").read_text()
    assert said.splitlines() == ["mine written mine written", "Forbidden Forbidden OSError OSError"]
    assert objects(custom, theirs) == ["o"]
    assert objects(custom, runs) == ["o", "o.client", "o.gcsfs"]


def test_an_account_that_is_not_there(custom: Vertex) -> None:
    """The owner's job fails: nobody could run it."""
    job = begin_job(custom, "say", "x", serviceAccount="nobody@p.iam.gserviceaccount.com")

    failed = ended(custom, job)

    assert failed["state"] == "JOB_STATE_FAILED"
    assert "nobody@p.iam.gserviceaccount.com does not exist" in failed["error"]["message"]
