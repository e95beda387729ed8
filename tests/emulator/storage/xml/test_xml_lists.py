"""Lists of the XML API: buckets, and objects in both forms."""

from __future__ import annotations

from urllib.parse import quote
from uuid import uuid4
from xml.etree.ElementTree import Element, fromstring

import httpx
import pytest
from google.cloud.storage import Bucket, Client

NAMES = ["a/1", "a/2", "b", "c/d/3", "e e", "é"]


@pytest.fixture
def path(bucket: Bucket) -> str:
    """The path of a bucket with NAMES."""
    for name in NAMES:
        bucket.blob(name).upload_from_string(name)
    return f"/{bucket.name}"


def texts(tree: Element, *words: str) -> list[str]:
    """The texts of all elements at a path."""
    space = "{http://doc.s3.amazonaws.com/2006-03-01}"
    return [one.text or "" for one in tree.findall("/".join(space + word for word in words))]


@pytest.mark.parametrize("form", ["", "&list-type=2"])
def test_all_names_page_by_page(http: httpx.Client, path: str, form: str) -> None:
    """Pages of two, over names and folders together, give everything once, in order."""
    found: list[str] = []
    asked, pages = "", 0
    while True:
        tree = fromstring(http.get(f"{path}?max-keys=2&delimiter=/{form}{asked}").text)
        page = texts(tree, "Contents", "Key") + texts(tree, "CommonPrefixes", "Prefix")
        assert 1 <= len(page) <= 2
        found, pages = found + sorted(page), pages + 1
        if texts(tree, "IsTruncated") == ["false"]:
            break
        (name, parameter) = (
            ("NextContinuationToken", "continuation-token") if form else ("NextMarker", "marker")
        )
        asked = f"&{parameter}={quote(texts(tree, name)[0])}"

    assert (found, pages) == (["a/", "b", "c/", "e e", "é"], 3)


def test_prefix_start_and_encoding(http: httpx.Client, path: str) -> None:
    """prefix and start-after narrow a list; encoding-type=url quotes the names."""
    inside = fromstring(http.get(f"{path}?prefix=a/").text)
    behind = fromstring(http.get(f"{path}?list-type=2&start-after=c&encoding-type=url").text)

    assert texts(inside, "Contents", "Key") == ["a/1", "a/2"]
    assert texts(behind, "Contents", "Key") == ["c/d/3", "e%20e", "%C3%A9"]
    assert texts(behind, "KeyCount") == ["3"]


def test_an_entry_is_the_object(http: httpx.Client, path: str, bucket: Bucket) -> None:
    """Size, generation and entity tag are those that the object itself answers."""
    tree = fromstring(http.get(f"{path}?prefix=b").text)
    head = http.head(f"{path}/b").headers

    assert texts(tree, "Contents", "Size") == ["1"]
    assert texts(tree, "Contents", "Generation") == [head["x-goog-generation"]]
    assert texts(tree, "Contents", "ETag") == [head["etag"]]
    assert texts(tree, "Name") == [bucket.name]


def test_versions(http: httpx.Client, client: Client) -> None:
    """versions=true lists the noncurrent generations too, the last one marked."""
    bucket = client.bucket(f"versions-{uuid4().hex[:12]}")
    bucket.versioning_enabled = True
    bucket.create()
    for text in ("one", "two"):
        bucket.blob("x").upload_from_string(text)

    tree = fromstring(http.get(f"/{bucket.name}?versions=true").text)

    assert texts(tree, "Version", "IsLatest") == ["false", "true"]
    old = texts(tree, "Version", "Generation")[0]
    assert http.get(f"/{bucket.name}/x?generation={old}").text == "one"


def test_names_that_xml_has_no_characters_for(http: httpx.Client, bucket: Bucket) -> None:
    """A control character comes by number, or quoted on request."""
    bucket.blob("a\x01<b>").upload_from_string("")

    plain = http.get(f"/{bucket.name}").text
    quoted = fromstring(http.get(f"/{bucket.name}?encoding-type=url").text)

    assert "<Key>a&#x1;&lt;b&gt;</Key>" in plain
    assert texts(quoted, "Contents", "Key") == ["a%01%3Cb%3E"]


def test_the_buckets_of_a_project(http: httpx.Client, client: Client, bucket: Bucket) -> None:
    """`GET /` lists the buckets of the project that the header names."""
    headers = {"x-goog-project-id": str(client.project)}

    tree = fromstring(http.get("/", headers=headers).text)

    assert bucket.name in texts(tree, "Buckets", "Bucket", "Name")


@pytest.mark.parametrize("query", ["max-keys=0", "max-keys=x", "generation-marker=x&marker=a"])
def test_numbers_that_are_not(http: httpx.Client, path: str, query: str) -> None:
    """400 InvalidArgument names the parameter."""
    answer = http.get(f"{path}?{query}")

    assert answer.status_code == 400
    assert f"for {query.split('=')[0]}." in answer.text
