"""Objects of the XML API: read, written, copied, deleted."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import unquote, urlsplit

from emulator.storage.downloads import HEAD
from emulator.storage.errors import StorageError
from emulator.storage.http import Reply, parse_object
from emulator.storage.media_headers import xml_etag
from emulator.storage.xml.documents import document, parsed, text, value
from emulator.storage.xml.errors import invalid_argument
from emulator.storage.xml.request import (
    COPY_CONDITIONS,
    XmlRequest,
    fields_of,
    predefined_acl,
)
from emulator.tokens import ANONYMOUS
from emulator.web import Header

Body = dict[str, Any]
# https://cloud.google.com/storage/docs/xml-api/reference-headers#responsecontentdisposition: of
# authenticated requests.
OVERRIDES = {
    "response-content-disposition": b"content-disposition",
    "response-content-type": b"content-type",
    "response-content-encoding": b"content-encoding",
    "response-content-language": b"content-language",
    "response-cache-control": b"cache-control",
    "response-expires": b"expires",
}
HTML = (b"content-type", b"text/html; charset=UTF-8")


async def get_object(request: XmlRequest) -> Reply:
    """`GET` and `HEAD /BUCKET/OBJECT`."""
    said = {name: value for name, value in request.call.headers.items() if name.startswith("if-")}
    if request.call.method == "HEAD":
        said[HEAD] = "1"
    query = request.conditions() | {"alt": "media"}
    reply = await request.reply("GET", request.object_path, query, said)
    overrides = OVERRIDES if _is_authenticated(request) else {}
    for parameter, name in overrides.items():
        if value := request.query(parameter):
            clean = value.replace("\r", " ").replace("\n", " ").encode()
            kept = [pair for pair in reply.headers if pair[0] != name]
            reply.headers[:] = [*kept, (name, clean)]
    return reply


def _is_authenticated(request: XmlRequest) -> bool:
    """Whether a request shows credentials, which no address that a web page names could have."""
    call = request.call
    known = call.caller is not None and not call.caller.owner and call.caller != ANONYMOUS
    return known or "authorization" in call.headers


async def put_object(request: XmlRequest) -> Reply:
    """`PUT /BUCKET/OBJECT`: the body becomes the object, or a copy of another (copy-source)."""
    if request.header("x-goog-copy-source"):
        return await _copy(request)
    headers = request.call.headers
    if "aws-chunked" in request.header("content-encoding"):
        raise StorageError(501, "notImplemented", "Bodies in signed chunks are not read here.")
    query = request.write_conditions() | predefined_acl(headers)
    query |= {"uploadType": "media", "name": request.name}
    if name := request.header("x-goog-encryption-kms-key-name"):
        query["kmsKeyName"] = name
    path = f"/upload{request.bucket_path}/o"
    reply = await request.reply("POST", path, query, fields_of(headers))
    return Reply(200, b"", [HTML, *written_headers(parse_object(reply.body))])


async def delete_object(request: XmlRequest) -> Reply:
    """`DELETE /BUCKET/OBJECT`."""
    await request.reply("DELETE", request.object_path, request.write_conditions())
    return Reply(204)


async def start_resumable(request: XmlRequest) -> Reply:
    """`POST /BUCKET/OBJECT` with `x-goog-resumable: start`: the session's address in `Location`."""
    if request.header("x-goog-resumable") != "start":
        raise StorageError(405, "methodNotAllowed", "Expected x-goog-resumable: start.")
    headers = request.call.headers
    query = request.write_conditions() | predefined_acl(headers)
    query |= {"uploadType": "resumable", "name": request.name}
    if name := request.header("x-goog-encryption-kms-key-name"):
        query["kmsKeyName"] = name
    path = f"/upload{request.bucket_path}/o"
    reply = await request.reply("POST", path, query, fields_of(headers))
    return Reply(201, b"", [HTML, *reply.headers])


