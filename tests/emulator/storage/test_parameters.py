"""Parameters and headers that say what they cannot."""

from __future__ import annotations

from xml.etree.ElementTree import fromstring

import httpx
import pytest
from google.cloud.storage import Bucket


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("projection=foo", "Invalid string value: 'foo'. Allowed values: [full, noAcl]"),
        ("alt=foo", "Invalid string value: 'foo'. Allowed values: [json, media]"),
        ("versions=maybe", "Invalid boolean value: 'maybe'."),
        ("softDeleted=2", "Invalid boolean value: '2'."),
    ],
)
def test_other_values_are_refused(
    http: httpx.Client, bucket: Bucket, query: str, words: str
) -> None:
    """400 with the parameter's name, for reads and before anything is written."""
    path = f"/storage/v1/b/{bucket.name}/o"

    for answer in (
        http.get(f"{path}?{query}"),
        http.post(f"/upload{path}?uploadType=media&name=x&{query}", content=b"x"),
    ):
        error = answer.json()["error"]
        assert (answer.status_code, error["message"]) == (400, words)
        assert error["errors"][0]["location"] == query.partition("=")[0]
    assert list(bucket.list_blobs()) == []


def test_both_spellings_of_a_boolean(http: httpx.Client, bucket: Bucket) -> None:
    """Python's clients write True."""
    for said in ("true", "True", "false", "False"):
        assert http.get(f"/storage/v1/b/{bucket.name}/o?versions={said}").status_code == 200


@pytest.mark.parametrize("sent", ["rubbish", "md5=", "sha1=abc", "crc32c=AAAAAA==,x"])
def test_a_hash_that_is_none(http: httpx.Client, bucket: Bucket, sent: str) -> None:
    """X-Goog-Hash of another form is 400, and nothing is stored."""
    path = f"/upload/storage/v1/b/{bucket.name}/o?uploadType=media&name=x"

    answer = http.post(path, content=b"", headers={"x-goog-hash": sent})

    assert answer.status_code == 400
    assert "x-goog-hash" in answer.json()["error"]["message"]
    assert list(bucket.list_blobs()) == []


def test_an_upload_says_of_which_kind_it_is(http: httpx.Client, bucket: Bucket) -> None:
    """Without uploadType it is 400, which names it."""
    answer = http.post(f"/upload/storage/v1/b/{bucket.name}/o?name=x", content=b"x")

    assert answer.status_code == 400
    assert answer.json()["error"]["message"] == "Required parameter: uploadType"


def test_a_bucket_of_no_project(http: httpx.Client) -> None:
    """What can be no project's id is 400."""
    answer = http.post("/storage/v1/b?project=DEMO!!", json={"name": "of-no-project"})

    assert answer.status_code == 400
    assert answer.json()["error"]["message"] == "Invalid project id 'DEMO!!'."


@pytest.mark.parametrize(
    ("method", "path", "wanted"),
    [("GET", "/b1/nothere", (404, "NoSuchBucket")), ("PATCH", "/xmlb/p", (405, "MethodNotAllowed")),
     ("PUT", "/b1", (400, "InvalidBucketName"))],
)  # fmt: skip
def test_paths_of_no_other_api_are_xml(
    http: httpx.Client, method: str, path: str, wanted: tuple[int, str]
) -> None:
    """Short names and strange methods are answered in XML; versions of other APIs are not."""
    answer = http.request(method, path)

    assert (answer.status_code, fromstring(answer.text).findtext("Code")) == wanted
    assert http.get("/v9/nothere").json()["error"]["status"] == "NOT_FOUND"
