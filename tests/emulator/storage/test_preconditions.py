"""The four preconditions, on every method, and under a race."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from google.api_core import exceptions
from google.cloud.storage import Bucket

METHODS = {
    "get": ("GET", "/storage/v1/b/{}/o/x", None),
    "media": ("GET", "/download/storage/v1/b/{}/o/x?alt=media", None),
    "patch": ("PATCH", "/storage/v1/b/{}/o/x", {"contentType": "a/b"}),
    "update": ("PUT", "/storage/v1/b/{}/o/x", {"contentType": "a/b"}),
    "delete": ("DELETE", "/storage/v1/b/{}/o/x", None),
    "upload": ("POST", "/upload/storage/v1/b/{}/o?uploadType=media&name=x", None),
}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("name", "offset", "holds"),
    [
        ("ifGenerationMatch", 0, True),
        ("ifGenerationMatch", 1, False),
        ("ifGenerationNotMatch", 0, False),
        ("ifGenerationNotMatch", 1, True),
        ("ifMetagenerationMatch", 0, True),
        ("ifMetagenerationMatch", 1, False),
        ("ifMetagenerationNotMatch", 0, False),
        ("ifMetagenerationNotMatch", 1, True),
    ],
)
def test_each_condition_on_each_method(
    bucket: Bucket, http: httpx.Client, method: str, name: str, offset: int, holds: bool
) -> None:
    """What holds is done; what does not is 412, or 304 for a read, and changes nothing."""
    blob = bucket.blob("x")
    blob.upload_from_string("before")
    value = (blob.metageneration if "Meta" in name else blob.generation) or 0
    verb, path, body = METHODS[method]

    answer = http.request(
        verb, path.format(bucket.name), json=body, params=_query(path, name, value + offset)
    )

    refused = 304 if method in ("get", "media") and "Not" in name else 412
    assert answer.status_code == ({"delete": 204}.get(method, 200) if holds else refused)
    if refused == 412 and not holds:
        sentence = "At least one of the pre-conditions you specified did not hold."
        assert sentence in answer.text
        if method != "media":  # which has the sentence alone
            assert answer.json()["error"]["errors"][0]["reason"] == "conditionNotMet"
    if not holds:
        found = bucket.get_blob("x")
        assert found is not None
        assert (found.generation, found.metageneration) == (blob.generation, 1)


def _query(path: str, name: str, value: int) -> dict[str, str]:
    """The path's own parameters and the condition: httpx replaces, it does not add."""
    own = dict(part.split("=") for part in path.partition("?")[2].split("&") if part)
    return own | {name: str(value)}


def test_zero_means_no_object(bucket: Bucket) -> None:
    """Match 0 creates and never overwrites; not-match 0 overwrites and never creates."""
    blob = bucket.blob("x")

    with pytest.raises(exceptions.PreconditionFailed):
        blob.upload_from_string("a", if_generation_not_match=0)
    blob.upload_from_string("b", if_generation_match=0)
    with pytest.raises(exceptions.PreconditionFailed):
        blob.upload_from_string("c", if_generation_match=0)
    blob.upload_from_string("d", if_generation_not_match=0)

    assert blob.download_as_bytes() == b"d"


def test_a_value_that_is_no_number(bucket: Bucket, http: httpx.Client) -> None:
    """A condition that cannot be read is 400, not ignored."""
    answer = http.delete(f"/storage/v1/b/{bucket.name}/o/x?ifGenerationMatch=latest")

    assert answer.status_code == 400
    assert "'latest' for ifGenerationMatch" in answer.json()["error"]["message"]


def test_one_of_many_writers_wins(bucket: Bucket) -> None:
    """Of 16 writers with `ifGenerationMatch=0` one is told that it won, and its bytes are there."""

    def write(number: int) -> bytes | None:
        data = str(number).encode() * 1000
        try:
            bucket.blob("lock").upload_from_string(data, if_generation_match=0)
        except exceptions.PreconditionFailed:
            return None
        return data

    with ThreadPoolExecutor(16) as pool:
        won = [data for data in pool.map(write, range(16)) if data is not None]

    assert len(won) == 1
    assert bucket.blob("lock").download_as_bytes() == won[0]


def test_read_modify_write_loses_nothing(bucket: Bucket) -> None:
    """Counters written under `ifGenerationMatch` by many threads add up."""
    bucket.blob("count").upload_from_string("0")

    def add(_: int) -> None:
        while True:
            blob = bucket.get_blob("count")
            assert blob is not None
            try:
                value = int(blob.download_as_bytes()) + 1
                blob.upload_from_string(str(value), if_generation_match=blob.generation)
            except (exceptions.PreconditionFailed, exceptions.NotFound):
                continue
            return

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add, range(24)))

    assert bucket.blob("count").download_as_bytes() == b"24"
