"""Persistent resources: billed while they are there, used by jobs, kept while they are used."""

from __future__ import annotations

import httpx

from tests.emulator.custom import ended, job_spec
from tests.emulator.vertex import Body, Vertex, error

POOL = {"machineSpec": {"machineType": "n1-standard-4"}, "replicaCount": "2"}
BODY = {"displayName": "kept", "resourcePools": [POOL], "labels": {"team": "a"}}


def create(custom: Vertex, name: str = "kept", body: Body = BODY) -> httpx.Response:
    """The answer to a request for one."""
    path = f"{custom.parent}/persistentResources?persistentResourceId={name}"
    return custom.call("POST", path, body)


def spans(custom: Vertex, resource: str) -> list[Body]:
    """What a resource has cost, each span of it."""
    rows: list[Body] = httpx.get(f"{custom.url}/_emulator/usage").json()["usage"]
    return [one for one in rows if one["resource"] == resource]


def test_a_job_runs_on_it_and_is_not_billed_again(custom: Vertex) -> None:
    """It cannot be deleted or rebooted meanwhile; its machines are billed until it is deleted."""
    kept = create(custom).json()["response"]
    spec = job_spec("wait", "go", persistentResourceId="kept")
    job = custom.post(f"{custom.parent}/customJobs", {"displayName": "job", "jobSpec": spec})

    refused = [custom.call("DELETE", kept["name"]), custom.call("POST", f"{kept['name']}:reboot")]
    custom.post(f"{job['name']}:cancel")
    ended(custom, job["name"])

    assert (kept["state"], kept["resourcePools"][0]["id"]) == ("RUNNING", "resource-pool-0")
    assert [error(one)[:2] for one in refused] == [(400, "FAILED_PRECONDITION")] * 2
    assert spans(custom, job["name"]) == []
    (span,) = spans(custom, kept["name"])
    assert span["endTime"] is None and span["labels"] == {"team": "a"}
    assert custom.post(f"{kept['name']}:reboot")["response"]["state"] == "RUNNING"
    assert custom.call("DELETE", kept["name"]).json()["done"]
    (span,) = spans(custom, kept["name"])
    assert span["endTime"] is not None
    assert custom.get(f"{custom.parent}/persistentResources") == {}


def test_another_number_of_machines_is_billed_from_now_on(custom: Vertex) -> None:
    """The machines themselves cannot change."""
    name = create(custom).json()["response"]["name"]
    path = f"{name}?updateMask=resourcePools"
    bigger = {**POOL, "machineSpec": {"machineType": "n1-standard-8"}}

    more = custom.call("PATCH", path, {"resourcePools": [{**POOL, "replicaCount": "5"}]})
    other = custom.call("PATCH", path, {"resourcePools": [bigger]})

    assert more.json()["response"]["resourcePools"][0]["replicaCount"] == "5"
    assert "immutable" in error(other)[2]
    assert [one["endTime"] is None for one in spans(custom, name)] == [False, True]


def test_what_google_would_refuse_is_refused(custom: Vertex) -> None:
    """Ids, pools and machines; a job on one that is not there, or has no such machine."""
    create(custom)
    wrong = {"resourcePools": [{"machineSpec": {"machineType": "none-1"}, "replicaCount": "1"}]}
    jobs = [
        job_spec(persistentResourceId="missing"),
        job_spec(persistentResourceId="kept"),
    ]
    jobs[1]["workerPoolSpecs"][0]["machineSpec"] = {"machineType": "n1-standard-8"}

    answers = [
        create(custom),
        create(custom, "Kept"),
        create(custom, "other", {"displayName": "x"}),
        create(custom, "other", wrong),
        *(
            custom.call("POST", f"{custom.parent}/customJobs", {"displayName": "j", "jobSpec": one})
            for one in jobs
        ),
    ]

    assert [error(one)[0] for one in answers] == [409, 400, 400, 400, 404, 400]
