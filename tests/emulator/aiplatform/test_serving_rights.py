"""A custom model's container is the account that was named for it; so are the logs of a job."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.emulator.aiplatform.test_custom_deployments import MACHINE, predicted, upload
from tests.emulator.aiplatform.test_job_rights import WORDS, account, grant
from tests.emulator.custom import begin_job, ended, log
from tests.emulator.vertex import Body, Vertex
from tests.local_cloud import LocalCloud, wait_until

READER = "roles/storage.objectViewer"


def deployed_as(vertex: Vertex, endpoint: str, model: str, email: str) -> Body:
    """The operation of a deployment whose container runs as an account, ended."""
    deployed: dict[str, Any] = {"id": "7", "model": model, "dedicatedResources": MACHINE}
    body = {"deployedModel": {**deployed, "serviceAccount": email}}
    return vertex.done(vertex.post(f"{endpoint}:deployModel", body))


def test_a_container_signs_in_as_its_account(
    vertex: Vertex, vertex_server: LocalCloud, bucket: str
) -> None:
    """It reads its model as that account, by a key that goes with the deployment."""
    model, endpoint, email = upload(vertex, bucket), vertex.endpoint(), account(vertex)
    grant(vertex, bucket, READER, email)

    operation = deployed_as(vertex, endpoint, model, email)

    assert operation["response"]["deployedModel"]["serviceAccount"] == email
    assert vertex.get(endpoint)["deployedModels"][0]["serviceAccount"] == email
    assert predicted(vertex, endpoint) == ("7", "cat")
    keys = list(Path(vertex_server.data, "jobs").glob("serve-*/credentials.json"))
    assert [json.loads(key.read_text())["client_email"] for key in keys] == [email]
    vertex.done(vertex.post(f"{endpoint}:undeployModel", {"deployedModelId": "7"}))
    wait_until(lambda: not keys[0].exists())


def test_a_container_whose_account_may_not_read_the_model(vertex: Vertex, bucket: str) -> None:
    """The deployment fails with the permission that is missing; nothing is deployed."""
    model, endpoint, email = upload(vertex, bucket), vertex.endpoint(), account(vertex)
    folder = vertex.get(model)["artifactUri"]

    operation = deployed_as(vertex, endpoint, model, email)

    said = WORDS.format(email=email, permission="storage.objects.get", what=f'directory "{folder}"')
    assert operation["error"] == {"code": 9, "message": said}
    assert "deployedModels" not in vertex.get(endpoint)


def test_a_container_of_an_account_that_is_not_there(vertex: Vertex, bucket: str) -> None:
    """The owner's deployment fails: nobody could run it."""
    nobody = "nobody@p.iam.gserviceaccount.com"

    operation = deployed_as(vertex, vertex.endpoint(), upload(vertex, bucket), nobody)

    assert operation["error"]["message"] == f"The service account {nobody} does not exist."


def test_a_job_s_log_is_its_account_s(custom: Vertex) -> None:
    """Without the right to write logs nothing that the job says is kept, and the log says so."""
    email = account(custom)
    role = {"role": "roles/logging.logWriter", "members": [f"serviceAccount:{email}"]}

    silent = begin_job(custom, "say", "hello", serviceAccount=email)
    ended(custom, silent)
    policy = {"policy": {"version": 3, "bindings": [role]}}
    custom.post(f"projects/{custom.project}:setIamPolicy", policy)
    heard = begin_job(custom, "say", "hello", serviceAccount=email)
    ended(custom, heard)

    lost = [one["textPayload"] for one in log(custom, silent) if one["severity"] == "WARNING"]
    assert lost == [
        "Permission 'logging.logEntries.create' denied on resource '//logging.googleapis.com/"
        f"projects/{custom.project}' (or it may not exist). What the job writes is not kept: "
        f"{email} lacks it."
    ]
    assert "hello" not in json.dumps(log(custom, silent))
    assert "hello" in json.dumps(log(custom, heard))


def test_what_a_job_may_not_read_stands_in_its_log(custom: Vertex, runs: str) -> None:
    """The file is not there; the log has the bucket, the account and the permission."""
    email = account(custom)
    custom.upload(runs, {"in": b"x"})

    job = begin_job(custom, "copy", f"gs://{runs}/in", f"gs://{runs}/out", serviceAccount=email)
    failed = ended(custom, job)

    said = WORDS.format(email=email, permission="storage.objects.get", what=f'bucket "{runs}"')
    assert failed["state"] == "JOB_STATE_FAILED"
    assert said in [one.get("textPayload") for one in log(custom, job, 'AND severity="ERROR"')]
