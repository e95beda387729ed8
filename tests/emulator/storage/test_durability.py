"""What was acknowledged is there: after kill -9, a restart, a full disk."""

from __future__ import annotations

import contextlib
import os
import random
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from starlette.testclient import TestClient

from emulator.cloud import Cloud
from emulator.storage import objects
from tests.local_cloud import ROOT, LocalCloud, clean_environment, start_cloud, stop_cloud

PROJECT = "test-project"


def make_bucket(http: httpx.Client, name: str = "kept") -> None:
    """A bucket for a server of the test's own."""
    body = {"name": name, "softDeletePolicy": {"retentionDurationSeconds": "0"}}
    http.post(f"/storage/v1/b?project={PROJECT}", json=body).raise_for_status()


def put(http: httpx.Client, name: str, data: bytes) -> httpx.Response:
    """The answer to a media upload."""
    return http.post(f"/upload/storage/v1/b/kept/o?uploadType=media&name={name}", content=data)


def get(http: httpx.Client, name: str) -> bytes:
    """The bytes of an object."""
    return http.get(f"/storage/v1/b/kept/o/{name}?alt=media").raise_for_status().content


def blob_files(folder: Path) -> list[Path]:
    """Every file of bytes, complete or not."""
    return [path for path in (folder / "blobs").rglob("*") if path.is_file()]


def test_kill_9_loses_nothing_acknowledged(tmp_path: Path) -> None:
    """Killed amid writes, a server has every acknowledged object whole, and no rest of others."""
    seed = random.SystemRandom().randrange(10**9)
    print(f"seed {seed}")
    instants = random.Random(seed)
    journal: dict[str, bytes] = {}
    for attempt in range(4):
        cloud = start_cloud(tmp_path / "data")
        with httpx.Client(base_url=cloud.url, timeout=30) as http:
            if attempt == 0:
                make_bucket(http)
            assert all(get(http, name) == data for name, data in journal.items())
            timer = threading.Timer(instants.uniform(0.05, 0.6), cloud.process.kill)
            timer.start()
            write_until_killed(http, journal, instants, attempt)
            timer.join()
        stop_cloud(cloud)
    cloud = start_cloud(tmp_path / "data")
    with httpx.Client(base_url=cloud.url, timeout=30) as http:
        assert all(get(http, name) == data for name, data in journal.items())
        listed = http.get("/storage/v1/b/kept/o").json()["items"]
    stop_cloud(cloud)
    assert len(blob_files(tmp_path / "data")) == len({item["md5Hash"] for item in listed})


def write_until_killed(
    http: httpx.Client, journal: dict[str, bytes], instants: random.Random, attempt: int
) -> None:
    """Writes objects of all sizes, noting each one that is acknowledged, until nobody answers."""
    number = 0
    while True:
        name, data = f"o-{attempt}-{number}", instants.randbytes(instants.choice([10, 9**5, 9**7]))
        try:
            if put(http, name, data).status_code == 200:
                journal[name] = data
        except httpx.TransportError:
            return
        number += 1


def test_a_resumable_upload_survives_a_kill(tmp_path: Path) -> None:
    """Bytes acknowledged by 308 are there after kill -9, and the upload ends as if nothing was."""
    data = os.urandom(600_000)
    cloud = start_cloud(tmp_path / "data")
    with httpx.Client(base_url=cloud.url) as http:
        make_bucket(http)
        began = http.post("/upload/storage/v1/b/kept/o?uploadType=resumable", json={"name": "big"})
        address = urlsplit(began.headers["location"])
        session = f"{address.path}?{address.query}"
        http.put(session, content=data[:262144], headers={"content-range": "bytes 0-262143/*"})
    cloud.process.kill()
    stop_cloud(cloud)

    cloud = start_cloud(tmp_path / "data")
    with httpx.Client(base_url=cloud.url) as http:
        asked = http.put(session, headers={"content-range": "bytes */600000"})
        ended = http.put(
            session, content=data[262144:], headers={"content-range": "bytes 262144-599999/600000"}
        )
        assert (asked.status_code, asked.headers["range"]) == (308, "bytes=0-262143")
        assert ended.status_code == 200
        assert get(http, "big") == data
        assert list((tmp_path / "data" / "uploads").iterdir()) == []
    stop_cloud(cloud)


def test_equal_bytes_are_kept_once_and_go_with_the_last_name(
    local: Cloud, local_http: TestClient
) -> None:
    """Two names of the same bytes share a file; it is removed when neither is left."""
    make_bucket(local_http)
    for name in ("one", "two"):
        put(local_http, name, b"same bytes")

    assert len(blob_files(local.settings.data_dir)) == 1
    local_http.delete("/storage/v1/b/kept/o/one")
    assert get(local_http, "two") == b"same bytes"
    put(local_http, "two", b"others")
    assert [path.read_bytes() for path in blob_files(local.settings.data_dir)] == [b"others"]
    objects.delete_prefix(local, "kept", "")
    assert blob_files(local.settings.data_dir) == []


