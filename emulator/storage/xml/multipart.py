"""Uploads in parts: begun, fed in any order, ended by a list of what is to be joined.

https://cloud.google.com/storage/docs/multipart-uploads, read 2026-11-21: an object made so has no
MD5, and the parts have limits. No source found for the figures: they are Amazon S3's, with which
these uploads are "compatible".
"""

from __future__ import annotations

import asyncio
from base64 import b64decode
from dataclasses import replace
from hashlib import md5
from itertools import pairwise
from typing import Any
from uuid import uuid4

from emulator.clock import timestamp
from emulator.storage import checksums, length_range, objects
from emulator.storage.encryption import Seal, key_digest, key_of, required_key
from emulator.storage.http import Reply
from emulator.storage.joining import Part, join
from emulator.storage.names import check_object
from emulator.storage.preconditions import Preconditions
from emulator.storage.sink import Sink, pieces
from emulator.storage.xml import multipart_rows as rows
from emulator.storage.xml.documents import (
    S3_NAMESPACE,
    document,
    malformed,
    parsed,
    text,
    value,
)
from emulator.storage.xml.errors import XmlError, invalid_argument
from emulator.storage.xml.objects import HTML
from emulator.storage.xml.request import XmlRequest, fields_of, predefined_acl
from emulator.store.blobs import BlobRef

MOST_PARTS = 10_000
LEAST_BYTES, MOST_BYTES = 5 << 20, 5 << 30
SMALL = "Your proposed upload is smaller than the minimum object size specified in the request."
MISSING = (
    "One or more of the specified parts could not be found. The part might not have been "
    "uploaded, or the specified entity tag might not have matched the part's entity tag."
)
ORDER = "The list of parts was not in ascending order. Parts list must be specified in order."


async def initiate(request: XmlRequest) -> Reply:
    """`POST /BUCKET/OBJECT?uploads`: the headers say what the object will be."""
    check_object(request.name)
    headers = request.call.headers
    key = key_of(headers)
    fields = fields_of(headers)
    if kms := request.header("x-goog-encryption-kms-key-name"):
        fields["kmsKeyName"] = kms
    upload = rows.Upload(
        uuid4().hex, request.bucket, request.name, fields, predefined_acl(headers),
        key_digest(key) if key else "", timestamp(request.cloud.clock.now()),
    )  # fmt: skip
    rows.insert(request.cloud, upload)
    head = text("Bucket", upload.bucket) + text("Key", upload.name)
    return document(
        "InitiateMultipartUploadResult",
        head,
        text("UploadId", upload.id),
        namespace=S3_NAMESPACE,
    )


async def put_part(request: XmlRequest) -> Reply:
    """`PUT /BUCKET/OBJECT?partNumber=N&uploadId=ID`: one part; a second of its number wins."""
    cloud, headers = request.cloud, request.call.headers
    number = part_number(request.query("partNumber"))
    upload = _require(request)
    key = _key(upload, request)
    seal = Seal(key) if key else None
    with cloud.blobs.writer() as writer:
        sink = Sink(writer, cloud.blobs.fsync, seal)
        async for data in length_range.limited(headers, pieces(request.call.receive)):
            await sink.write(data)
        reference = await sink.finish()
        if reference.size_bytes > MOST_BYTES:
            raise XmlError(
                400, "EntityTooLarge", "Your proposed upload exceeds the maximum object size."
            )
        checksums.check(reference, headers, {})
        rows.keep_part(cloud, upload, number, reference, seal.secret if seal else None)
    pairs = [
        (b"etag", part_etag(reference.md5).encode()),
        (b"x-goog-hash", f"crc32c={reference.crc32c}".encode()),
        (b"x-goog-hash", f"md5={reference.md5}".encode()),
    ]
    return Reply(200, b"", [HTML, *pairs])


