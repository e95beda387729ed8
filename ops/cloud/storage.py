"""Buckets and objects: one function, one call, with generation preconditions where they matter."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ops import names
from ops.cloud.session import CALL_SECONDS, Session
from ops.cloud.wire import Wire, error_message
from ops.errors import Code, OpsError
from ops.progress import Step
from ops.settings import Settings

THREADS = 8
DELETED = (200, 204, 404)
NEW = 0  # the generation that an object has before it exists


@dataclass(frozen=True)
class Bucket:
    """A bucket; `soft_delete_seconds` is how long deleted objects go on being billed."""

    name: str
    location: str
    labels: dict[str, str]
    soft_delete_seconds: int
    created: datetime


@dataclass(frozen=True)
class Object:
    """A stored object, without its bytes."""

    bucket: str
    name: str
    size_bytes: int
    generation: int
    created: datetime


@dataclass(frozen=True)
class Text:
    """A stored text and the generation it was read at."""

    text: str
    generation: int


def get_bucket(session: Session, bucket: str) -> Bucket | None:
    """The bucket; None when there is none."""
    found = session.call(session.storage().lookup_bucket, bucket)
    return None if found is None else _bucket(found)


def list_buckets(session: Session) -> list[Bucket]:
    """The buckets of the project."""
    return [_bucket(found) for found in session.call(session.storage().list_buckets)]


def create_bucket(session: Session, bucket: str) -> Bucket:
    """The new bucket of the stack: in its region, labelled, without soft delete."""
    made = session.storage().bucket(bucket)
    made.labels = session.settings.labels()
    made.iam_configuration.uniform_bucket_level_access_enabled = True
    made.soft_delete_policy.retention_duration_seconds = 0
    session.call(made.create, location=session.settings.region)
    return _bucket(made)


def delete_bucket(session: Session, bucket: str) -> None:
    """The bucket must be empty, and may be gone already."""
    from google.api_core.exceptions import NotFound

    try:
        session.call(session.storage().bucket(bucket).delete)
    except NotFound:
        return


def ensure_bucket(session: Session) -> Bucket:
    """The stack's bucket; made where the target prepares projects itself.

    NOT_PREPARED where it does not and there is none.
    """
    from google.api_core.exceptions import Conflict

    settings = session.settings
    found = get_bucket(session, settings.bucket)
    if found is not None:
        return found
    if not session.capabilities.prepares_project:
        raise not_prepared(settings)
    try:
        return create_bucket(session, settings.bucket)
    except Conflict:
        return _bucket(session.call(session.storage().get_bucket, settings.bucket))


def not_prepared(settings: Settings) -> OpsError:
    """The error for a project without the stack's bucket."""
    return OpsError(
        Code.NOT_PREPARED,
        f"There is no bucket {settings.bucket} in project {settings.project}: "
        f"stack {settings.stack} is not prepared.",
        "Type: make bootstrap",
    )


def read_text(session: Session, bucket: str, name: str) -> Text | None:
    """The object as UTF-8 text and its generation; None when there is no such object."""
    from google.api_core.exceptions import NotFound

    blob = session.storage().bucket(bucket).blob(name)
    try:
        text = session.call(blob.download_as_bytes).decode("utf-8")
    except NotFound:
        return None
    return Text(text, int(blob.generation))


def write_text(
    session: Session,
    bucket: str,
    name: str,
    text: str,
    *,
    if_generation: int | None = None,
    content_type: str = "application/json",
) -> int:
    """The new generation. With `if_generation` (NEW: must not exist) google's PreconditionFailed
    when the object is at another one."""
    blob = session.storage().bucket(bucket).blob(name)
    session.call(
        blob.upload_from_string,
        text.encode("utf-8"),
        content_type=content_type,
        if_generation_match=if_generation,
    )
    return int(blob.generation)


def write_bytes(session: Session, bucket: str, name: str, content: bytes, kind: str) -> int:
    """The new generation of an object with these bytes, of this content type."""
    blob = session.storage().bucket(bucket).blob(name)
    session.call(blob.upload_from_string, content, content_type=kind)
    return int(blob.generation)


def write_file(session: Session, bucket: str, name: str, path: Path) -> None:
    """Write an object with the bytes of a file, however many."""
    blob = session.storage().bucket(bucket).blob(name)
    session.call(blob.upload_from_filename, str(path), content_type="application/octet-stream")


def list_objects(
    session: Session, bucket: str, prefix: str = "", *, versions: bool = False
) -> Iterator[Object]:
    """The objects under a prefix, by name; NotFound when there is no bucket."""
    listed = session.call(
        session.storage().list_blobs, bucket, prefix=prefix or None, versions=versions
    )
    for blob in listed:
        yield Object(
            bucket, blob.name, int(blob.size or 0), int(blob.generation), blob.time_created
        )


def fetch_file(session: Session, one: Object, path: Path) -> None:
    """Write an object's bytes, of the very generation that was listed, to a file.

    google.cloud.storage.exceptions.DataCorruption when their CRC32C is not the bucket's.
    """
    blob = session.storage().bucket(one.bucket).blob(one.name, generation=one.generation)
    session.call(blob.download_to_filename, str(path), checksum="crc32c")


def delete_object(
    session: Session, bucket: str, name: str, *, generation: int | None = None
) -> bool:
    """Whether there was one to delete (this very generation, if one is given)."""
    from google.api_core.exceptions import NotFound

    blob = session.storage().bucket(bucket).blob(name, generation=generation)
    try:
        session.call(blob.delete, timeout=CALL_SECONDS)
    except NotFound:
        return False
    return True


def delete_objects(session: Session, objects: Sequence[Object], step: Step) -> None:
    """Delete these generations, in order but several at once; one that is gone already is fine.

    Raises google.api_core's errors.
    """
    from concurrent.futures import ThreadPoolExecutor

    wire = session.wire()
    with ThreadPoolExecutor(THREADS) as pool:
        for _ in pool.map(lambda one: _delete(session, wire, one), objects):
            step.advance()


def _delete(session: Session, wire: Wire, one: Object) -> None:
    from google.api_core import exceptions

    name = quote(one.name, safe="")
    path = f"/storage/v1/b/{one.bucket}/o/{name}?generation={one.generation}"
    answer = session.call(wire.send, "DELETE", path, b"", {})
    if answer.status not in DELETED:
        message = f"{one.name}: {error_message(answer)}"
        raise exceptions.from_http_status(answer.status, message)  # type: ignore[no-untyped-call]


def _bucket(found: Any) -> Bucket:
    policy = found.soft_delete_policy
    return Bucket(
        name=found.name,
        location=str(found.location or ""),
        labels=dict(found.labels or {}),
        soft_delete_seconds=int(policy.retention_duration_seconds or 0),
        created=found.time_created,
    )


def uri(session: Session, *path: str) -> str:
    """A gs:// URI in the stack's bucket."""
    return names.gs_uri(session.settings.bucket, *path)
