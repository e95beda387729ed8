"""What no request can do: be a web page's, leave the data folder, or take all there is."""

from __future__ import annotations

import json
import socket
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote, urlsplit

import httpx
import pytest
from google.cloud.storage import Bucket
from starlette.testclient import TestClient

from emulator.cloud import ServerSettings
from emulator.errors import StartError
from emulator.folder import DataFolder
from emulator.json_bodies import MAX_DEPTH
from emulator.limits import BODY_BYTES
from tests.local_cloud import LocalCloud

EVERYWHERE = [
    ("GET", "/some-bucket/some-object"),
    ("PUT", "/some-bucket/some-object"),
    ("DELETE", "/some-bucket"),
    ("GET", "/"),
    ("POST", "/upload/storage/v1/b/some-bucket/o?uploadType=media&name=x"),
    ("POST", "/batch/storage/v1"),
    ("GET", "/download/storage/v1/b/some-bucket/o/x?alt=media"),
    ("POST", "/retry_test"),
    ("GET", "/retry_tests"),
    ("POST", "/_emulator/reset"),
    ("POST", "/_emulator/faults"),
    ("POST", "/v1/projects/p-1/locations/us-central1/customJobs"),
    ("POST", "/token"),
]
PLACES = "/v1/projects/p-1/locations/us-central1"
SECRET = "the content of a file outside"


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "rebound.example"},
        {"host": ""},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"},
    ],
)
def test_no_web_page_drives_it(local_http: TestClient, headers: dict[str, str]) -> None:
    """A name that DNS leads here, another origin, a browser's cross-site request: 403 anywhere."""
    answers = [local_http.request(*where, headers=headers) for where in EVERYWHERE]

    assert [answer.status_code for answer in answers] == [403] * len(EVERYWHERE)


def test_a_link_may_be_followed(local_http: TestClient) -> None:
    """Going to a signed address from another page is no request of that page: it sees nothing."""
    headers = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    window, frame = headers | {"sec-fetch-dest": "document"}, headers | {"sec-fetch-dest": "iframe"}

    assert local_http.get("/_emulator/health", headers=window).status_code == 200
    assert local_http.get("/_emulator/health", headers=frame).status_code == 403
    assert local_http.post("/_emulator/reset", headers=window).status_code == 403


def test_every_answer_is_a_page_of_nobody_s(local_http: TestClient) -> None:
    """Objects, documents, JSON, refusals: none has the server's origin, none is guessed at."""
    local_http.post("/storage/v1/b?project=p-1", json={"name": "some-bucket"})
    local_http.put("/some-bucket/some-object", content=b"<script>")
    answers = [local_http.request(*where) for where in EVERYWHERE]
    answers.append(local_http.get("/some-bucket/some-object"))
    answers.append(local_http.get("/storage/v1/b/some-bucket/o/some-object?alt=media"))
    answers.append(local_http.get("/", headers={"host": "evil.example"}))

    assert {one.headers.get("x-content-type-options") for one in answers} == {"nosniff"}
    policies = {one.headers.get("content-security-policy") for one in answers}
    assert policies == {"sandbox allow-scripts; frame-ancestors 'none'"}


@pytest.mark.parametrize("end", ["", "?uploads", "?uploadId=x"])
def test_a_form_without_a_policy_begins_nothing(local_http: TestClient, end: str) -> None:
    """A page may send a form anywhere: to the object `/` too, where nothing proves who sends it."""
    local_http.post("/storage/v1/b?project=p-1", json={"name": "some-bucket"})
    typed = {"content-type": "multipart/form-data; boundary=b", "origin": "null"}

    answer = local_http.post(f"/some-bucket//{end}", headers=typed, content=b"--b--")

    assert answer.status_code == 403
    assert "Origin" in answer.text


def test_two_hosts_are_none(server: LocalCloud) -> None:
    """A request with two Host headers is nobody's, whichever of them a proxy would believe."""
    answer = raw(
        server, b"GET /_emulator/health HTTP/1.1\r\nHost: localhost\r\nHost: a.example\r\n\r\n"
    )

    assert answer.startswith(b"HTTP/1.1 403")


