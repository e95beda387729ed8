"""Many objects deleted by one request of the XML API."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree.ElementTree import fromstring

import httpx
import pytest

if TYPE_CHECKING:
    from google.cloud.storage import Bucket


def body(*objects: str, rest: str = "") -> str:
    """A request for objects, each a name with what follows it."""
    return (
        f"<Delete>{''.join(f'<Object><Key>{one}</Key></Object>' for one in objects)}{rest}</Delete>"
    )


def found(answer: httpx.Response) -> list[tuple[str, str, str]]:
    """Element, key and code of every result."""
    assert answer.status_code == 200, answer.text
    return [
        (one.tag, one.findtext("Key") or "", one.findtext("Code") or "")
        for one in fromstring(answer.text)
    ]


def code(answer: httpx.Response) -> tuple[int, str]:
    """Status and code of a refusal."""
    return answer.status_code, fromstring(answer.text).findtext("Code") or ""


def test_each_object_has_its_own_result(http: httpx.Client, bucket: Bucket) -> None:
    """What is there goes, what is held or missing is told; Quiet leaves out what went."""
    for name in ("a &amp; b", "held", "c"):
        http.put(f"/{bucket.name}/{name.replace('&amp;', '&')}", content=b"x")
    held = bucket.blob("held")
    held.temporary_hold = True
    held.patch()

    loud = http.post(f"/{bucket.name}?delete", content=body("a &amp; b", "held", "none"))
    quiet = http.post(f"/{bucket.name}?delete", content=body("c", "no", rest="<Quiet>True</Quiet>"))

    assert found(loud) == [
        ("Deleted", "a & b", ""), ("Error", "held", "AccessDenied"), ("Error", "none", "NoSuchKey"),
    ]  # fmt: skip
    assert found(quiet) == [("Error", "no", "NoSuchKey")]
    assert [blob.name for blob in bucket.list_blobs()] == ["held"]


def test_a_generation_goes_alone(http: httpx.Client, bucket: Bucket) -> None:
    """VersionId names the generation that goes, and comes back with the result."""
    bucket.versioning_enabled = True
    bucket.patch()
    first, second = (
        http.put(f"/{bucket.name}/x", content=data).headers["x-goog-generation"]
        for data in (b"1", b"2")
    )
    wanted = f"<Delete><Object><Key>x</Key><VersionId>{first}</VersionId></Object></Delete>"

    answer = http.post(f"/{bucket.name}?delete", content=wanted)

    assert found(answer) == [("Deleted", "x", "")]
    assert fromstring(answer.text).findtext("Deleted/VersionId") == first
    assert [str(blob.generation) for blob in bucket.list_blobs(versions=True)] == [second]


@pytest.mark.parametrize(
    "sent",
    ["", "<Other/>", body(), body(*["x"] * 1001), body("x", rest="<Quiet>maybe</Quiet>"), body(""),
     "<Delete><Object><Key>x</Key><ETag>a</ETag></Object></Delete>"],
)  # fmt: skip
def test_a_misshapen_list_deletes_nothing(http: httpx.Client, bucket: Bucket, sent: str) -> None:
    """A body of another form, or with too many objects, is refused as a whole."""
    http.put(f"/{bucket.name}/x", content=b"x")

    assert code(http.post(f"/{bucket.name}?delete", content=sent)) == (400, "MalformedXML")
    assert http.head(f"/{bucket.name}/x").status_code == 200


def test_the_bucket_must_be_there(http: httpx.Client) -> None:
    """404 NoSuchBucket for the whole request."""
    answer = http.post("/no-such-bucket-here?delete", content=body("x"))

    assert code(answer) == (404, "NoSuchBucket")
