"""Cloud Storage's JSON API as an ASGI app: a table of routes, and errors made answers."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from html import escape
from urllib.parse import unquote_to_bytes

from emulator.cloud import Cloud
from emulator.errors import ApiError
from emulator.failures import failure_answer
from emulator.storage import (
    acl_handlers,
    anywhere_caches,
    bucket_handlers,
    bucket_operations,
    bucket_policies,
    compositions,
    copies,
    downloads,
    handlers,
    hmac_keys,
    managed_folders,
    notifications,
    object_handlers,
    parameters,
    partial,
    policies,
    relocations,
    requester_pays,
    resumable,
    rewrites,
    rights,
    soft_delete,
    tree_folders,
    uploads,
)
from emulator.storage.batch import batch
from emulator.storage.errors import StorageError, from_api_error, invalid
from emulator.storage.http import Call, Reply, call_of, json_reply, send_reply
from emulator.storage.preconditions import NotModifiedError
from emulator.tokens import Tokens
from emulator.web import ClientGoneError, Receive, Scope, Send

log = logging.getLogger("emulator")

Handler = Callable[[Cloud, Call], Awaitable[Reply]]
HTML = (b"content-type", b"text/html; charset=UTF-8")

UPLOAD, DOWNLOAD, PLAIN = "/upload/storage/v1/", "/download/storage/v1/", "/storage/v1/"
BATCH = "/batch/storage/v1"

# (method, API root, path): "*" is a name. Longer paths share no length with shorter ones.
ROUTES: list[tuple[str, str, str, Handler]] = [
    ("POST", UPLOAD, "b/*/o", uploads.upload),
    ("PUT", UPLOAD, "b/*/o", resumable.proceed),
    ("DELETE", UPLOAD, "b/*/o", resumable.cancel),
    ("GET", DOWNLOAD, "b/*/o/*", downloads.download),
    ("GET", PLAIN, "b/*/o/*", object_handlers.get_object),
    ("PATCH", PLAIN, "b/*/o/*", object_handlers.patch_object),
    ("PUT", PLAIN, "b/*/o/*", object_handlers.patch_object),
    ("DELETE", PLAIN, "b/*/o/*", object_handlers.delete_object),
    ("GET", PLAIN, "b/*/o", object_handlers.list_objects),
    ("GET", PLAIN, "b", bucket_handlers.list_buckets),
    ("POST", PLAIN, "b", bucket_handlers.insert_bucket),
    ("GET", PLAIN, "b/*", bucket_handlers.get_bucket),
    ("PATCH", PLAIN, "b/*", bucket_handlers.patch_bucket),
    ("PUT", PLAIN, "b/*", bucket_handlers.patch_bucket),
    ("DELETE", PLAIN, "b/*", bucket_handlers.delete_bucket),
    ("POST", PLAIN, "b/*/restore", bucket_handlers.restore_bucket),
    ("POST", PLAIN, "b/*/lockRetentionPolicy", bucket_handlers.lock_retention_policy),
    ("GET", PLAIN, "b/*/storageLayout", bucket_handlers.storage_layout),
    *acl_handlers.ROUTES,
    *managed_folders.ROUTES,
    *tree_folders.ROUTES,
    *notifications.ROUTES,
    *hmac_keys.ROUTES,
    *anywhere_caches.ROUTES,
    *bucket_operations.ROUTES,
    *relocations.ROUTES,
    ("GET", PLAIN, "b/*/iam", bucket_policies.get_policy),
    ("PUT", PLAIN, "b/*/iam", bucket_policies.set_policy),
    ("GET", PLAIN, "b/*/iam/testPermissions", policies.test_permissions),
    ("POST", PLAIN, "b/*/o/*/rewriteTo/b/*/o/*", rewrites.rewrite),
    ("POST", PLAIN, "b/*/o/*/copyTo/b/*/o/*", copies.copy),
    ("POST", PLAIN, "b/*/o/*/compose", compositions.compose),
    ("POST", PLAIN, "b/*/o/*/moveTo/o/*", copies.move),
    ("POST", PLAIN, "b/*/o/*/restore", soft_delete.restore),
    ("POST", PLAIN, "b/*/o/bulkRestore", soft_delete.bulk_restore),
    ("GET", PLAIN, "projects/*/serviceAccount", handlers.service_account),
]
# Nouns of the API (https://cloud.google.com/storage/docs/json_api/v1) that are not here yet.
MISSING = [
    "b/*/o/watch", "b/*/o/*/iam", "channels/stop",
]  # fmt: skip
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")

# Words of a path, what answers it, and the line of the table by which rights are looked up.
Table = dict[tuple[str, int], list[tuple[list[str], Handler, str]]]


class StorageApi:
    """Answers every request under the API's roots."""

    def __init__(self, cloud: Cloud, tokens: Tokens) -> None:
        self._cloud = cloud
        self._tokens = tokens
        self._tables: dict[str, Table] = {UPLOAD: {}, DOWNLOAD: {}, PLAIN: {}}
        missing = [
            (method, PLAIN, path, handlers.missing) for path in MISSING for method in METHODS
        ]
        for method, root, path, handler in [*ROUTES, *missing]:
            words = path.split("/")
            table = self._tables[root].setdefault((method, len(words)), [])
            table.append((words, handler, f"{method} {root}{path}"))

    def claims(self, path: str) -> bool:
        """Whether a path belongs to this API."""
        return path.startswith((UPLOAD, DOWNLOAD, PLAIN, BATCH))

    def roots(self) -> frozenset[str]:
        """The first words of its paths, which no bucket of the XML API can be reached by."""
        return frozenset(root.split("/")[1] for root in (UPLOAD, DOWNLOAD, PLAIN, BATCH))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        call = call_of(scope, receive)
        if call.path == BATCH:
            reply = await self._guarded(call, self._batch)
        else:
            reply = await self.reply(call)
        await send_reply(send, reply)

    async def reply(self, call: Call) -> Reply:
        """The answer to one call, refusals and failures included."""
        return await self._guarded(call, self.handled)

    async def _batch(self, call: Call) -> Reply:
        return await batch(call, self.reply, self._tokens)

    async def _guarded(self, call: Call, act: Callable[[Call], Awaitable[Reply]]) -> Reply:
        try:
            return await act(call)
        except NotModifiedError:
            return Reply(304)
        except downloads.UnsatisfiableError as error:
            reply = _refusal(call, error)
            reply.headers.append((b"content-range", f"bytes */{error.size_bytes}".encode()))
            return reply
        except StorageError as error:
            return _refusal(call, error)
        except ApiError as error:
            return _refusal(call, from_api_error(error))
        except ClientGoneError:
            return Reply(499)
        except Exception as error:
            log.error("%s %s failed", call.method, call.path, exc_info=error)
            code, body = failure_answer(error)
            return json_reply(body, code)

    async def handled(self, call: Call) -> Reply:
        """The answer to one call; refusals are raised."""
        route, handler, names = self._route(call.method, call.path)
        parameters.check(call.query)
        call = await rights.checked(self._cloud, call.named(names), route)
        requester_pays.check(self._cloud, call, route)
        if "fields" not in call.query:
            return await handler(self._cloud, call)
        mask = partial.mask_of(call.query["fields"])
        return partial.reply(await handler(self._cloud, call), mask)

    def _route(self, method: str, path: str) -> tuple[str, Handler, tuple[str, ...]]:
        for root, table in self._tables.items():
            if path.startswith(root):
                segments = path[len(root) :].rstrip("/").split("/")
                for words, handler, route in table.get((method, len(segments)), []):
                    names = _matched(words, segments)
                    if names is not None:
                        return route, handler, names
        raise StorageError(404, "notFound", f"Cloud Storage has no method {method} {path}.")


def _refusal(call: Call, error: StorageError) -> Reply:
    """JSON, but the sentence alone to who asked for an object's bytes.

    As https://github.com/firebase/firebase-tools/pull/3647 shows Google's answer (2021-08-09).
    """
    is_media = call.path.startswith(DOWNLOAD) or call.query.get("alt") == "media"
    if is_media and call.method == "GET":
        page = escape(error.message, quote=False)  # names are in it
        return Reply(error.code, page.encode("utf-8", "replace"), [HTML])
    return json_reply(error.body(), error.code)


def _matched(words: list[str], segments: list[str]) -> tuple[str, ...] | None:
    """The names in a path of this form, or None."""
    names = []
    for word, segment in zip(words, segments, strict=True):
        if word == "*":
            names.append(segment)
        elif word != segment:
            return None
    return tuple(_unquoted(name) for name in names)


def _unquoted(segment: str) -> str:
    if "%" not in segment and segment.isascii():
        return segment
    try:
        return unquote_to_bytes(segment).decode()
    except UnicodeDecodeError:
        raise invalid(f"A name in the path is not UTF-8: '{segment}'.") from None