def test_other_addresses_only_when_told(start: Callable[..., LocalCloud], tmp_path: Path) -> None:
    """`--host 0.0.0.0` warns; addresses and allowed names are answered, other names are not."""
    cloud = start("--host", "0.0.0.0", "--allow-host", "cloud.lan")
    port = urlsplit(cloud.url).port

    def status(host: str) -> int:
        url = f"http://127.0.0.1:{port}/_emulator/health"
        return httpx.get(url, headers={"host": host}).status_code

    assert "other machines can reach this port" in (tmp_path / "own.log").read_text()
    assert [status(host) for host in ("192.0.2.7:80", "cloud.lan", "[2001:db8::1]")] == [200] * 3
    assert [status(host) for host in ("evil.example", "192.0.2.7.evil.example")] == [403] * 2


ODD_NAMES = [
    "../../../../etc/passwd",
    "/etc/passwd",
    "..%2f..%2fetc",
    "a/../../b",
    "nul\x00byte",
    "./x",
    "con",
    "%2e%2e/x",
    "\\..\\x",
    "日本/🦔",
    "x" * 1024,
]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_names_are_only_names(bucket: Bucket, server: LocalCloud, name: str) -> None:
    """An object of any name is kept under that name, and its bytes lie in the data folder."""
    before = outside(server)
    blob = bucket.blob(name)

    blob.upload_from_string(SECRET)

    assert bucket.blob(name).download_as_bytes() == SECRET.encode()
    assert [one.name for one in bucket.list_blobs()] == [name]
    assert outside(server) == before


@pytest.mark.parametrize(
    ("name", "sentence"), [("x" * 1025, "maximum object length"), ("..", "Invalid object name")]
)
def test_names_that_cannot_be(http: httpx.Client, bucket: Bucket, name: str, sentence: str) -> None:
    """A name over 1,024 bytes or one that means a folder is 400."""
    path = f"/upload/storage/v1/b/{bucket.name}/o?uploadType=media&name={quote(name)}"

    answer = http.post(path, content=b"x")

    assert answer.status_code == 400
    assert sentence in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    "path",
    [
        "/storage/v1/b/../../etc/passwd",
        "/storage/v1/b/%2e%2e%2f%2e%2e/o/x",
        "/..%2f..%2fetc/passwd",
        "/_emulator/snapshot/..%2f..%2fetc",
        f"{PLACES}/datasets/..%2f..%2f",
        f"{PLACES}/datasets/%00",
        "/storage/v1/b/%00/o/%00?alt=media",
        "/storage/v1/b/%ff%fe/o",
        "/retry_test/..%2f..%2fetc",
    ],
)
def test_paths_that_lead_out(server: LocalCloud, path: str) -> None:
    """Dots, NUL and encoded slashes in a path are names that nobody has: a refusal, no file."""
    host = urlsplit(server.url).netloc.encode()

    for method in (b"GET", b"DELETE", b"PATCH"):
        answer = raw(
            server, method + b" " + path.encode() + b" HTTP/1.1\r\nHost: " + host + b"\r\n\r\n"
        )

        assert answer.split(b" ")[1][:1] == b"4", answer[:300]
        assert b"root:" not in answer


@pytest.mark.parametrize(
    "uri", ["file:///etc/passwd", "/etc/passwd", "gs://../etc/passwd", "gs://b/../../etc/passwd"]
)
def test_no_file_of_the_machine_is_read(local_http: TestClient, uri: str) -> None:
    """Imports read gs:// of existing buckets and nothing else; an error tells no file's content."""
    schema = "gs://google-cloud-aiplatform/schema/dataset"
    made = local_http.post(
        f"{PLACES}/datasets",
        json={"displayName": "d", "metadataSchemaUri": f"{schema}/metadata/image_1.0.0.yaml"},
    ).json()
    dataset = made["response"]["name"]
    form = "image_classification_single_label_io_format_1.0.0.yaml"
    config = {"gcsSource": {"uris": [uri]}, "importSchemaUri": f"{schema}/ioformat/{form}"}

    answer = local_http.post(f"/v1/{dataset}:import", json={"importConfigs": [config]})
    said = answer.text
    if answer.status_code == 200:
        name = answer.json()["name"]
        done = local_http.post(f"/v1/{name}:wait", json={"timeout": "10s"}).json()
        said = json.dumps(done)
        assert "error" in done

    assert "root:" not in said


