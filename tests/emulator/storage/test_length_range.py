"""X-Goog-Content-Length-Range: how long an upload may be, whichever way it comes."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from xml.etree.ElementTree import fromstring

import httpx
import pytest
from google.cloud.storage import Bucket
from google.oauth2.service_account import Credentials

from emulator.accounts import key_file
from emulator.cloud import ServerSettings
from tests.local_cloud import LocalCloud

if TYPE_CHECKING:
    from httpx import Response
    from starlette.testclient import TestClient

HEADER = "x-goog-content-length-range"
LARGE = (
    "Your proposed upload is larger than the maximum object size specified in your Policy Document."
)
SIZES = [(4, "Small"), (5, ""), (10, ""), (11, "Large"), (600_000, "Large")]


@pytest.fixture
def http(local_http: TestClient) -> TestClient:
    """The cloud in this process, with the empty bucket `ranges`."""
    local_http.post("/storage/v1/b?project=p", json={"name": "ranges"})
    return local_http


def stored(http: TestClient) -> list[str]:
    """The names of all objects."""
    found = http.get("/storage/v1/b/ranges/o").json()
    return [one["name"] for one in found.get("items", [])]


def begun(http: TestClient, value: str, path: str = "", **headers: str) -> Response:
    """The answer to the start of a resumable upload of `x`."""
    path = path or "/upload/storage/v1/b/ranges/o?uploadType=resumable&name=x"
    answer: Response = http.post(path, headers={HEADER: value} | headers)
    return answer


def session(answer: Response) -> str:
    """The path of the session that an answer names."""
    address = urlsplit(answer.headers["location"])
    return f"{address.path}?{address.query}"


@pytest.mark.parametrize(("size", "problem"), SIZES)
def test_of_the_xml_api(http: TestClient, size: int, problem: str) -> None:
    """Both ends are included; what does not fit is refused in Google's words, and not kept."""
    answer = http.put("/ranges/x", content=b"x" * size, headers={HEADER: "5,10"})

    assert (answer.status_code, stored(http)) == ((400, []) if problem else (200, ["x"]))
    if problem:
        tree = fromstring(answer.text)
        assert tree.findtext("Code") == f"EntityToo{problem}"
    if problem == "Large":
        assert tree.findtext("Message") == LARGE
        assert tree.findtext("Details") == "Content-length exceeds upper bound on range"


@pytest.mark.parametrize(("size", "problem"), SIZES)
@pytest.mark.parametrize("kind", ["media", "multipart"])
def test_of_the_json_api(http: TestClient, kind: str, size: int, problem: str) -> None:
    """The media are measured, not the metadata beside them."""
    media = b"x" * size
    headers = {HEADER: "5,10"}
    if kind == "multipart":
        headers["content-type"] = "multipart/related; boundary=b"
        media = b'--b\r\n\r\n{"name":"x"}\r\n--b\r\n\r\n' + media + b"\r\n--b--"
    path = f"/upload/storage/v1/b/ranges/o?uploadType={kind}&name=x"

    answer = http.post(path, content=media, headers=headers)

    assert (answer.status_code, stored(http)) == ((400, []) if problem else (200, ["x"]))


@pytest.mark.parametrize("value", ["garbage", "5", "5,", ",5", "-1,5", "10,5", "1,2,3", ""])
def test_what_is_no_range(http: TestClient, value: str) -> None:
    """A header that says no range is 400, however long the upload."""
    put = http.put("/ranges/x", content=b"x" * 5, headers={HEADER: value})

    assert put.status_code == begun(http, value).status_code == 400
    assert fromstring(put.text).findtext("Code") == "InvalidArgument"
    assert stored(http) == []


def test_resumable_uploads(http: TestClient) -> None:
    """The range said at the start holds for the whole: a length announced, and bytes that come."""
    assert begun(http, "5,10", **{"x-upload-content-length": "11"}).status_code == 400
    path = session(begun(http, "300000,300001"))
    first = b"x" * (256 << 10)
    assert http.put(path, content=first, headers={"content-range": "bytes 0-262143/*"}).status_code
    more = {"content-range": "bytes 262144-300001/300002"}
    assert http.put(path, content=b"x" * 37858, headers=more).status_code == 400
    exact = {"content-range": "bytes 262144-300000/300001"}
    assert http.put(path, content=b"x" * 37857, headers=exact).status_code == 200

    small = session(begun(http, "5,10", "/ranges/y", **{"x-goog-resumable": "start"}))

    assert http.put(small, content=b"four").status_code == 400
    assert stored(http) == ["x"]


def test_a_signed_url_limits_its_uploads(server: LocalCloud, bucket: Bucket) -> None:
    """Who has a signed URL sends the header that was signed, and no more bytes than it says."""
    account = Credentials.from_service_account_file(  # type: ignore[no-untyped-call]
        key_file(ServerSettings(server.data))
    )
    headers = {HEADER: "0,10"}
    url = bucket.blob("x").generate_signed_url(
        expiration=timedelta(hours=1), method="PUT", version="v4", headers=headers,
        credentials=account, api_access_endpoint=server.url,
    )  # fmt: skip

    assert httpx.put(url, content=b"x" * 11, headers=headers).status_code == 400
    assert not bucket.blob("x").exists()
    assert httpx.put(url, content=b"x", headers={HEADER: "0,99"}).status_code == 403
    assert httpx.put(url, content=b"x" * 10, headers=headers).status_code == 200


def test_a_part_of_an_upload_in_parts(http: TestClient) -> None:
    """A part is measured as an upload is."""
    begun = fromstring(http.post("/ranges/x?uploads").text)
    (found,) = [one.text for one in begun if one.tag.endswith("UploadId")]
    path = f"/ranges/x?partNumber=1&uploadId={found}"

    assert http.put(path, content=b"x" * 11, headers={HEADER: "5,10"}).status_code == 400
    assert http.put(path, content=b"x" * 10, headers={HEADER: "5,10"}).status_code == 200
