"""Log entries of custom jobs, through Google's own client."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.emulator.custom import begin_job, custom_engines, ended, log
from tests.emulator.vertex import Vertex
from tests.local_cloud import running_cloud, wait_until


@pytest.fixture(scope="module")
def vertex(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Vertex]:
    """A project of a server of this file's own."""
    with running_cloud(tmp_path_factory.mktemp("logs") / "data", *custom_engines()) as cloud:
        yield Vertex(cloud.url, "logging-project")


@pytest.fixture(scope="module")
def job(vertex: Vertex) -> str:
    """A job that has said five things."""
    spoken = '{"severity":"warning","message":"slow","epoch":2,"time":"2026-01-02T03:04:05+01:00"}'
    args = [
        "say",
        "plain",
        "log",
        spoken,
        "log",
        '{"message":"quiet"}',
        "mutter",
        "oops",
        "say",
        "日",
    ]
    name = begin_job(vertex, *args)
    assert ended(vertex, name)["state"] == "JOB_STATE_SUCCEEDED"
    return name


def client(vertex: Vertex) -> Any:
    """Google's client, sent to the local cloud."""
    from google.auth.credentials import AnonymousCredentials
    from google.cloud import logging

    return logging.Client(
        project=vertex.project,
        credentials=AnonymousCredentials(),  # type: ignore[no-untyped-call]
        _use_grpc=False,
        client_options={"api_endpoint": vertex.url},
    )


def entries(vertex: Vertex, job: str, **more: Any) -> list[Any]:
    """What the client lists of a job, whenever it was."""
    text = f'resource.labels.job_id="{job.rsplit("/", 1)[1]}" timestamp>="2000-01-01T00:00:00Z"'
    return list(client(vertex).list_entries(filter_=text, **more))


def test_lines_are_entries_as_vertex_ai_writes_them(vertex: Vertex, job: str) -> None:
    """JSON lines are structured, with their severity and time; others are text."""
    found = [one for one in entries(vertex, job) if one.log_name.endswith("workerpool0-0")]

    said = {str(one.payload): one for one in found}
    slow = said["{'message': 'slow', 'epoch': 2}"]
    assert slow.severity == "WARNING"
    assert slow.timestamp.isoformat() == "2026-01-02T02:04:05+00:00"
    assert (said["plain"].severity, said["oops"].severity) == ("INFO", "ERROR")
    assert said["{'message': 'quiet'}"].severity == "INFO" and "日" in said
    assert slow.resource.type == "ml_job"
    assert slow.resource.labels["task_name"] == "workerpool0-0"
    assert slow.labels["ml.googleapis.com/job_id"] == job.rsplit("/", 1)[1]
    assert len({one.insert_id for one in found}) == len(found) == 5


def test_what_vertex_ai_itself_says_is_there_too(vertex: Vertex, job: str) -> None:
    """From the wait for a machine to the good end, under the name `service`."""
    said = [one["textPayload"] for one in log(vertex, job, 'resource.labels.task_name="service"')]

    assert said[0] == "Waiting for job to be provisioned."
    assert said[-1] == "Job completed successfully."


def test_pages_follow_each_other_in_both_directions(vertex: Vertex, job: str) -> None:
    """Page by page nothing is missing or twice, and the newest come first if asked for."""
    rising = [one.insert_id for one in entries(vertex, job, page_size=2)]
    falling = [
        one.insert_id for one in entries(vertex, job, page_size=3, order_by="timestamp desc")
    ]

    assert len(set(rising)) == len(rising) == 8
    assert falling == rising[::-1]


def test_a_line_is_an_entry_while_the_job_runs(vertex: Vertex) -> None:
    """The log can be followed."""
    name = begin_job(vertex, "say", "now", "sleep", "60")

    wait_until(lambda: any(one.get("textPayload") == "now" for one in log(vertex, name)))

    assert vertex.get(name)["state"] == "JOB_STATE_RUNNING"
    vertex.post(f"{name}:cancel")
    ended(vertex, name)


def test_another_project_sees_nothing(vertex: Vertex, job: str) -> None:
    """Entries belong to a project, by id or by number."""
    assert log(Vertex(vertex.url, "another-project"), job) == []
    number = httpx.get(f"{vertex.url}/v3/projects/{vertex.project}").json()["name"].split("/")[1]
    assert len(log(Vertex(vertex.url, number), job)) == 8
    names = httpx.get(f"{vertex.url}/v2/projects/{vertex.project}/logs").json()["logNames"]
    assert f"projects/{vertex.project}/logs/workerpool0-0" in names


@pytest.mark.parametrize(
    "body",
    [
        {"filter": "x"},
        {"resourceNames": ["organizations/1"]},
        {"resourceNames": ["projects/p"], "orderBy": "severity"},
        {"resourceNames": ["projects/p"], "pageToken": "x"},
        {"resourceNames": ["projects/p"], "colour": "red"},
        {"resourceNames": ["projects/p"], "filter": "a="},
    ],
)
def test_a_request_that_makes_no_sense_is_refused(vertex: Vertex, body: dict[str, Any]) -> None:
    """400 with what is wrong."""
    answer = httpx.post(f"{vertex.url}/v2/entries:list", json=body)

    assert answer.json()["error"]["status"] == "INVALID_ARGUMENT"