def test_refused_uploads_leave_no_bytes(local: Cloud, local_http: TestClient) -> None:
    """A failed condition, a missing bucket or a wrong digest leaves no file behind."""
    make_bucket(local_http)
    put(local_http, "there", b"there")
    path = "/upload/storage/v1/b/{}/o?uploadType=media&name=there"
    refused = [
        local_http.post(path.format("kept") + "&ifGenerationMatch=0", content=b"other"),
        local_http.post(path.format("missing"), content=b"other"),
        local_http.post(path.format("kept"), content=b"other", headers={"content-md5": "AA=="}),
    ]

    assert [answer.status_code for answer in refused] == [412, 404, 400]
    assert len(blob_files(local.settings.data_dir)) == 1


@pytest.mark.parametrize("size", [10, 3_000_000])
def test_a_full_disk_is_507(local: Cloud, local_http: TestClient, size: int) -> None:
    """No space is a JSON error of its own; the old object stays, and the next upload works."""
    make_bucket(local_http)
    put(local_http, "x", b"before")
    fault = {"path_prefix": "/upload/", "method": "POST", "disk_full": True}
    local_http.post("/_emulator/faults", json=[fault])

    full = put(local_http, "x", b"n" * size)

    assert full.status_code == 507
    assert full.json()["error"]["errors"][0]["reason"] == "insufficientStorage"
    assert "Free some space" in full.json()["error"]["message"]
    assert get(local_http, "x") == b"before"
    assert len(blob_files(local.settings.data_dir)) == 1
    assert put(local_http, "x", b"n" * size).status_code == 200


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


def test_a_disk_that_is_really_full(small_disk: Path) -> None:
    """Full, the server refuses bytes, keeps what it has, deletes, restarts, and goes on."""
    cloud = start_cloud(small_disk / "data")
    written: dict[str, bytes] = {}
    with httpx.Client(base_url=cloud.url, timeout=30) as http:
        make_bucket(http)
        codes = fill(http, written, "first")
        assert codes[-1] == 507
    stop_cloud(cloud)

    cloud = start_cloud(small_disk / "data")
    with httpx.Client(base_url=cloud.url, timeout=30) as http:
        assert all(get(http, name) == data for name, data in written.items())
        assert fill(http, written, "more")[-1] == 507
        deleted = [http.delete(f"/storage/v1/b/kept/o/{name}") for name in list(written)[:2]]
        assert {answer.status_code for answer in deleted} == {204}
        assert put(http, "again", b"x" * 100_000).status_code == 200
    stop_cloud(cloud)


def test_no_room_to_start(small_disk: Path) -> None:
    """A server that cannot write its first files says that the disk is full."""
    ballast = small_disk / "ballast"
    with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
        while True:
            file.write(b"x" * 4096)

    command = [sys.executable, "-m", "emulator", "serve", "--port", "0"]
    refused = subprocess.run(
        [*command, "--data", str(small_disk / "data")],
        cwd=ROOT,
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=30,
    )

    assert (refused.returncode, refused.stdout) == (1, "")
    assert "emulator: The disk is full (" in refused.stderr.splitlines()[-1]


def fill(http: httpx.Client, written: dict[str, bytes], mark: str) -> list[int]:
    """Writes until the disk is full, first large objects, then small; the answers' codes."""
    codes: list[int] = []
    for size in (2_000_000, 300_000, 20_000, 1_000):
        for number in range(200):
            data = os.urandom(size)
            answer = put(http, f"{mark}-{size}-{number}", data)
            codes.append(answer.status_code)
            if answer.status_code != 200:
                break
            written[f"{mark}-{size}-{number}"] = data
    return codes


def test_reads_go_on_while_bytes_change(start: Callable[..., LocalCloud]) -> None:
    """A reader sees one generation whole, never a mixture, while writers replace it."""
    cloud = start()
    with httpx.Client(base_url=cloud.url, timeout=30) as http:
        make_bucket(http)
        put(http, "x", b"a" * 2_000_000)
        stop = threading.Event()
        writer = threading.Thread(target=replace_until, args=(cloud.url, stop))
        writer.start()
        try:
            bodies = [get(http, "x") for _ in range(40)]
        finally:
            stop.set()
            writer.join()
    assert all(len(set(body)) == 1 and len(body) == 2_000_000 for body in bodies)


def replace_until(url: str, stop: threading.Event) -> None:
    """Replaces one object with bodies of one letter each."""
    with httpx.Client(base_url=url, timeout=30) as http:
        number = 0
        while not stop.is_set():
            put(http, "x", bytes([97 + number % 26]) * 2_000_000)
            number += 1
