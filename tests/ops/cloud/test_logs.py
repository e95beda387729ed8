"""Log entries of a custom job, as `ops` reads them."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from urllib.request import Request, urlopen

import pytest

from ops.cloud import logs
from ops.cloud.session import Session
from ops.settings import Settings, Target
from tests.local_cloud import LocalCloud, wait_until

BEGINNING = datetime(2020, 1, 1, tzinfo=UTC)


def asked(url: str, path: str, body: object) -> dict[str, str]:
    """What the cloud answers to a POST."""
    request = Request(url + path, data=json.dumps(body).encode(), method="POST")
    with urlopen(request) as answer:
        found: dict[str, str] = json.load(answer)
    return found


@pytest.fixture
def job(cloud: LocalCloud, session: Session) -> str:
    """The id of a custom job that was cancelled while it waited for its image."""
    pool = {
        "machineSpec": {"machineType": "n1-standard-4"},
        "replicaCount": "1",
        "containerSpec": {"imageUri": "gcr.io/nobody/knows"},
    }
    body = {"displayName": "x", "jobSpec": {"workerPoolSpecs": [pool]}}
    name = asked(cloud.url, f"/v1/{session.parent}/customJobs", body)["name"]
    asked(cloud.url, f"/v1/{name}:cancel", {})
    id = name.rsplit("/", 1)[1]
    wait_until(lambda: any("cancelled" in e.message for e in logs.entries(session, id, BEGINNING)))
    return id


def test_entries_come_by_time_from_a_moment_on(session: Session, job: str) -> None:
    """What was said before the moment is left out."""
    everything = logs.entries(session, job, BEGINNING)

    later = logs.entries(session, job, everything[-1].at)

    assert [one.source for one in everything] == ["service"] * len(everything)
    assert everything == sorted(everything, key=lambda one: one.at)
    assert later == everything[-1:]
    assert everything[0].as_json()["message"] == "Waiting for job to be provisioned."


def test_severity_and_job_narrow_the_list(session: Session, job: str) -> None:
    """Nothing of another job, nothing below the severity."""
    assert logs.entries(session, job, BEGINNING, "ERROR") == []
    assert logs.entries(session, "1", BEGINNING) == []


def test_an_answer_of_503_is_asked_for_again(cloud: LocalCloud, session: Session, job: str) -> None:
    """Cloud Logging's client knows no retries of its own."""
    fault = {"path_prefix": "/v2/entries:list", "status": 503, "times": 1}
    asked(cloud.url, "/_emulator/faults", fault)

    assert logs.entries(session, job, BEGINNING)


@pytest.mark.parametrize(("target", "seconds"), [(Target.GCP, 5.0), (Target.LOCAL, 0.5)])
def test_google_is_asked_at_most_every_five_seconds(
    cloud_settings: Settings, target: Target, seconds: float
) -> None:
    """60 entries.list a minute are Google's limit for a whole project."""
    slept: list[float] = []
    settings = replace(cloud_settings, target=target)
    session = Session(settings, None, "http://127.0.0.1:9", slept.append)

    session.pause_between_logs()

    assert slept == [seconds]
