"""Uploads by web forms: `POST /BUCKET` with a signed policy among the fields.

https://cloud.google.com/storage/docs/xml-api/post-object-forms.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from urllib.parse import quote, urlencode

from emulator.storage.errors import StorageError
from emulator.storage.http import Call, Reply, parse_object
from emulator.storage.post_policy import Judged, judge
from emulator.storage.related import boundary_of
from emulator.storage.sink import pieces
from emulator.storage.xml.documents import document, text
from emulator.storage.xml.errors import denied, invalid_argument
from emulator.storage.xml.form_body import FormBody
from emulator.storage.xml.objects import HTML, etag_of, written_headers
from emulator.storage.xml.request import XmlRequest, fields_of, predefined_acl
from emulator.tokens import Caller
from emulator.web import Message, Receive

FORM = "multipart/form-data"
FILE_NAME = "${filename}"
STATUSES = ("200", "201", "204")
# The fields of Google's own prefix that a form may have; any other is refused.
KNOWN = frozenset({
    "x-goog-algorithm", "x-goog-credential", "x-goog-date", "x-goog-signature", "x-goog-acl",
    "x-goog-custom-time", "x-goog-storage-class", "x-goog-project-id", "x-goog-hash",
    "x-goog-if-generation-match", "x-goog-if-metageneration-match", "x-goog-user-project",
})  # fmt: skip
KNOWN_PREFIXES = ("x-goog-meta-", "x-goog-encryption-", "x-goog-object-lock-")
ANONYMOUS = (
    "Anonymous caller does not have storage.objects.create access to the Google Cloud Storage "
    "object. Permission 'storage.objects.create' denied on resource (or it may not exist)."
)


def is_form(call: Call) -> bool:
    """Whether a request is an upload by a form, which proves itself by its policy."""
    typed = call.headers.get("content-type", "").startswith(FORM)
    return typed and call.method == "POST" and "delete" not in call.query


async def post_form(request: XmlRequest) -> Reply:
    """`POST /BUCKET`, or `POST /` with a field `bucket`."""
    if not is_form(request.call):
        raise invalid_argument("Cannot create buckets using a POST.")
    form = FormBody(boundary_of(request.call.headers["content-type"]))
    body = _file(request.call.receive, form)
    first = await anext(body, b"")
    fields = form.fields
    key = fields.get("key", "").replace(FILE_NAME, form.file_name)
    bucket = request.bucket or fields.get("bucket", "")
    if not key or not bucket:
        raise invalid_argument(
            f"Bucket POST must contain a field named '{'bucket' if key else 'key'}'. If it is "
            "specified, please check the order of the fields."
        )
    _check_names(fields)
    judged = _judged(request, bucket, {**fields, "key": key})
    call = _upload(request.call, judged, form, _message_by_message(first, body, judged))
    target = replace(request, call=call, bucket=bucket, name=key)
    query = {"uploadType": "media", "name": key, **predefined_acl(_headers(fields))}
    path = f"/upload{target.bucket_path}/o"
    reply = await target.reply("POST", path, query, fields_of(_headers(fields)))
    return _success(target, fields, parse_object(reply.body))


def _check_names(fields: dict[str, str]) -> None:
    own = [name for name in fields if name.startswith("x-goog-") and name not in KNOWN]
    if unknown := [name for name in own if not name.startswith(KNOWN_PREFIXES)]:
        raise invalid_argument(f"Invalid field in form: {unknown[0]}")


def _judged(request: XmlRequest, bucket: str, fields: dict[str, str]) -> Judged:
    """What the form's policy allows. 403 for a form without one: nobody answers for it."""
    if not {"policy", "x-goog-signature", "signature"} & set(fields):
        raise denied(ANONYMOUS)
    return judge(fields, bucket, request.signers, request.cloud.clock.now())


def _upload(call: Call, judged: Judged, form: FormBody, receive: Receive) -> Call:
    headers = {name: call.headers[name] for name in ("host",) if name in call.headers}
    headers |= {
        name: value for name, value in _headers(form.fields).items() if name.startswith("x-goog-")
    }
    if "content-md5" in form.fields:
        headers["content-md5"] = form.fields["content-md5"]
    caller = Caller(judged.email, owner=False)
    return replace(call, headers=headers, receive=receive, caller=caller)


def _headers(fields: dict[str, str]) -> dict[str, str]:
    """The fields that say of an object what headers would."""
    said = dict(fields)
    if "acl" in said:
        said["x-goog-acl"] = said["acl"]
    return said


async def _file(receive: Receive, form: FormBody) -> AsyncIterator[bytes]:
    """The file's bytes; the first piece, perhaps empty, comes once all fields are read."""
    begun = False
    async for data in pieces(receive):
        media = form.feed(data)
        if media or (form.in_file and not begun):
            begun = True
            yield media
    form.finish()


def _message_by_message(first: bytes, rest: AsyncIterator[bytes], judged: Judged) -> Receive:
    """The file as the body of a request; 400 when its length is not what the policy allows."""
    size_bytes = 0
    waiting: bytes | None = first

    async def receive() -> Message:
        nonlocal size_bytes, waiting
        data = waiting if waiting is not None else await anext(rest, None)
        waiting = None
        size_bytes += len(data or b"")
        judged.lengths.check(size_bytes, ended=data is None)
        return {"type": "http.request", "body": data or b"", "more_body": data is not None}

    return receive


def _success(request: XmlRequest, fields: dict[str, str], made: dict[str, str]) -> Reply:
    """What the form asked to be answered: a redirect, or a status, 204 by default."""
    tag = etag_of(made)
    if target := fields.get("success_action_redirect") or fields.get("redirect"):
        if "\n" in target or "\r" in target or not target.startswith(("http://", "https://")):
            raise StorageError(400, "invalid", f"Invalid success_action_redirect '{target}'.")
        asked = urlencode({"bucket": request.bucket, "key": request.name, "etag": tag})
        address = f"{target}{'&' if '?' in target else '?'}{asked}"
        return Reply(303, b"", [HTML, (b"location", address.encode())])
    status = fields.get("success_action_status", "")
    headers = written_headers(made)
    if status != "201":
        return Reply(int(status) if status in STATUSES else 204, b"", [HTML, *headers])
    location = f"{request.call.host()}/{request.bucket}/{quote(request.name)}"
    parts = (
        text("Location", location), text("Bucket", request.bucket),
        text("Key", request.name), text("ETag", tag),
    )  # fmt: skip
    return document("PostResponse", *parts, status=201, headers=headers)