async def compose(request: XmlRequest) -> Reply:
    """`PUT /BUCKET/OBJECT?compose`: the components that the body lists, one behind the other."""
    tree = parsed(await request.call.body(), "ComposeRequest")
    sources: list[Body] = []
    for part in tree.findall("Component"):
        source: Body = {"name": part.findtext("Name") or ""}
        if generation := value(part, "Generation"):
            source["generation"] = generation
        if wanted := value(part, "IfGenerationMatch"):
            source["objectPreconditions"] = {"ifGenerationMatch": wanted}
        sources.append(source)
    body = {"sourceObjects": sources, "destination": fields_of(request.call.headers)}
    path, query = f"{request.object_path}/compose", request.conditions()
    if acl := predefined_acl(request.call.headers):
        query["destinationPredefinedAcl"] = acl["predefinedAcl"]
    made = await request.json("POST", path, query, body)
    return Reply(200, b"", [HTML, *written_headers(made)])


def written_headers(resource: Body) -> list[Header]:
    """What is said in headers of an object that has just been written."""
    pairs = [
        ("etag", etag_of(resource)),
        ("x-goog-generation", resource["generation"]),
        ("x-goog-metageneration", resource["metageneration"]),
        *(("x-goog-hash", text) for text in hashes(resource)),
        ("x-goog-stored-content-length", resource["size"]),
        ("x-goog-stored-content-encoding", resource.get("contentEncoding", "identity")),
    ]
    if secret := resource.get("customerEncryption"):
        pairs.append(("x-goog-encryption-algorithm", secret["encryptionAlgorithm"]))
        pairs.append(("x-goog-encryption-key-sha256", secret["keySha256"]))
    return [(name.encode(), str(value).encode()) for name, value in pairs]


def hashes(resource: Body) -> list[str]:
    """The values of `x-goog-hash` for an object of the JSON API."""
    kinds = (("crc32c", "crc32c"), ("md5", "md5Hash"))
    return [f"{kind}={resource[key]}" for kind, key in kinds if key in resource]


def etag_of(resource: Body) -> str:
    """The XML API's entity tag of an object of the JSON API."""
    plain = "" if "customerEncryption" in resource else resource.get("md5Hash", "")
    return xml_etag(plain, resource["etag"])


async def _copy(request: XmlRequest) -> Reply:
    """A copy inside the server: metadata of the source's, or of the request's headers."""
    bucket, name = _source(request.header("x-goog-copy-source"))
    source = replace(request, bucket=bucket, name=name)
    target = f"{request.bucket_path}/o/{request.object_path.rpartition('/')[2]}"
    path = f"{source.object_path}/rewriteTo{target.removeprefix('/storage/v1')}"
    headers = request.call.headers
    query = request.conditions(COPY_CONDITIONS)
    if acl := predefined_acl(headers):
        query["destinationPredefinedAcl"] = acl["predefinedAcl"]
    if key := request.header("x-goog-encryption-kms-key-name"):
        query["destinationKmsKeyName"] = key
    body = await _described(request, source)
    answer = await request.json("POST", path, query, body)
    while not answer["done"]:
        more = query | {"rewriteToken": answer["rewriteToken"]}
        answer = await request.json("POST", path, more, body)
    made = answer["resource"]
    parts = text("LastModified", made["updated"]) + text("ETag", etag_of(made))
    return document("CopyObjectResult", parts, headers=written_headers(made))


async def _described(request: XmlRequest, source: XmlRequest) -> Body:
    """The metadata of a copy; {} leaves it to be the source's."""
    headers = request.call.headers
    if _replaces(request):
        return fields_of(headers)
    if "x-goog-storage-class" not in headers:
        return {}
    found = await source.json("GET", source.object_path)
    return {**found, "storageClass": headers["x-goog-storage-class"]}


def _replaces(request: XmlRequest) -> bool:
    directive = request.header("x-goog-metadata-directive").upper() or "COPY"
    if directive not in ("COPY", "REPLACE"):
        raise invalid_argument(f"Invalid metadata directive '{directive}': COPY or REPLACE.")
    return directive == "REPLACE"


def _source(header: str) -> tuple[str, str]:
    path = unquote(urlsplit(header).path if header.startswith("/") else header).lstrip("/")
    bucket, _, name = path.partition("/")
    if not bucket or not name:
        raise invalid_argument(f"x-goog-copy-source is BUCKET/OBJECT. Received: '{header}'.")
    return bucket, name
