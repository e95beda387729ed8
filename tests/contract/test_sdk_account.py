"""Who the SDK is: the key file of the local account, its project, its default staging bucket."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.contract.sdk import initialise, lead_resource_manager, projects_client
from tests.emulator.custom import IMAGE
from tests.emulator.vertex import Vertex
from tests.google_proxy import GoogleProxy, google_proxy
from tests.local_cloud import LocalCloud, wait_until


def test_the_projects_client_reads_a_project_and_its_policy(
    sdk_server: LocalCloud, plain: Vertex, only_this_machine: list[str]
) -> None:
    """The number is that of every service; a binding that was added is there."""
    client = projects_client(sdk_server)
    name = f"projects/{plain.project}"
    number = plain.get(plain.dataset())["metadata"]["gcsBucket"].rsplit("-", 1)[1]

    project = client.get_project(name=name)
    policy = client.get_iam_policy(resource=name)
    policy.bindings.add(role="roles/viewer", members=["user:a@example.com"])
    client.set_iam_policy(request={"resource": name, "policy": policy})

    assert project.name == f"projects/{number}" and project.project_id == plain.project
    granted = client.test_iam_permissions(
        resource=name, permissions=["resourcemanager.projects.get"]
    )
    (found,) = client.search_projects(query=f"id:{plain.project}")
    again = client.get_iam_policy(resource=name)
    assert found.name == project.name
    assert list(granted.permissions) == ["resourcemanager.projects.get"]
    assert "roles/viewer" in [binding.role for binding in again.bindings]
    assert only_this_machine == []


@pytest.fixture
def proxy(
    sdk_server: LocalCloud, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[GoogleProxy]:
    """What asks for Google's hosts by itself is led to the local cloud, without a look-up."""
    with google_proxy(sdk_server.url) as proxy:
        for name, value in proxy.variables("sdk", tmp_path).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        yield proxy


def looking_up_bounds() -> bool:
    """Whether google-auth's thread still asks where an account's requests may go."""
    return any(
        "RegionalAccessBoundary" in type(thread).__name__ for thread in threading.enumerate()
    )


def test_a_service_account_file_is_all_that_is_needed(
    sdk_server: LocalCloud,
    plain: Vertex,
    monkeypatch: pytest.MonkeyPatch,
    only_this_machine: list[str],
    proxy: GoogleProxy,
) -> None:
    """Application default credentials are the key file of the data folder; a token is fetched.

    google-auth asks IAM Credentials at Google's host, in a thread, for the account's bounds.
    """
    import google.auth
    import google.auth.transport.requests

    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", plain.project)
    sdk = initialise(sdk_server, monkeypatch, project=plain.project, credentials=None)
    found: Any = google.auth.default(scopes=["https://www.googleapis.com/auth/cloud-platform"])
    credentials = found[0]
    credentials.refresh(google.auth.transport.requests.Request())

    endpoint = sdk.Endpoint.create(display_name="mine")

    assert credentials.service_account_email.endswith(".iam.gserviceaccount.com")
    assert credentials.token
    assert plain.get(endpoint.resource_name)["displayName"] == "mine"
    # It asks once in a while for all of a process: here it may have asked before.
    wait_until(lambda: not looking_up_bounds())
    assert {one.host for one in proxy.exchanges} <= {"iamcredentials.googleapis.com"}
    assert [one.status for one in proxy.exchanges] == [200] * len(proxy.exchanges)
    assert only_this_machine == [] and proxy.strays == []


def test_the_default_staging_bucket_works_on_second_use(
    sdk_server: LocalCloud,
    sdk_flow: Any,
    plain: Vertex,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """The SDK makes its bucket, then finds that it is this project's, and uses it again.

    It asks Resource Manager over gRPC at Google's host whose the bucket is (gcs_utils.py); the
    client it makes is led here over REST, as `docs/differences.md` says.
    """
    from google.cloud.aiplatform.utils import gcs_utils

    lead_resource_manager(sdk_server, monkeypatch)
    file = tmp_path / "data.txt"
    file.write_text("x")
    sdk_flow.initializer.global_config._staging_bucket = None

    first = gcs_utils.stage_local_data_in_gcs(str(file))
    second = gcs_utils.stage_local_data_in_gcs(str(file))

    assert first.split("/")[2] == second.split("/")[2]
    assert first.split("/")[2].startswith(f"{plain.project}-vertex-staging-us-central1")


def test_a_custom_job_runs_with_its_staging_bucket(sdk_flow: Any) -> None:
    """`CustomJob` puts its output under the staging bucket and its state is read at the end."""
    pool = {
        "machine_spec": {"machine_type": "n1-standard-4"},
        "replica_count": 1,
        "container_spec": {"image_uri": IMAGE, "args": ["say", "hello"]},
    }
    job = sdk_flow.CustomJob(display_name="job", worker_pool_specs=[pool], labels={"a": "b"})

    job.run(timeout=60)

    (found,) = sdk_flow.CustomJob.list(filter="labels.a=b AND state=JOB_STATE_SUCCEEDED")
    assert found.resource_name == job.resource_name
