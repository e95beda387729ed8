"""Uploads in one request: media alone, or metadata and media together."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

from emulator.cloud import Cloud
from emulator.storage import checksums, length_range, resumable
from emulator.storage.encryption import Seal
from emulator.storage.errors import StorageError, invalid, required
from emulator.storage.http import Call, Reply
from emulator.storage.names import check_object
from emulator.storage.object_answers import object_reply
from emulator.storage.objects import store_object
from emulator.storage.preconditions import Preconditions
from emulator.storage.related import Related, boundary_of
from emulator.storage.sink import Sink, pieces
from emulator.storage.upload_sessions import IN_QUERY


async def upload(cloud: Cloud, call: Call) -> Reply:
    """`POST /upload/storage/v1/b/BUCKET/o`: what is done depends on `uploadType`."""
    if "upload_id" in call.query:  # gcsfs sends its chunks by POST
        return await resumable.proceed(cloud, call)
    kind = call.query.get("uploadType")
    if not kind:
        raise required("uploadType")
    if kind == "multipart":
        return await _multipart(cloud, call)
    if kind == "media":
        return await _media(cloud, call)
    if kind == "resumable":
        return await resumable.initiate(cloud, call)
    raise invalid(f"Invalid uploadType: '{kind}'. Expected media, multipart or resumable.")


async def _media(cloud: Cloud, call: Call) -> Reply:
    name = call.query.get("name", "")
    check_object(name)
    fields: dict[str, Any] = {"contentType": call.headers.get("content-type")}
    fields |= call.fields or {}
    return await _store(cloud, call, pieces(call.receive), lambda: (name, fields))


async def _multipart(cloud: Cloud, call: Call) -> Reply:
    related = Related(boundary_of(call.headers.get("content-type", "")))

    async def media() -> AsyncIterator[bytes]:
        async for data in pieces(call.receive):
            if part := related.feed(data):
                yield part
        related.finish()

    def described() -> tuple[str, dict[str, Any]]:
        fields = related.fields
        name = str(fields.get("name") or call.query.get("name", ""))
        check_object(name)
        _check_bucket(fields, call.names[0])
        fields.setdefault("contentType", related.media_type or None)
        return name, fields

    return await _store(cloud, call, media(), described)


async def _store(
    cloud: Cloud,
    call: Call,
    media: AsyncIterator[bytes],
    described: Callable[[], tuple[str, dict[str, Any]]],
) -> Reply:
    """Makes streamed bytes an object; `described`, asked at their end, tells name and fields."""
    seal = Seal.for_request(call.headers)
    with cloud.blobs.writer() as writer:
        sink = Sink(writer, cloud.blobs.fsync, seal)
        async for data in length_range.limited(call.headers, media):
            await sink.write(data)
        name, fields = described()
        reference = await sink.finish()
        checksums.check(reference, call.headers, fields)
        said = {key: call.query[key] for key in IN_QUERY if key in call.query}
        row = store_object(
            cloud, call.names[0], name, reference, {**fields, **said},
            Preconditions.of_call(call), caller=call.caller,
            predefined_acl=call.query.get("predefinedAcl"), secret=seal.secret if seal else None,
        )  # fmt: skip
    return object_reply(cloud, row, call, full="acl" in fields, written=True)


def _check_bucket(fields: dict[str, Any], bucket: str) -> None:
    if fields.get("bucket", bucket) != bucket:
        raise StorageError(
            400,
            "invalid",
            f"Value '{fields['bucket']}' in content does not agree with value "
            f"'{bucket}'. This can happen when a value set through a parameter is inconsistent "
            "with a value set in the request.",
        )
