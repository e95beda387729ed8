"""The XML API as an ASGI app: which method of which thing is asked for, and errors made XML."""

from __future__ import annotations

import logging
import re
from collections.abc import Awaitable, Callable
from dataclasses import replace
from urllib.parse import unquote_to_bytes

from emulator.cloud import Cloud
from emulator.errors import ApiError
from emulator.failures import failure_answer
from emulator.storage import rights, signatures
from emulator.storage.downloads import UnsatisfiableError
from emulator.storage.errors import StorageError, from_api_error
from emulator.storage.http import Call, Reply, call_of, send_reply
from emulator.storage.preconditions import NotModifiedError
from emulator.storage.signers import Signers
from emulator.storage.xml import (
    access,
    buckets,
    cors,
    deletions,
    forms,
    listings,
    multipart,
    multipart_lists,
    objects,
)
from emulator.storage.xml.configurations import CONFIGURATIONS
from emulator.storage.xml.documents import document, text
from emulator.storage.xml.errors import XmlError, denied, from_storage, invalid_argument
from emulator.storage.xml.request import Ask, XmlRequest, renamed
from emulator.tokens import Caller
from emulator.web import ClientGoneError, Message, Receive, Scope, Send

log = logging.getLogger("emulator")

Handler = Callable[[XmlRequest], Awaitable[Reply]]

# (what is asked about, method, subresource in the query): "" is the thing itself.
ROUTES: dict[tuple[str, str, str], Handler] = {
    ("service", "GET", ""): listings.list_buckets,
    ("service", "POST", ""): forms.post_form,
    ("bucket", "POST", ""): forms.post_form,
    ("bucket", "POST", "delete"): deletions.delete_objects,
    ("bucket", "GET", ""): listings.list_objects,
    ("object", "POST", ""): objects.start_resumable,
    ("object", "GET", ""): objects.get_object,
    ("object", "HEAD", ""): objects.get_object,
    ("object", "PUT", ""): objects.put_object,
    ("object", "DELETE", ""): objects.delete_object,
    ("object", "POST", "uploads"): multipart.initiate,
    ("object", "PUT", "uploadId"): multipart.put_part,
    ("object", "POST", "uploadId"): multipart.complete,
    ("object", "DELETE", "uploadId"): multipart.abort,
    ("object", "GET", "uploadId"): multipart_lists.list_parts,
    ("object", "PUT", "compose"): objects.compose,
    ("object", "GET", "acl"): access.get_acl,
    ("object", "PUT", "acl"): access.set_acl,
    ("bucket", "GET", "uploads"): multipart_lists.list_uploads,
    ("bucket", "PUT", ""): buckets.create,
    ("bucket", "DELETE", ""): buckets.delete,
    ("bucket", "HEAD", ""): buckets.head,
    ("bucket", "GET", "location"): buckets.get_location,
    ("bucket", "GET", "storageClass"): buckets.get_storage_class,
    ("bucket", "PUT", "storageClass"): buckets.set_storage_class,
    ("bucket", "GET", "tagging"): buckets.get_labels,
    ("bucket", "GET", "acl"): access.get_acl,
    ("bucket", "PUT", "acl"): access.set_acl,
    ("bucket", "GET", "defaultObjectAcl"): access.get_acl,
    ("bucket", "PUT", "defaultObjectAcl"): access.set_acl,
    **{("bucket", "GET", name): buckets.get_configuration for name in CONFIGURATIONS},
    **{("bucket", "PUT", name): buckets.set_configuration for name in CONFIGURATIONS},
}
# First words that are versions of other APIs, which no bucket has: names have three characters.
VERSION = re.compile(r"v\d|v\d+(alpha|beta)\d*")
SUBRESOURCES = frozenset(subresource for _, _, subresource in ROUTES) - {""}


