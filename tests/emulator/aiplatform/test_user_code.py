"""Uploaded Python packages: run only by a server that was told to, and by no container command."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable

import pytest

from tests.emulator.custom import content, ended, job_spec
from tests.emulator.vertex import Body, Vertex
from tests.local_cloud import LocalCloud

CODE = b"""
import os, sys, pathlib
bucket = os.environ["AIP_MODEL_DIR"].split("/")[2]
path = pathlib.Path(os.environ["GCS_MOUNT"], bucket, "said.txt")
path.write_text(" ".join(sys.argv[1:]))
"""


def sdist(name: str = "mine-0.1/mine/task.py") -> bytes:
    """A source distribution with a package `mine`."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        for path, text in (
            (name, CODE),
            ("mine-0.1/mine/__init__.py", b""),
            ("mine-0.1/setup.py", b""),
        ):
            member = tarfile.TarInfo(path)
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text))
    return file.getvalue()


def package_job(vertex: Vertex, uri: str, module: str = "mine.task") -> Body:
    """A job that runs a package, in its final state."""
    bucket = uri.split("/")[2]
    spec = job_spec(base=f"gs://{bucket}/run")
    pool = spec["workerPoolSpecs"][0]
    del pool["containerSpec"]
    pool["pythonPackageSpec"] = {
        "executorImageUri": "us-docker.pkg.dev/vertex-ai/training/tf-cpu.2-17.py310:latest",
        "packageUris": [uri],
        "pythonModule": module,
        "args": ["--colour", "red"],
    }
    body = {"displayName": "job", "jobSpec": spec}
    return ended(vertex, vertex.post(f"{vertex.parent}/customJobs", body)["name"])


@pytest.fixture
def vertex(start: Callable[..., LocalCloud]) -> Vertex:
    """A project of a server that runs what clients upload."""
    return Vertex(start("--run-user-code", "--image-pull-seconds", "0.5").url, "user-code")


def test_a_package_runs_with_the_servers_python(vertex: Vertex) -> None:
    """Its module gets the arguments; what it writes becomes objects."""
    bucket = vertex.bucket("user-code")
    vertex.upload(bucket, {"mine-0.1.tar.gz": sdist()})

    job = package_job(vertex, f"gs://{bucket}/mine-0.1.tar.gz")

    assert job["state"] == "JOB_STATE_SUCCEEDED", job
    assert content(vertex, bucket, "said.txt") == "--colour red"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (sdist("../evil.py"), "cannot be unpacked"),
        (b"no archive", "cannot be unpacked"),
        (sdist("mine-0.1/other.py"), "No module named mine.task"),
    ],
)
def test_a_broken_package_fails_its_job(vertex: Vertex, data: bytes, message: str) -> None:
    """Nothing is written outside the job's folder, and the error says what is wrong."""
    bucket = vertex.bucket("user-code")
    vertex.upload(bucket, {"mine-0.1.tar.gz": data})

    job = package_job(vertex, f"gs://{bucket}/mine-0.1.tar.gz")

    assert job["state"] == "JOB_STATE_FAILED"
    assert message in job["error"]["message"]


def test_a_package_that_is_missing_fails_its_job(vertex: Vertex) -> None:
    """With its address."""
    job = package_job(vertex, f"gs://{vertex.bucket('user-code')}/none.tar.gz")

    assert job["error"]["code"] == 5 and "none.tar.gz does not exist" in job["error"]["message"]


def test_a_containers_command_is_not_run_even_so(vertex: Vertex) -> None:
    """The option is for packages; an unknown image stays unknown."""
    bucket = vertex.bucket("user-code")
    spec = job_spec(base=f"gs://{bucket}/run")
    command = ["python", "-c", "raise SystemExit(0)"]
    container = {"imageUri": "docker.io/library/python:3.11", "command": command}
    spec["workerPoolSpecs"][0]["containerSpec"] = container
    body = {"displayName": "job", "jobSpec": spec}

    job = ended(vertex, vertex.post(f"{vertex.parent}/customJobs", body)["name"])

    assert job["state"] == "JOB_STATE_FAILED"
    assert "a container's own command is never executed" in job["error"]["message"]


def test_without_the_option_a_package_is_not_run(custom: Vertex, runs: str) -> None:
    """The job fails and names the option; nothing was executed."""
    custom.upload(runs, {"mine-0.1.tar.gz": sdist()})

    job = package_job(custom, f"gs://{runs}/mine-0.1.tar.gz")

    assert "--run-user-code" in job["error"]["message"]
    assert content(custom, runs, "said.txt") is None


def test_the_server_says_loudly_what_the_option_means(start: Callable[..., LocalCloud]) -> None:
    """In its log, at once."""
    server = start("--run-user-code")

    said = (server.data.parent / f"{server.data.name}.log").read_text()

    assert "WARNING --run-user-code: uploaded Python packages run on this machine" in said
