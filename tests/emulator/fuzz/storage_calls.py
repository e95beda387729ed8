"""Calls of Cloud Storage that are valid by construction, over JSON and XML."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote, urlsplit

from hypothesis import strategies as st

from emulator.storage.api import ROUTES as JSON_ROUTES
from emulator.storage.xml.api import ROUTES as XML_ROUTES
from tests.emulator.fuzz.target import Asked, Target
from tests.emulator.fuzz.values import (
    QUERIES,
    Draw,
    json_values,
    labels,
    object_names,
    odd,
    picked,
    texts,
)

PROJECT = {"project": "fuzz-project"}
CLASSES = st.sampled_from(["STANDARD", "NEARLINE", "COLDLINE", "ARCHIVE"])
# Keys of buckets, objects, access controls, policies and requests.
FIELDS = [
    "name", "location", "storageClass", "labels", "lifecycle", "cors", "versioning", "website",
    "logging", "billing", "encryption", "retentionPolicy", "softDeletePolicy", "iamConfiguration",
    "autoclass", "rpo", "customPlacementConfig", "hierarchicalNamespace", "ipFilter", "acl",
    "defaultObjectAcl", "defaultEventBasedHold", "metadata", "contentType", "contentEncoding",
    "cacheControl", "customTime", "retention", "eventBasedHold", "temporaryHold", "md5Hash",
    "crc32c", "entity", "role", "bindings", "etag", "version", "sourceObjects", "destination",
    "topic", "payload_format", "state", "contexts", "matchGlobs", "allowOverwrite",
]  # fmt: skip
UNIFORM = {"iamConfiguration": {"uniformBucketLevelAccess": {"enabled": True}}}


def new_bucket(draw: Draw, target: Target, **more: Any) -> str:
    """A bucket with some fields."""
    name = target.name("fuzz")
    body = {
        "name": name,
        "labels": draw(labels),
        "storageClass": draw(CLASSES),
        "versioning": {"enabled": draw(st.booleans())},
        **more,
    }
    target.good("POST", "/storage/v1/b", body, query=PROJECT)
    return name


def put(draw: Draw, target: Target, bucket: str) -> str:
    """An object, uploaded as media."""
    name: str = draw(object_names)
    query = {"uploadType": "media", "name": name}
    target.good(
        "POST", f"/upload/storage/v1/b/{bucket}/o", draw(st.binary(max_size=99)), query=query
    )
    return name


def where(bucket: str, name: str) -> str:
    """The path of an object."""
    return f"/storage/v1/b/{bucket}/o/{quote(name, safe='')}"


def buckets(draw: Draw, target: Target) -> None:
    """Made, read, changed, its policy, its rights, listed, deleted."""
    name = new_bucket(draw, target)
    path = f"/storage/v1/b/{name}"
    target.good("GET", path, query={"projection": draw(st.sampled_from(["full", "noAcl"]))})
    target.good("PATCH", path, {"labels": draw(labels), "website": {"mainPageSuffix": "i.html"}})
    age = draw(st.integers(0, 999))
    rules = [{"action": {"type": "Delete"}, "condition": {"age": age}}]
    target.good("PATCH", path, {"lifecycle": {"rule": rules}, "storageClass": draw(CLASSES)})
    policy = target.good("GET", f"{path}/iam", query={"optionsRequestedPolicyVersion": "3"}).json()
    target.good("PUT", f"{path}/iam", policy)
    target.good("GET", f"{path}/iam/testPermissions", query={"permissions": "storage.buckets.get"})
    target.good("GET", "/storage/v1/b", query={**PROJECT, "prefix": "fuzz", "maxResults": "2"})
    target.good("POST", f"{path}/acl", {"entity": "allUsers", "role": "READER"})
    target.good("GET", f"{path}/defaultObjectAcl")
    target.good("DELETE", path)


def objects(draw: Draw, target: Target) -> None:
    """Uploaded, read, changed, copied, rewritten, composed, listed, deleted."""
    bucket = new_bucket(draw, target)
    name = put(draw, target, bucket)
    path, list_path = where(bucket, name), f"/storage/v1/b/{bucket}/o"
    target.good("GET", path)
    target.good("GET", path, query={"alt": "media"})
    target.good("PATCH", path, {"metadata": draw(st.dictionaries(texts, texts, max_size=3))})
    target.good("POST", f"{path}/copyTo/b/{bucket}/o/copy", {})
    target.good("POST", f"{path}/rewriteTo/b/{bucket}/o/again", {"contentType": "a/b"})
    sources = [{"name": "copy"}, {"name": "again"}]
    target.good("POST", f"{list_path}/both/compose", {"sourceObjects": sources})
    target.good("GET", list_path, query={"prefix": draw(object_names), "delimiter": "/"})
    target.good("GET", list_path, query={"maxResults": str(draw(st.integers(1, 9)))})
    target.good("GET", list_path, query={"matchGlob": "**", "versions": "true"})
    target.good("GET", f"{path}/acl")
    target.good("DELETE", path)


def uploads(draw: Draw, target: Target) -> None:
    """With metadata, and resumable, begun, asked for and ended or cancelled."""
    bucket = new_bucket(draw, target)
    name, data = draw(object_names), draw(st.binary(max_size=99))
    described = json.dumps({"name": name, "contentType": "text/plain"}).encode()
    body = b"\r\n".join(
        [b"--fuzz--end", b"Content-Type: application/json", b"", described, b"--fuzz--end",
         b"Content-Type: a/b", b"", data, b"--fuzz--end--"]
    )  # fmt: skip
    kind = {"content-type": "multipart/related; boundary=fuzz--end"}
    path = f"/upload/storage/v1/b/{bucket}/o"
    target.good("POST", path, body, query={"uploadType": "multipart"}, headers=kind)
    query = {"uploadType": "resumable", "name": name}
    begun = target.good("POST", path, {"metadata": {"a": "b"}}, query=query)
    address = urlsplit(begun.headers.get("location", ""))
    session = dict(pair.split("=") for pair in address.query.split("&") if "=" in pair)
    target.good("PUT", path, query=session, headers={"content-range": "bytes */*"})
    last = f"bytes 0-{len(data) - 1}/{len(data)}" if data else "bytes */0"
    target.good("PUT", path, data or None, query=session, headers={"content-range": last})


def xml(draw: Draw, target: Target) -> None:
    """Objects, lists and parts over the XML API."""
    bucket = new_bucket(draw, target)
    name = draw(object_names.filter(lambda one: not one.startswith("/")))
    path = f"/{bucket}/{quote(name, safe='')}"
    kind = {"content-type": draw(st.sampled_from(["a/b", "text/plain"])), "x-goog-meta-a": "b"}
    target.good("PUT", path, draw(st.binary(min_size=1, max_size=99)), headers=kind)
    target.good("GET", path)
    target.good("HEAD", path)
    target.good("GET", f"/{bucket}", query={"prefix": name[:1], "list-type": "2"})
    target.good("GET", f"/{bucket}", query={"max-keys": str(draw(st.integers(1, 9)))})
    target.good("GET", f"/{bucket}", query={"uploads": ""})
    begun = target.good("POST", path, query={"uploads": ""})
    upload = begun.text.partition("<UploadId>")[2].partition("<")[0]
    part = {"uploadId": upload, "partNumber": "1"}
    target.good("PUT", path, draw(st.binary(min_size=1, max_size=99)), query=part)
    target.good("GET", path, query={"uploadId": upload})
    target.good("DELETE", path, query={"uploadId": upload})
    target.good("DELETE", path)


def extras(draw: Draw, target: Target) -> None:
    """Managed folders, notifications, the service agent, a batch."""
    bucket = new_bucket(draw, target, **UNIFORM)
    path = f"/storage/v1/b/{bucket}"
    folder = draw(st.from_regex(r"[a-z]{1,9}/", fullmatch=True))
    target.good("POST", f"{path}/managedFolders", {"name": folder})
    target.good("GET", f"{path}/managedFolders")
    topic = "//pubsub.googleapis.com/projects/fuzz-project/topics/topic"
    sent = {"topic": topic, "payload_format": "NONE"}
    made = target.good("POST", f"{path}/notificationConfigs", sent).json()
    target.good("GET", f"{path}/notificationConfigs/{made.get('id')}")
    target.good("GET", f"{path}/storageLayout")
    target.good("GET", "/storage/v1/projects/fuzz-project/serviceAccount")
    inner = f"GET {path} HTTP/1.1\r\n\r\n"
    body = f"--b\r\nContent-Type: application/http\r\nContent-ID: <1>\r\n\r\n{inner}\r\n--b--\r\n"
    kind = {"content-type": "multipart/mixed; boundary=b"}
    target.good("POST", "/batch/storage/v1", body.encode(), headers=kind)


SCENARIOS = [buckets, objects, uploads, xml, extras]


def generated(draw: Draw, seen: list[str]) -> Asked:
    """A request of any route: buckets and objects that are there or odd, a body of known keys."""
    if draw(st.integers(0, 3)) == 0:
        kind, method, more = draw(st.sampled_from(sorted(XML_ROUTES)))
        path = "/" + "/".join(
            [picked(draw, seen, odd), draw(odd)][: ("service", "bucket", "object").index(kind)]
        )
        return Asked(method, path, {more: draw(odd)} if more else {}, draw(st.binary(max_size=40)))
    method, root, form, _ = draw(st.sampled_from(JSON_ROUTES))
    words = form.split("/")
    for place, word in enumerate(words):
        if word == "*":
            name = _name(draw, words[place - 1], seen)
            words[place] = quote(name.encode("utf-8", "surrogatepass"), safe="")
    query = draw(st.dictionaries(st.sampled_from(QUERIES), odd, max_size=2))
    if root.startswith("/upload"):
        kind = draw(st.sampled_from(["media", "multipart", "resumable"]))
        query = {"uploadType": kind, "name": "sent", **query}
    body = None
    if method not in ("GET", "DELETE"):
        body = draw(st.dictionaries(st.sampled_from(FIELDS), json_values | odd, max_size=3))
    return Asked(method, root + "/".join(words), query, body)


def _name(draw: Draw, noun: str, seen: list[str]) -> str:
    """A name of a bucket, an object or something else in a path."""
    if noun == "b":
        return picked(draw, seen, odd)
    known = {"o": ["copy", "again", "both"], "projects": ["fuzz-project"]}.get(noun, ["allUsers"])
    return picked(draw, known, odd)
