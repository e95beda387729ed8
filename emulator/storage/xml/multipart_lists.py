"""What of uploads in parts is there: those of a bucket, and the parts of one."""

from __future__ import annotations

from emulator.storage.http import Reply
from emulator.storage.xml import multipart_rows as rows
from emulator.storage.xml.documents import S3_NAMESPACE, document, element, text, texts
from emulator.storage.xml.errors import invalid_argument
from emulator.storage.xml.multipart import part_etag
from emulator.storage.xml.request import XmlRequest

# https://cloud.google.com/storage/docs/xml-api/get-bucket-uploads.
PAGE_LIMIT = 1000
LAST = "\U0010ffff"


async def list_parts(request: XmlRequest) -> Reply:
    """`GET /BUCKET/OBJECT?uploadId=ID`: the parts that have come."""
    upload_id = request.query("uploadId")
    limit = _number(request, "max-parts", PAGE_LIMIT)
    behind = _number(request, "part-number-marker", 0)
    with request.cloud.store.read() as db:
        upload = rows.require(db, request.bucket, request.name, upload_id)
        found = [part for part in rows.parts(db, upload_id) if part.number > behind]
    page = found[:limit]
    head = {
        "Bucket": upload.bucket,
        "Key": upload.name,
        "UploadId": upload_id,
        "StorageClass": upload.fields.get("storageClass"),
        "PartNumberMarker": behind,
        "NextPartNumberMarker": page[-1].number if page else behind,
        "MaxParts": limit,
        "IsTruncated": str(len(found) > len(page)).lower(),
    }
    parts = "".join(
        element("Part", texts({
            "PartNumber": part.number,
            "LastModified": part.created,
            "ETag": part_etag(part.md5),
            "Size": part.size_bytes,
        }))
        for part in page
    )  # fmt: skip
    return document("ListPartsResult", texts(head), parts, namespace=S3_NAMESPACE)


async def list_uploads(request: XmlRequest) -> Reply:
    """`GET /BUCKET?uploads`: those that have been begun and are not over, by name."""
    limit = _number(request, "max-uploads", PAGE_LIMIT)
    prefix, marker = request.query("prefix"), request.query("key-marker")
    upload_marker = request.query("upload-id-marker") or (LAST if marker else "")
    with request.cloud.store.read() as db:
        found = rows.of_bucket(db, request.bucket, prefix, (marker, upload_marker), limit + 1)
    page, more = found[:limit], len(found) > limit
    head = {
        "Bucket": request.bucket,
        "KeyMarker": marker,
        "UploadIdMarker": request.query("upload-id-marker"),
        "NextKeyMarker": page[-1].name if more else None,
        "NextUploadIdMarker": page[-1].id if more else None,
        "Prefix": prefix or None,
        "MaxUploads": limit,
        "IsTruncated": str(more).lower(),
    }
    uploads = "".join(
        element(
            "Upload",
            text("Key", upload.name),
            text("UploadId", upload.id),
            text("StorageClass", upload.fields.get("storageClass", "STANDARD")),
            text("Initiated", upload.created),
        )
        for upload in page
    )
    return document("ListMultipartUploadsResult", texts(head), uploads, namespace=S3_NAMESPACE)


def _number(request: XmlRequest, name: str, default: int) -> int:
    given = request.query(name) or str(default)
    if not given.isascii() or not given.isdigit() or len(given) > 9:
        raise invalid_argument(f"Invalid value '{given}' for {name}.")
    return min(int(given), PAGE_LIMIT) if name.startswith("max") else int(given)
