"""Lists of the XML API: the buckets of a project, the objects of a bucket."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from emulator.storage.http import Reply
from emulator.storage.names import successor
from emulator.storage.xml.documents import NAMESPACE, document, element, text, texts
from emulator.storage.xml.errors import invalid_argument
from emulator.storage.xml.objects import etag_of
from emulator.storage.xml.request import XmlRequest

Body = dict[str, Any]
# https://cloud.google.com/storage/docs/xml-api/get-bucket-list.
PAGE_LIMIT = 1000


async def list_buckets(request: XmlRequest) -> Reply:
    """`GET /`: the buckets of the project named by `x-goog-project-id`, or of the default one."""
    project = request.header("x-goog-project-id") or request.cloud.settings.default_project
    items: list[Body] = []
    query = {"project": project}
    while True:
        answer = await request.json("GET", "/storage/v1/b", query)
        items += answer.get("items", [])
        if "nextPageToken" not in answer:
            break
        query["pageToken"] = answer["nextPageToken"]
    found = "".join(
        element("Bucket", text("Name", item["name"]), text("CreationDate", item["timeCreated"]))
        for item in items
    )
    parts = _owner(request), element("Buckets", found)
    return document("ListAllMyBucketsResult", *parts, namespace=NAMESPACE)


async def list_objects(request: XmlRequest) -> Reply:
    """`GET /BUCKET`: a page of objects and common prefixes, in either form of the list."""
    second = request.query("list-type") == "2"
    query = {
        name: request.query(name)
        for name in ("prefix", "delimiter", "versions")
        if request.query(name)
    }
    query["maxResults"] = str(_limit(request))
    if start := _start(request, second):
        query["startOffset"] = start
    if second and (token := request.query("continuation-token")):
        query["pageToken"] = token
    answer = await request.json("GET", f"{request.bucket_path}/o", query)
    items, prefixes = answer.get("items", []), answer.get("prefixes", [])
    if not second and request.query("generation-marker"):
        items = _behind(request, items)
    more = "nextPageToken" in answer
    count = len(items) + len(prefixes)
    head = _second_head(request, answer, count) if second else _first_head(request)
    last = max([item["name"] for item in items[-1:]] + prefixes[-1:], default="")
    if more and not second:
        head += text("NextMarker", _name(request, last))
        if items and items[-1]["name"] == last and request.query("versions") == "true":
            head += text("NextGenerationMarker", items[-1]["generation"])
    found = "".join(_entry(request, item) for item in items)
    folders = "".join(
        element("CommonPrefixes", text("Prefix", _name(request, prefix))) for prefix in prefixes
    )
    flag = text("IsTruncated", str(more).lower())
    return document("ListBucketResult", head, flag, found, folders, namespace=NAMESPACE)


def _limit(request: XmlRequest) -> int:
    given = request.query("max-keys") or str(PAGE_LIMIT)
    if not given.isascii() or not given.isdigit() or int(given) == 0:
        raise invalid_argument(f"Invalid value '{given}' for max-keys.")
    return min(int(given), PAGE_LIMIT)


def _start(request: XmlRequest, second: bool) -> str:
    """The first name that may be listed, for a list that goes on behind a name."""
    marker = request.query("start-after" if second else "marker")
    delimiter = request.query("delimiter")
    if not marker:
        return ""
    if delimiter and marker.endswith(delimiter):
        return successor(marker) or marker
    return marker if request.query("generation-marker") else marker + "\0"


def _behind(request: XmlRequest, items: list[Body]) -> list[Body]:
    """The versions behind the generation at which the page before ended."""
    marker, generation = request.query("marker"), request.query("generation-marker")
    if not generation.isascii() or not generation.isdigit():
        raise invalid_argument(f"Invalid value '{generation}' for generation-marker.")
    last = int(generation)
    return [item for item in items if item["name"] != marker or int(item["generation"]) > last]


def _first_head(request: XmlRequest) -> str:
    return texts(
        {
            "Name": request.bucket,
            "Prefix": _name(request, request.query("prefix")),
            "Marker": _name(request, request.query("marker")),
            "GenerationMarker": request.query("generation-marker") or None,
            "MaxKeys": request.query("max-keys") or None,
            "Delimiter": request.query("delimiter") or None,
            "EncodingType": request.query("encoding-type") or None,
        }
    )


def _second_head(request: XmlRequest, answer: Body, count: int) -> str:
    return texts(
        {
            "Name": request.bucket,
            "Prefix": _name(request, request.query("prefix")),
            "StartAfter": request.query("start-after") or None,
            "ContinuationToken": request.query("continuation-token") or None,
            "NextContinuationToken": answer.get("nextPageToken"),
            "KeyCount": count,
            "MaxKeys": request.query("max-keys") or PAGE_LIMIT,
            "Delimiter": request.query("delimiter") or None,
            "EncodingType": request.query("encoding-type") or None,
        }
    )


def _entry(request: XmlRequest, item: Body) -> str:
    versions = request.query("versions") == "true"
    fields = {
        "Key": _name(request, item["name"]),
        "Generation": item["generation"],
        "MetaGeneration": item["metageneration"],
        "IsLatest": str("timeDeleted" not in item).lower() if versions else None,
        "LastModified": item["updated"],
        "DeletedTime": item.get("timeDeleted"),
        "ETag": etag_of(item),
        "Size": item["size"],
        "StorageClass": item.get("storageClass"),
    }
    owner = _owner(request) if request.query("fetch-owner") == "true" else ""
    return element("Version" if versions else "Contents", texts(fields), owner)


def _name(request: XmlRequest, name: str) -> str:
    return quote(name) if request.query("encoding-type") == "url" else name


def _owner(request: XmlRequest) -> str:
    caller = request.call.caller
    return element("Owner", text("ID", caller.email if caller else ""))
