"""Named copies of everything: made and restored while the server runs, and when it does not."""

from __future__ import annotations

import contextlib
import random
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import pytest
from starlette.testclient import TestClient

from emulator.cloud import Cloud
from tests.emulator.kills.checks import folder_problems
from tests.local_cloud import ROOT, LocalCloud, clean_environment, start_cloud, stop_cloud

LOCATION = "/v1/projects/test-project/locations/us-central1"
IMAGES = "gs://google-cloud-aiplatform/schema/dataset/metadata/image_1.0.0.yaml"
Http = httpx.Client | TestClient


def put(http: Http, name: str, data: bytes) -> None:
    """Stores an object in the bucket `kept`, which is made if need be."""
    http.post("/storage/v1/b?project=test-project", json={"name": "kept"})
    path = f"/upload/storage/v1/b/kept/o?uploadType=media&name={name}"
    http.post(path, content=data).raise_for_status()


def contents(http: Http) -> dict[str, bytes]:
    """Names and bytes of all objects."""
    items = http.get("/storage/v1/b/kept/o").json().get("items", [])
    media = "/storage/v1/b/kept/o/{}?alt=media"
    return {item["name"]: http.get(media.format(item["name"])).content for item in items}


def snapshot(http: Http, name: str) -> httpx.Response:
    """The answer to a request for a snapshot."""
    return http.post("/_emulator/snapshot", json={"name": name})


def restore(http: Http, name: str) -> httpx.Response:
    """The answer to a request to go back."""
    return http.post("/_emulator/restore", json={"name": name})


def names(http: Http) -> list[str]:
    """The names of the snapshots."""
    return [one["name"] for one in http.get("/_emulator/snapshot").json()["snapshots"]]


