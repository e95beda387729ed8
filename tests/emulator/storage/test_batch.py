"""Many calls in one request: odd forms, and what a batch may not hold."""

from __future__ import annotations

from urllib.parse import quote

import httpx
import pytest
from google.cloud.storage import Bucket, Client

HEAD = {"content-type": 'multipart/mixed; boundary="=b="'}


def parts(*requests: str, end: str = "\r\n") -> bytes:
    """The body of a batch of these requests."""
    lines = []
    for number, request in enumerate(requests, 1):
        head = ["--=b=", "Content-Type: application/http", f"Content-ID: <a+{number}>", ""]
        lines += [*head, *request.split("\n")]
    return (end.join([*lines, "--=b=--"]) + end).encode()


def statuses(answer: httpx.Response) -> list[int]:
    """The status of each part of an answer."""
    return [
        int(line.split(" ")[1]) for line in answer.text.splitlines() if line.startswith("HTTP/1.1")
    ]


@pytest.mark.parametrize("end", ["\r\n", "\n"])
def test_absolute_paths_odd_names_and_both_line_ends(
    http: httpx.Client, bucket: Bucket, end: str
) -> None:
    """Whole URLs, quoted slashes in names, bodies with and without a length, bare line feeds."""
    bucket.blob("a/b c").upload_from_string("x")
    path = f"/storage/v1/b/{bucket.name}/o/{quote('a/b c', safe='')}"
    patch = '{"metadata": {"k": "v"}}'

    answer = http.post("/batch/storage/v1", headers=HEAD, content=parts(
        f"GET {path}?fields=name HTTP/1.1\n",
        f"PATCH https://storage.googleapis.com{path} HTTP/1.1\n"
        f"Content-Type: application/json\nContent-Length: {len(patch)}\n\n{patch}",
        f"PATCH {path} HTTP/1.1\nContent-Type: application/json\n\n{patch}",
        f"GET {path}x HTTP/1.1\n",
        end=end,
    ))  # fmt: skip

    assert statuses(answer) == [200, 200, 200, 404]
    assert [f"<response-a+{number}>" in answer.text for number in range(1, 6)] == [True] * 4 + [
        False
    ]
    blob = bucket.get_blob("a/b c")
    assert blob is not None
    assert blob.metadata == {"k": "v"}


def test_no_media_and_no_batch_within(http: httpx.Client, bucket: Bucket) -> None:
    """Each is 400 in its own place; the others are answered."""
    bucket.blob("x").upload_from_string("x")
    path = f"/storage/v1/b/{bucket.name}/o"

    answer = http.post("/batch/storage/v1", headers=HEAD, content=parts(
        f"GET {path}/x?alt=media HTTP/1.1\n", f"GET /download{path}/x HTTP/1.1\n",
        f"POST /upload{path}?uploadType=media&name=y HTTP/1.1\n\nx",
        "POST /batch/storage/v1 HTTP/1.1\n", f"GET {path}/x HTTP/1.1\n",
    ))  # fmt: skip

    assert statuses(answer) == [400, 400, 400, 400, 200]


@pytest.mark.parametrize(
    "request_text",
    ["", "GET\n", "GET http://[ HTTP/1.1\n", "GET / HTTP/1.1\nContent-Length: x\n\nbody"],
)
def test_parts_that_are_no_requests(http: httpx.Client, request_text: str) -> None:
    """400 for the whole batch, which says which part."""
    answer = http.post("/batch/storage/v1", headers=HEAD, content=parts(request_text))

    assert answer.status_code == 400
    assert "part of the batch" in answer.json()["error"]["message"]


def test_a_big_batch_of_google_s_client(client: Client, bucket: Bucket) -> None:
    """A hundred patches of up to 7 KB each in one request, all kept."""
    for number in range(100):
        bucket.blob(f"{number}").upload_from_string("")

    with client.batch():
        for number in range(100):
            blob = bucket.blob(f"{number}")
            blob.metadata = {"long": f"{number}" * 3_500}
            blob.patch()

    last = bucket.get_blob("99")
    assert last is not None
    assert last.metadata is not None
    assert last.metadata["long"] == "99" * 3_500


def test_a_batch_has_google_s_length(http: httpx.Client) -> None:
    """Up to 10 MB are read, which is more than any other JSON; beyond it is 413."""
    filler = "GET / HTTP/1.1\n\n" + " " * 9_900_000

    assert http.post("/batch/storage/v1", headers=HEAD, content=parts(filler)).status_code == 200
    longer = parts(filler + " " * 100_000)
    assert http.post("/batch/storage/v1", headers=HEAD, content=longer).status_code == 413


def test_a_query_that_is_not_utf_8(http: httpx.Client) -> None:
    """A call of a batch whose query is no UTF-8 is 400, as it is alone."""
    content = parts("\nGET /storage/v1/b/x/o?prefix=%FF HTTP/1.1\n")

    answer = http.post("/batch/storage/v1", content=content, headers=HEAD)

    assert answer.status_code == 400
    assert "not valid UTF-8" in answer.text