@pytest.mark.parametrize(
    "body",
    [
        b'{"a":' * (MAX_DEPTH + 1) + b"1" + b"}" * (MAX_DEPTH + 1),
        b"[" * 100_000,
        b'{"name": "\\ud800"}',
        b'{"name": NaN}',
        b'{"name": ' + b"9" * 5000 + b"}",
        b"\xff\xfe",
        b"{",
    ],
)
def test_json_that_nobody_can_keep(local_http: TestClient, body: bytes) -> None:
    """Deep nesting, half a surrogate pair, NaN, endless numbers and no JSON at all are 400."""
    for path in ("/storage/v1/b?project=p-1", f"{PLACES}/datasets", "/retry_test", "/v3/projects"):
        answer = local_http.post(path, content=body, headers={"content-type": "application/json"})

        assert answer.status_code == 400, answer.text


def test_a_body_has_an_end(local_http: TestClient) -> None:
    """A body that no API would take is refused while it comes, not kept."""

    def endless() -> Iterator[bytes]:
        for _ in range(BODY_BYTES // (1 << 20) + 2):
            yield b" " * (1 << 20)

    answer = local_http.post(f"{PLACES}/datasets", content=endless())

    assert answer.status_code == 400
    assert "exceeds the limit" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    "head",
    [
        b"GET /_emulator/health HTTP/1.1\r\nX-Long: " + b"x" * (70 << 10),
        b"GET /" + b"x" * (70 << 10),
        b"GET /_emulator/health HTTP/1.1\r\n" + b"X-Many: y\r\n" * 10_000,
    ],
)
def test_a_head_has_an_end(server: LocalCloud, head: bytes) -> None:
    """An endless header, path or list of headers is 400 and the end of the connection."""
    assert raw(server, head).startswith(b"HTTP/1.1 400")


def test_the_data_folder_is_private(start: Callable[..., LocalCloud]) -> None:
    """Keys, database, photos, logs: no file or folder can be read by other users."""
    cloud = start()
    with httpx.Client(base_url=cloud.url) as http:
        http.post("/storage/v1/b?project=p-1", json={"name": "private"})
        http.post(
            "/upload/storage/v1/b/private/o?uploadType=media&name=x", content=b"x" * 2_000_000
        )
        http.post("/upload/storage/v1/b/private/o?uploadType=resumable&name=y")

    modes = {path: path.stat().st_mode for path in [cloud.data, *cloud.data.rglob("*")]}

    assert {path for path, mode in modes.items() if mode & 0o077} == set()
    assert stat.S_IMODE(modes[cloud.data / "service-account.json"]) == 0o600


def test_an_open_folder_is_closed(tmp_path: Path) -> None:
    """A data folder that others could read is theirs no longer once a server uses it."""
    tmp_path.chmod(0o755)

    DataFolder(tmp_path).release()

    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o700


@pytest.mark.parametrize("name", ["blobs", "lock", "service-account.json", "emulator.sqlite"])
def test_links_in_the_data_folder(tmp_path: Path, name: str) -> None:
    """A symbolic link in the data folder, which would send writes elsewhere, stops the start."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / name).symlink_to(tmp_path / "elsewhere")

    with pytest.raises(StartError, match="is a symbolic link"):
        DataFolder(tmp_path / "data")

    assert not (tmp_path / "elsewhere").exists()


def test_loopback_is_told_from_other_addresses(tmp_path: Path) -> None:
    """127.0.0.1 and ::1 are loopback; 0.0.0.0 is not, and is reached by its loopback address."""
    hosts = ("127.0.0.1", "::1", "0.0.0.0", "192.0.2.1")
    settings = [ServerSettings(tmp_path, host=host, port=80) for host in hosts]

    assert [one.is_loopback for one in settings] == [True, True, False, False]
    assert settings[2].base_url == "http://127.0.0.1:80"


def outside(server: LocalCloud) -> set[str]:
    """What lies beside the data folder."""
    return {str(path) for path in server.data.parent.iterdir()}


def raw(server: LocalCloud, request: bytes) -> bytes:
    """The answer to bytes as they are, until the end of the connection or of the first answer."""
    address = urlsplit(server.url)
    assert address.hostname and address.port
    with socket.create_connection((address.hostname, address.port), timeout=20) as connection:
        connection.sendall(request)
        return connection.recv(65536)
