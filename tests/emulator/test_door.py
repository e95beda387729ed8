"""Host and Origin on every request, and faults that tests ask for."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import httpx
import pytest
from google.cloud.storage import Client
from starlette.testclient import TestClient

from emulator.clock import SteppedClock
from tests.local_cloud import ROOT, LocalCloud

PATHS = ["/storage/v1/b?project=p-1", "/v3/projects/p-1", "/_emulator/health", "/token", "/nothing"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "headers",
    [
        {"host": "evil.example"},
        {"host": "evil.example:8787"},
        {"host": "127.0.0.1.evil.example"},
        {"host": "127.0.0.1:8787@evil"},
        {"host": "127.0.0.1:"},
        {"host": "127.0.0.1:8787:1"},
        {"host": "user@127.0.0.1"},
        {"origin": "http://evil.example"},
        {"origin": "http://localhost:1"},
        {"origin": "https://127.0.0.1:8787"},
        {"origin": "null"},
    ],
)
def test_foreign_hosts_and_origins(
    local_http: TestClient, path: str, headers: dict[str, str]
) -> None:
    """No web page, and no name that leads here by DNS, is answered: 403 on every path."""
    answer = local_http.get(path, headers=headers)

    assert answer.status_code == 403
    assert next(iter(headers.values())) in answer.text
    assert answer.text.startswith("<?xml") == (path == "/nothing")


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "localhost:8787"},
        {"host": "LOCALHOST"},
        {"host": "[::1]:8787"},
        {"origin": "http://127.0.0.1:8787"},
        {"origin": "http://localhost:8787"},
    ],
)
def test_the_servers_own_names(local_http: TestClient, headers: dict[str, str]) -> None:
    """Every loopback name, and pages of the server itself, are let in."""
    assert local_http.get("/_emulator/health", headers=headers).status_code == 200


def test_a_scripted_status(local_http: TestClient) -> None:
    """A fault meets the requests it is written for, as often as asked, and no other."""
    fault = {"method": "GET", "path_prefix": "/storage/", "status": 503, "times": 2}
    local_http.post("/_emulator/faults", json=[fault])

    codes = [local_http.get("/storage/v1/b?project=p-1").status_code for _ in range(3)]

    assert codes == [503, 503, 200]
    assert local_http.get("/_emulator/faults").json() == {"faults": []}


def test_a_fault_nobody_knows(local_http: TestClient) -> None:
    """A field that is not one is 400, and says which there are."""
    answer = local_http.post("/_emulator/faults", json=[{"path_prefix": "/", "explode": True}])

    assert answer.status_code == 400
    assert "disk_full" in answer.json()["error"]["message"]


def test_googles_client_retries_what_fails(
    start: Callable[..., LocalCloud], connect: Callable[[str], Client]
) -> None:
    """A 503 and a reset connection are retried by the client, which then has its answer."""
    cloud = start()
    client = connect(cloud.url)
    bucket = client.create_bucket("retried")
    bucket.blob("x").upload_from_string("x")
    faults = [
        {"path_prefix": "/storage/v1/b/retried/o/x", "reset": True},
        {"path_prefix": "/storage/v1/b/retried/o/x", "status": 503},
    ]
    httpx.post(f"{cloud.url}/_emulator/faults", json=faults)

    found = bucket.get_blob("x")

    assert found is not None
    assert found.size == 1
    assert httpx.get(f"{cloud.url}/_emulator/faults").json() == {"faults": []}


def test_a_reset_is_a_reset(start: Callable[..., LocalCloud]) -> None:
    """The connection ends without an answer."""
    cloud = start()
    fault = {"path_prefix": "/_emulator/health", "reset": True}
    httpx.post(f"{cloud.url}/_emulator/faults", json=[fault])

    with pytest.raises(httpx.TransportError):
        httpx.get(f"{cloud.url}/_emulator/health")
    assert httpx.get(f"{cloud.url}/_emulator/health").status_code == 200


def test_the_clock_can_be_moved(local_http: TestClient, clock: SteppedClock) -> None:
    """Tests on the stepped clock move it through HTTP; on the machine's clock they may not."""
    before = clock.now()

    answer = local_http.post("/_emulator/clock", json={"advance_seconds": 90})

    assert answer.status_code == 200
    assert (clock.now() - before).total_seconds() == 90


