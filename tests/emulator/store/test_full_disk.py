"""A file system with no byte left: every API says so, nothing is torn, and it goes on after."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.emulator.kills.checks import folder_problems
from tests.local_cloud import LocalCloud, running_cloud

LOCATION = "/v1/projects/test-project/locations/us-central1"
IMAGES = "gs://google-cloud-aiplatform/schema/dataset/metadata/image_1.0.0.yaml"
UPLOAD = "/upload/storage/v1/b/kept/o?uploadType=media&name="


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 24 MB."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("needs the right to mount a small file system (run as root)")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@contextlib.contextmanager
def running(data: Path) -> Iterator[tuple[LocalCloud, httpx.Client]]:
    """A server on a folder, and raw HTTP to it."""
    with running_cloud(data) as cloud, httpx.Client(base_url=cloud.url, timeout=30) as http:
        yield cloud, http


def fill(path: Path) -> None:
    """Takes every byte that is left."""
    with contextlib.suppress(OSError), path.open("wb", buffering=0) as file:
        while file.write(b"x" * 65536):
            pass
    with contextlib.suppress(OSError), path.open("ab", buffering=0) as file:
        while file.write(b"x"):
            pass


def test_a_database_that_cannot_grow(small_disk: Path) -> None:
    """Rows that find no room are 507 in both APIs and change nothing; with room they are written.

    The disk is filled by somebody else, so that the server's own reserve is gone too.
    """
    with running(small_disk / "data") as (_, http):
        http.post("/storage/v1/b?project=test-project", json={"name": "kept"}).raise_for_status()
        http.post(f"{UPLOAD}x", content=b"before").raise_for_status()
        fill(small_disk / "ballast")
        codes: dict[str, list[int]] = {"patch": [], "dataset": [], "put": []}
        for number in range(10):
            metadata = {"metadata": {"long": "m" * 7_000, "n": str(number)}}
            patch = http.patch("/storage/v1/b/kept/o/x", json=metadata)
            body = {"displayName": f"d-{number}", "metadataSchemaUri": IMAGES}
            dataset = http.post(f"{LOCATION}/datasets", json=body)
            put = http.post(f"{UPLOAD}y", content=b"y" * 10_000)
            for what, answer in (("patch", patch), ("dataset", dataset), ("put", put)):
                codes[what].append(answer.status_code)
        assert {code for row in codes.values() for code in row} <= {200, 507}
        assert (patch.status_code, dataset.status_code, put.status_code) == (507, 507, 507)
        assert "is full" in patch.json()["error"]["message"]
        assert "is full" in dataset.json()["error"]["message"]
        assert http.get("/storage/v1/b/kept/o/x?alt=media").content == b"before"
        listed = http.get(f"{LOCATION}/datasets").json().get("datasets", [])
        assert len(listed) == codes["dataset"].count(200)

        (small_disk / "ballast").unlink()

        assert http.patch("/storage/v1/b/kept/o/x", json={"metadata": None}).status_code == 200
        assert http.post(f"{UPLOAD}y", content=b"y").status_code == 200
        assert folder_problems(small_disk / "data") == []


def test_a_server_killed_on_a_full_disk_has_what_it_acknowledged(small_disk: Path) -> None:
    """`kill -9` with no byte left, then room: all that was acknowledged is there, nothing torn."""
    kept = {}
    with running(small_disk / "data") as (cloud, http):
        http.post("/storage/v1/b?project=test-project", json={"name": "kept"}).raise_for_status()
        for number in range(20):
            data = os.urandom(100_000)
            if number == 10:
                fill(small_disk / "ballast")
            if http.post(f"{UPLOAD}o-{number}", content=data).status_code == 200:
                kept[f"o-{number}"] = data
        cloud.process.kill()
    (small_disk / "ballast").unlink()

    with running(small_disk / "data") as (_, http):
        items = http.get("/storage/v1/b/kept/o").json()["items"]
        assert [item["name"] for item in items] == sorted(kept)
        for name, data in kept.items():
            assert http.get(f"/storage/v1/b/kept/o/{name}?alt=media").content == data
        assert folder_problems(small_disk / "data") == []
    assert len(kept) == 10
