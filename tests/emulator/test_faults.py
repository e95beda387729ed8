"""Faults asked for by header, list or for a job: how they are written and what they do."""

from __future__ import annotations

import os
from typing import Any

import httpx
import pytest
from google.cloud.storage import Bucket

from emulator.errors import ApiError
from emulator.faults import Fault, Faults, from_header

KIB = 1 << 10


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("503", Fault(status=503)),
        ("429 retry-after=2", Fault(status=429, retry_after_seconds=2)),
        ("reset after-answer=256K", Fault(reset=True, after_answer_bytes=256 * KIB)),
        ("reset after-request=1M", Fault(reset=True, after_request_bytes=KIB * KIB)),
        ("slow=1.5", Fault(delay_seconds=1.5)),
        ("disk-full", Fault(disk_full=True)),
        ("job=stockout", Fault(job="stockout")),
        ("job=die after=3 exit-code=137", Fault(job="die", after_seconds=3.0, exit_code=137)),
        ('{"status": 500, "message": "so"}', Fault(status=500, message="so")),
    ],
)
def test_faults_in_a_header(text: str, fault: Fault) -> None:
    """X-Emulator-Fault has words or JSON."""
    assert from_header(text) == fault


@pytest.mark.parametrize(
    "text",
    ["explode", "200", "slow=x", "slow=99999", "{", '{"status": "503"}', '{"times": 0}',
     '{"job": "lost"}', '{"reset": 1}', "after-answer=1G", '{"status": true}', "{}", "after=3",
     "retry-after=1", '{"times": 2, "path_prefix": "/v1"}', "503 job=quota", "reset job=stockout"],
)  # fmt: skip
def test_what_is_no_fault(text: str) -> None:
    """A word, field or value that no fault has is INVALID_ARGUMENT."""
    with pytest.raises(ApiError, match=r"[Ff]ault"):
        from_header(text)


def test_a_fault_that_did_not_happen_is_given_back() -> None:
    """What a request met but never reached stays for the next, at its place and count."""
    faults = Faults()
    faults.add([{"reset": True, "after_answer_bytes": 9, "times": 2}, {"status": 503}])
    before = faults.waiting()
    met = faults.take("GET", "/")
    assert met is not None

    met.give_back()

    assert faults.waiting() == before


def test_a_header_meets_its_own_request(bucket: Bucket, http: httpx.Client) -> None:
    """429 with Retry-After for the request that asks for it, and for no other."""
    path = f"/storage/v1/b/{bucket.name}"

    refused = http.get(path, headers={"x-emulator-fault": "429 retry-after=3"})

    assert (refused.status_code, refused.headers["retry-after"]) == (429, "3")
    assert refused.json()["error"]["status"] == "RESOURCE_EXHAUSTED"
    assert http.get(path).status_code == 200
    assert http.get(path, headers={"x-emulator-fault": "explode"}).status_code == 400


def test_resets_at_a_byte(bucket: Bucket, http: httpx.Client) -> None:
    """A request and an answer are cut at the byte that was asked for; nothing half is stored."""
    data = os.urandom(300 * KIB)
    upload = f"/upload/storage/v1/b/{bucket.name}/o?uploadType=media&name=x"
    path, got = f"/storage/v1/b/{bucket.name}/o/x?alt=media", bytearray()

    with pytest.raises(httpx.TransportError):
        http.post(upload, content=data, headers={"x-emulator-fault": "reset after-request=100K"})
    assert bucket.get_blob("x") is None
    http.post(upload, content=data)
    asked = {"x-emulator-fault": "reset after-answer=100K"}
    with pytest.raises(httpx.TransportError), http.stream("GET", path, headers=asked) as answer:
        for piece in answer.iter_raw():
            got += piece

    assert bytes(got) == data[: len(got)] and len(got) <= 100 * KIB
    assert bucket.blob("x").download_as_bytes() == data


def test_a_disk_that_is_full_for_one_request(bucket: Bucket, http: httpx.Client) -> None:
    """507 for the request that asks for it; the next is stored."""
    upload = f"/upload/storage/v1/b/{bucket.name}/o?uploadType=media&name=x"

    full = http.post(upload, content=b"x", headers={"x-emulator-fault": "disk-full"})

    assert full.status_code == 507
    assert http.post(upload, content=b"x").status_code == 200


@pytest.mark.parametrize(
    ("asked", "status", "said"),
    [
        ("job=quota", "RESOURCE_EXHAUSTED", "The following quota metrics exceed quota limits: "),
        ("503", "UNAVAILABLE", "A scripted fault answers 503."),
    ],
)
def test_a_job_that_is_refused(http: httpx.Client, asked: str, status: str, said: str) -> None:
    """A quota refuses the creation of a job, as any status does; reads are left alone."""
    path = "/v1/projects/p-1/locations/us-central1/customJobs"
    body: dict[str, Any] = {}

    refused = http.post(path, json=body, headers={"x-emulator-fault": asked})

    assert refused.json()["error"]["status"] == status
    assert refused.json()["error"]["message"].startswith(said)
    assert http.get(path, headers={"x-emulator-fault": "job=quota"}).status_code == 200
