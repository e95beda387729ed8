"""Photos to the bucket, each under its own hash: a second upload of the same bytes is nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from ops import names
from ops.cloud import objects
from ops.cloud.objects import Stored
from ops.cloud.session import Session
from ops.cloud.wire import Wire, error_message
from ops.errors import Code, OpsError

THREADS = 16
"""As many as `transfer_manager.upload_many` is measured with; locally four are as fast."""

SECONDS_PER_UPLOAD = 120.0


@dataclass(frozen=True, slots=True)
class Upload:
    """One object to be, named by the hash of its bytes, and where those come from.

    `copy_of` is an object that holds the same bytes: they need not pass this machine.
    """

    name: str
    sha256: str
    content_type: str
    size_bytes: int
    crc32c: str
    read: Callable[[], bytes]
    copy_of: Stored | None = None


def missing(session: Session, uploads: Sequence[Upload], prefix: str) -> list[Upload]:
    """Those that are not in the bucket yet.

    CONFLICT when an object is there whose bytes are not those its name stands for.
    """
    bucket = session.settings.bucket
    listed = session.call(
        session.storage().list_blobs,
        bucket,
        prefix=prefix,
        fields="items(name,crc32c),nextPageToken",
    )
    there = {blob.name: blob.crc32c for blob in listed}
    for upload in uploads:
        if there.get(upload.name, upload.crc32c) != upload.crc32c:
            raise OpsError(
                Code.CONFLICT,
                f"{names.gs_uri(bucket, upload.name)} holds other bytes than its name says.",
                "Delete it, then type the same command again.",
            )
    return [upload for upload in uploads if upload.name not in there]


def sender(session: Session) -> Callable[[Upload], None]:
    """A function that stores one object, to be called from many threads."""
    wire = session.wire()

    def store(upload: Upload) -> None:
        if upload.copy_of is not None:
            objects.copy(session, upload.copy_of, upload.name, upload.content_type)
        else:
            _send(session, wire, upload)

    return store


def _send(session: Session, wire: Wire, upload: Upload) -> None:
    """Nothing, once the object is stored; one that is there already stays as it is.

    The server compares the bytes with the checksum of the checked photo and refuses others.
    Raises google.api_core's errors.
    """
    from google.api_core import exceptions

    bucket = session.settings.bucket
    path = f"/upload/storage/v1/b/{quote(bucket)}/o?uploadType=multipart&ifGenerationMatch=0"
    headers = {"content-type": f"multipart/related; boundary={_boundary(upload)}"}
    body = _multipart(upload)
    answer = session.call(wire.send, "POST", path, body, headers, timeout=SECONDS_PER_UPLOAD)
    if answer.status not in (200, 412):
        message = f"{upload.name}: {error_message(answer)}"
        raise exceptions.from_http_status(answer.status, message)  # type: ignore[no-untyped-call]


def _multipart(upload: Upload) -> bytes:
    """The body of a multipart upload: the object's metadata, then its bytes (RFC 2387)."""
    metadata = {
        "name": upload.name,
        "contentType": upload.content_type,
        "crc32c": upload.crc32c,
    }
    boundary = _boundary(upload)
    head = (
        f"--{boundary}\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n"
        f"{json.dumps(metadata)}\r\n--{boundary}\r\nContent-Type: {upload.content_type}\r\n\r\n"
    )
    return b"".join((head.encode(), upload.read(), f"\r\n--{boundary}--\r\n".encode()))


def _boundary(upload: Upload) -> str:
    """What cannot be in the bytes: their own hash."""
    return upload.sha256