def command(data: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A run of `python -m emulator`."""
    return subprocess.run(
        [sys.executable, "-m", "emulator", *arguments, "--data", str(data)],
        cwd=ROOT,
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=30,
    )


def test_everything_is_as_it_was(start: Callable[..., LocalCloud]) -> None:
    """Objects, buckets, datasets and open uploads of a snapshot come back, later ones go."""
    cloud = start()
    with httpx.Client(base_url=cloud.url, timeout=30) as http:
        put(http, "first", b"as it was")
        put(http, "second", b"x" * 2_000_000)
        began = http.post("/upload/storage/v1/b/kept/o?uploadType=resumable", json={"name": "big"})
        address = urlsplit(began.headers["location"])
        session = f"{address.path}?{address.query}"
        half = {"content-range": "bytes 0-262143/*"}
        http.put(session, content=b"u" * 262144, headers=half)
        made = snapshot(http, "before").json()["snapshot"]
        put(http, "first", b"changed")
        put(http, "third", b"new")
        http.delete("/storage/v1/b/kept/o/second")
        http.post("/storage/v1/b?project=test-project", json={"name": "later"})
        body = {"displayName": "later", "metadataSchemaUri": IMAGES}
        http.post(f"{LOCATION}/datasets", json=body).raise_for_status()
        http.put(
            session, content=b"v" * 10, headers={"content-range": "bytes 262144-262153/262154"}
        )

        answer = restore(http, "before")

        assert answer.json() == {"snapshot": made}
        assert (made["objects"], made["blobs"], made["buckets"]) == (2, 2, 1)
        assert contents(http) == {"first": b"as it was", "second": b"x" * 2_000_000}
        assert http.get("/storage/v1/b/later").status_code == 404
        assert http.get(f"{LOCATION}/datasets").json() == {}
        asked = http.put(session, headers={"content-range": "bytes */*"})
        assert (asked.status_code, asked.headers["range"]) == (308, "bytes=0-262143")
        assert folder_problems(cloud.data) == []
        put(http, "fourth", b"goes on")


def test_a_snapshot_is_never_changed_by_what_comes_after(
    local: Cloud, local_http: TestClient
) -> None:
    """It can be gone back to again and again, though its objects were deleted meanwhile."""
    put(local_http, "a", b"bytes")
    snapshot(local_http, "one").raise_for_status()
    for _ in range(2):
        local_http.delete("/storage/v1/b/kept/o/a")
        assert contents(local_http) == {}
        assert restore(local_http, "one").status_code == 200
        assert contents(local_http) == {"a": b"bytes"}
    blobs = list((local.settings.data_dir / "snapshots" / "one" / "blobs").glob("??/*"))
    assert [path.stat().st_nlink for path in blobs] == [2]


def test_names(local_http: TestClient) -> None:
    """Taken is 409, unknown is 404, a path or nothing is 400; the list is in order; one can go."""
    put(local_http, "a", b"bytes")
    assert [snapshot(local_http, name).status_code for name in ("one", "two")] == [200, 200]
    assert snapshot(local_http, "one").status_code == 409
    assert restore(local_http, "none").status_code == 404
    for name in ("", "../one", "a/b", "x" * 64, ".hidden", "a\0"):
        assert snapshot(local_http, name).status_code == 400, name
    assert local_http.post("/_emulator/snapshot", content=b"{").status_code == 400
    assert names(local_http) == ["one", "two"]
    assert local_http.delete("/_emulator/snapshot/one").status_code == 200
    assert names(local_http) == ["two"]
    assert local_http.delete("/_emulator/snapshot/one").status_code == 404


def test_reset_keeps_snapshots(local_http: TestClient) -> None:
    """After a reset there is nothing but the snapshots, and they can be gone back to."""
    put(local_http, "a", b"bytes")
    snapshot(local_http, "one").raise_for_status()
    local_http.post("/_emulator/reset").raise_for_status()
    assert local_http.get("/storage/v1/b/kept").status_code == 404
    assert restore(local_http, "one").status_code == 200
    assert contents(local_http) == {"a": b"bytes"}


def test_not_while_a_job_runs(local: Cloud, local_http: TestClient) -> None:
    """A snapshot amid a running operation is refused by its name: its work is in no row."""
    name = f"{LOCATION.removeprefix('/v1/')}/datasets/1"
    operation = local.operations.begin(name, {"@type": "x"}, "import", {})
    refused = snapshot(local_http, "one")
    assert refused.status_code == 400
    assert refused.json()["error"]["status"] == "FAILED_PRECONDITION"
    assert operation["name"] in refused.json()["error"]["message"]
    local.operations.cancel(operation["name"])
    assert snapshot(local_http, "one").status_code == 200


def test_from_the_command_line(tmp_path: Path) -> None:
    """`snapshot` and `restore` ask the folder's server, and do the same when there is none."""
    data = tmp_path / "data"
    missing = command(data, "snapshot", "one")
    assert (missing.returncode, missing.stdout) == (1, "")
    assert "There is no server's data" in missing.stderr
    cloud = start_cloud(data)
    with httpx.Client(base_url=cloud.url) as http:
        put(http, "a", b"one")
        running = command(data, "snapshot", "one")
        assert running.returncode == 0, running.stderr
        assert "1 buckets, 1 objects" in running.stdout
        put(http, "a", b"two")
        assert command(data, "restore", "one").returncode == 0
        assert contents(http) == {"a": b"one"}
    stop_cloud(cloud)

    nameless = command(data, "snapshot", "")
    assert (nameless.returncode, nameless.stdout) == (1, "") and "name" in nameless.stderr
    assert command(data, "snapshot", "two").returncode == 0
    assert command(data, "snapshot", "one", "--delete").returncode == 0
    assert [line.split()[0] for line in command(data, "snapshot").stdout.splitlines()] == ["two"]
    assert command(data, "restore", "none").stderr == "emulator: There is no snapshot none.\n"
    assert command(data, "restore", "two").returncode == 0


def test_a_crash_amid_a_snapshot_leaves_none(local: Cloud, local_http: TestClient) -> None:
    """What is half made has no name, is in no list, and goes with the next."""
    half = local.settings.data_dir / "snapshots" / f".{uuid4().hex}"
    half.mkdir(parents=True)
    (half / "snapshot.json").write_text("{}")
    assert names(local_http) == []
    snapshot(local_http, "one").raise_for_status()
    assert not half.exists()


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_a_web_page_cannot_restore(local_http: TestClient, method: str) -> None:
    """The control routes heed Origin as all others do."""
    path = "/_emulator/restore" if method == "POST" else "/_emulator/snapshot/one"
    answer = local_http.request(method, path, headers={"origin": "http://evil.example"})
    assert answer.status_code == 403


def test_a_kill_amid_a_restore_is_before_or_after(tmp_path: Path) -> None:
    """`kill -9` at a random instant of going back leaves one of the two states, whole."""
    seed = random.SystemRandom().randrange(10**9)
    print(f"seed {seed}")
    instants = random.Random(seed)
    cloud = start_cloud(tmp_path / "data")
    with httpx.Client(base_url=cloud.url, timeout=30) as http:
        then = {f"o-{number}": instants.randbytes(100_000) for number in range(20)}
        for name, data in then.items():
            put(http, name, data)
        snapshot(http, "then").raise_for_status()
    for _ in range(3):
        with httpx.Client(base_url=cloud.url, timeout=30) as http:
            now = {f"o-{number}": instants.randbytes(100_000) for number in range(10, 30)}
            for name, data in now.items():
                put(http, name, data)
            before = contents(http)
            timer = threading.Timer(instants.uniform(0, 0.06), cloud.process.kill)
            timer.start()
            with contextlib.suppress(httpx.TransportError):
                restore(http, "then")
            timer.join()
        stop_cloud(cloud)
        cloud = start_cloud(tmp_path / "data")
        with httpx.Client(base_url=cloud.url, timeout=30) as http:
            assert contents(http) in (before, then)
            assert folder_problems(tmp_path / "data") == []
    stop_cloud(cloud)