class XmlApi:
    """Answers whatever is under no root of another API."""

    def __init__(self, cloud: Cloud, ask: Ask, roots: frozenset[str], signers: Signers) -> None:
        """`ask` answers calls of the JSON API; `roots` are first words of paths of other APIs."""
        self._cloud = cloud
        self._ask = ask
        self._roots = roots
        self._signers = signers

    def claims(self, scope: Scope) -> bool:
        """Whether a request is one of this API: its path starts with what may be a bucket."""
        word = scope["path"].split("/", 2)[1]
        return word not in self._roots and not VERSION.fullmatch(word)

    def authenticates(self, scope: Scope) -> bool:
        """Whether a request proves itself by a signature, which is checked here."""
        if not self.claims(scope):
            return False
        if cors.is_preflight(scope):
            return True
        call = call_of(scope, _nothing)
        of_object = call.path.removeprefix("/").partition("/")[2]
        return signatures.is_signed(call) or (forms.is_form(call) and not of_object)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        call = call_of(scope, receive)
        bucket = scope["path"].split("/", 2)[1]
        if cors.is_preflight(scope):
            reply = cors.preflight(self._cloud, call, bucket)
        else:
            reply = await self._guarded(call)
            reply.headers.extend(cors.headers(self._cloud, call, bucket))
        await send_reply(send, reply, head=call.method == "HEAD")

    async def _guarded(self, call: Call) -> Reply:
        try:
            return await self._answer(call)
        except NotModifiedError:
            return Reply(304)
        except UnsatisfiableError as error:
            reply = refusal(error)
            reply.headers.append((b"content-range", f"bytes */{error.size_bytes}".encode()))
            return reply
        except StorageError as error:
            return refusal(error)
        except ApiError as error:
            return refusal(from_api_error(error))
        except ClientGoneError:
            return Reply(499)
        except Exception as error:
            log.error("%s %s failed", call.method, call.path, exc_info=error)
            code, body = failure_answer(error)
            reason = body["error"]["errors"][0]["reason"]
            return refusal(StorageError(code, reason, body["error"]["message"]))

    async def _answer(self, call: Call) -> Reply:
        if signatures.is_signed(call):
            call = self._signed(call)
        bucket, _, name = call.path.removeprefix("/").partition("/")
        request = XmlRequest(
            self._cloud, call, _unquoted(bucket), _unquoted(name), self._ask, self._signers
        )
        handler = _handler(request)
        rights.check_xml(self._cloud, call, request.bucket, request.name)
        return await handler(request)

    def _signed(self, call: Call) -> Call:
        """The call as that of the account that signed it. 400 or 403 where none did."""
        now = self._cloud.clock.now()
        email, receive = signatures.check(call, self._signers, now)
        headers = renamed(call.headers)
        return replace(call, caller=Caller(email, owner=False), receive=receive, headers=headers)


def _handler(request: XmlRequest) -> Handler:
    method = request.call.method
    kind = "object" if request.name else "bucket" if request.bucket else "service"
    asked = [name for name in request.call.query if name in SUBRESOURCES]
    handler = ROUTES.get((kind, method, asked[0] if asked else ""))
    if handler is None:
        raise StorageError(405, "methodNotAllowed", f"{method} of this {kind}.")
    return handler


async def _nothing() -> Message:
    return {"type": "http.disconnect"}


def refusal(error: StorageError) -> Reply:
    """A refusal as a document; who shows no credentials is told 403, where the JSON API says 401.

    https://cloud.google.com/storage/docs/xml-api/reference-status#403-forbidden.
    """
    said: XmlError = denied(error.message) if rights.is_anonymous(error) else from_storage(error)
    parts = [text("Code", said.name), text("Message", said.message)]
    parts.append(text("Details", said.details))
    parts += [text(name, value) for name, value in said.extra.items()]
    return document("Error", *parts, status=said.code)


def _unquoted(segment: str) -> str:
    try:
        return unquote_to_bytes(segment).decode()
    except UnicodeDecodeError:
        raise invalid_argument(f"A name in the path is not UTF-8: '{segment}'.") from None