async def complete(request: XmlRequest) -> Reply:
    """`POST /BUCKET/OBJECT?uploadId=ID`: the parts that the body lists become the object."""
    cloud = request.cloud
    upload = _require(request)
    wanted = _listed(await request.call.body())
    with cloud.store.read() as db:
        found = rows.parts(db, upload.id)
    chosen = _chosen(wanted, found)
    key = _key(upload, request)
    sources = [Part(part, key) for part in chosen]
    seal = Seal(key) if key else None
    with cloud.blobs.writer() as writer:
        reference = await asyncio.to_thread(join, cloud, writer, sources, seal)
        _store(request, upload, replace(reference, md5=""), seal)
    digest = md5(b"".join(b64decode(part.md5) for part in chosen), usedforsecurity=False)
    parts = {
        "Location": f"{request.call.host()}{request.call.path}",
        "Bucket": upload.bucket,
        "Key": upload.name,
        "ETag": f'"{digest.hexdigest()}-{len(chosen)}"',
    }
    shown = "".join(text(name, said) for name, said in parts.items())
    return document("CompleteMultipartUploadResult", shown, namespace=S3_NAMESPACE)


async def abort(request: XmlRequest) -> Reply:
    """`DELETE /BUCKET/OBJECT?uploadId=ID`: 204, and every part is gone."""
    with request.cloud.store.transaction():
        rows.drop(request.cloud, _require(request).id)
    return Reply(204)


def part_number(given: str) -> int:
    """The number of a part. 400 for what is not one."""
    if given.isascii() and given.isdigit() and len(given) <= 5 and 1 <= int(given) <= MOST_PARTS:
        return int(given)
    raise invalid_argument(f"Part number must be an integer between 1 and {MOST_PARTS}, inclusive.")


def part_etag(md5_base64: str) -> str:
    """A part's entity tag: its MD5 in hex, in quotation marks."""
    return f'"{b64decode(md5_base64).hex()}"'


def _require(request: XmlRequest) -> rows.Upload:
    with request.cloud.store.read() as db:
        return rows.require(db, request.bucket, request.name, request.query("uploadId"))


def _key(upload: rows.Upload, request: XmlRequest) -> bytes | None:
    """The key that the upload began with. 400 where a request does not supply the same."""
    secret = {"sha256": upload.key_sha256} if upload.key_sha256 else None
    return required_key(secret, request.call.headers)


def _listed(data: bytes) -> list[tuple[int, str]]:
    """(number, entity tag) of each part that is to be joined. 400 unless they ascend."""
    tree = parsed(data, "CompleteMultipartUpload")
    listed = [
        (part_number(value(part, "PartNumber")), value(part, "ETag").strip('"'))
        for part in tree.findall("Part")
    ]
    if not listed:
        raise malformed("At least one part must be specified.")
    if any(after[0] <= before[0] for before, after in pairwise(listed)):
        raise XmlError(400, "InvalidPartOrder", ORDER)
    return listed


def _chosen(wanted: list[tuple[int, str]], found: list[rows.PartRow]) -> list[rows.PartRow]:
    by_number = {part.number: part for part in found}
    chosen = []
    for number, tag in wanted:
        part = by_number.get(number)
        if part is None or part_etag(part.md5).strip('"') != tag:
            raise XmlError(400, "InvalidPart", MISSING, f"Part {number}.")
        chosen.append(part)
    for part in chosen[:-1]:
        if part.size_bytes < LEAST_BYTES:
            details = f"Part {part.number} has {part.size_bytes} bytes, at least {LEAST_BYTES}."
            raise XmlError(400, "EntityTooSmall", SMALL, details)
    return chosen


def _store(request: XmlRequest, upload: rows.Upload, reference: BlobRef, seal: Seal | None) -> None:
    """Makes the joined bytes the object and forgets the upload, in one transaction."""
    cloud = request.cloud
    conditions = Preconditions.from_query(request.write_conditions())
    said: dict[str, Any] = {"secret": seal.secret if seal else None}
    with cloud.store.transaction() as db:
        rows.require(db, upload.bucket, upload.name, upload.id)
        objects.store_object(
            cloud, upload.bucket, upload.name, reference, upload.fields, conditions,
            caller=request.call.caller, predefined_acl=upload.query.get("predefinedAcl"), **said,
        )  # fmt: skip
        rows.drop(cloud, upload.id)