def test_the_machines_clock_stays(server: LocalCloud) -> None:
    """A server that was started by hand runs on the machine's clock."""
    answer = httpx.post(f"{server.url}/_emulator/clock", json={"advance_seconds": 90})

    assert answer.status_code == 400
    assert answer.json()["error"]["status"] == "FAILED_PRECONDITION"


def test_usage_is_told(local_http: TestClient) -> None:
    """What would be billed is listed; nothing has been used yet."""
    assert local_http.get("/_emulator/usage").json() == {"usage": []}


def test_reset_forgets_everything(local_http: TestClient) -> None:
    """After a reset no bucket and no object is there; the server goes on."""
    local_http.post("/storage/v1/b?project=p-1", json={"name": "gone"})
    local_http.post("/upload/storage/v1/b/gone/o?uploadType=media&name=x", content=b"x")
    number = local_http.get("/v3/projects/p-1").json()["name"]

    assert local_http.post("/_emulator/reset").status_code == 200

    assert "items" not in local_http.get("/storage/v1/b?project=p-1").json()
    assert local_http.post("/storage/v1/b?project=p-1", json={"name": "gone"}).status_code == 200
    assert "items" not in local_http.get("/storage/v1/b/gone/o").json()
    assert local_http.get("/v3/projects/p-1").json()["name"] == number


CONTROL = [
    ("GET", "/_emulator/faults"),
    ("POST", "/_emulator/reset"),
    ("GET", "/_emulator/snapshot"),
    ("GET", "/_emulator/usage"),
    ("POST", "/retry_test"),
    ("GET", "/retry_tests"),
]


def test_require_auth_guards_what_is_for_tests(start: Callable[..., LocalCloud]) -> None:
    """Reset, snapshots, faults and retry tests want a token; the folder's own command has one."""
    cloud = start("--require-auth")
    asked = {"x-emulator-fault": "503"}

    with httpx.Client(base_url=cloud.url) as http:
        refused = [http.request(method, path).status_code for method, path in CONTROL]
        fault = http.post("/token", headers=asked).status_code
        session = "/upload/storage/v1/b/x/o?upload_id=x"
        met = http.put(session, headers=asked).status_code
        health = http.get("/_emulator/health").status_code
    command = [sys.executable, "-m", "emulator", "snapshot", "one", "--data", str(cloud.data)]
    taken = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)

    assert refused == [401] * len(CONTROL)
    assert (fault, met, health) == (401, 401, 200)
    assert (taken.returncode, taken.stdout.split()[:1]) == (0, ["one"]), taken.stderr


def test_a_fault_of_every_path_can_be_forgotten(local_http: TestClient) -> None:
    """The server's own paths meet no fault of `/`, so that it can be asked for and taken back."""
    local_http.post("/_emulator/faults", json=[{"status": 503, "times": 9}])

    assert local_http.get("/storage/v1/b?project=p-1").status_code == 503
    assert local_http.get("/_emulator/faults").json()["faults"][0]["times"] == 8
    assert local_http.delete("/_emulator/faults").json() == {"faults": []}
    assert local_http.get("/storage/v1/b?project=p-1").status_code == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/upload/storage/v1/b/b-1/o?uploadType=media&name=a%FE"),
        ("GET", "/storage/v1/b/b-1/o?prefix=%C3%28"),
        ("GET", "/b-1?prefix=%FF"),
        ("GET", "/v1/projects/p-1/locations/us-central1/datasets?filter=%FF"),
    ],
)
def test_a_query_is_utf_8(local_http: TestClient, method: str, path: str) -> None:
    """Bytes that are no UTF-8 in a query are 400: two names would become one."""
    answer = local_http.request(method, path)

    assert answer.status_code == 400
    assert "not valid UTF-8" in answer.text
