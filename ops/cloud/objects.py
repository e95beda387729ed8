"""Objects of any bucket: found by the thousand, read at one generation, copied without a detour."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from ops import names
from ops.cloud.session import Session
from ops.cloud.wire import error_message

THREADS = 16
# Fewer are asked for one by one; more are listed, a thousand a request.
FEW = 50
# A listing that shows so many others for each object wanted is given up.
MOST_OTHERS = 20
SECONDS_PER_OBJECT = 120.0
_FIELDS = "name,generation,size,crc32c,contentEncoding"
_FOUND, _DONE_ALREADY = 200, 412


@dataclass(frozen=True, slots=True)
class Stored:
    """An object that is there; `crc32c` is of the stored bytes.

    `encoded` says that those are packed (Content-Encoding), and come unpacked when they are read.
    """

    bucket: str
    name: str
    generation: int
    size_bytes: int
    crc32c: str
    encoded: bool

    @property
    def uri(self) -> str:
        """Its gs:// address."""
        return names.gs_uri(self.bucket, self.name)


@dataclass(frozen=True, slots=True)
class Refusal:
    """What the server said instead: 404 not there, 403 not allowed, 400 no name that can be."""

    status: int
    message: str


def bucket_location(session: Session, bucket: str) -> str | Refusal:
    """The bucket's location in lower case; empty where this account may not ask for it.

    A public bucket gives its objects to everybody, and its own description to nobody.
    """
    from google.api_core.exceptions import Forbidden

    try:
        found = session.call(session.storage().lookup_bucket, bucket)
    except Forbidden:
        return ""
    if found is None:
        return Refusal(404, f"There is no bucket gs://{bucket}.")
    return str(found.location or "").lower()


def find(session: Session, bucket: str, wanted: Sequence[str]) -> dict[str, Stored | Refusal]:
    """What there is to know of each of these objects of one bucket, by name."""
    found: dict[str, Stored | Refusal] = {}
    if len(wanted) > FEW:
        found.update(_found_in_listing(session, bucket, set(wanted)))
    rest = [name for name in wanted if name not in found]
    with ThreadPoolExecutor(THREADS) as pool:
        asked = pool.map(lambda name: _ask(session, bucket, name), rest)
        found.update(zip(rest, asked, strict=True))
    return found


def listed(session: Session, bucket: str, prefix: str) -> Iterator[Stored]:
    """The objects under a prefix, by name; google's NotFound or Forbidden."""
    yield from _listed(session, bucket, prefix=prefix or None)


def read(session: Session, bucket: str, name: str, generation: int = 0) -> bytes | Refusal:
    """The bytes of an object (of this very generation, if one is given)."""
    query = {"alt": "media", **({"generation": generation} if generation else {})}
    answer = _get(session, bucket, name, query)
    return answer if isinstance(answer, Refusal) else bytes(answer.data)


def copy(session: Session, source: Stored, name: str, content_type: str) -> None:
    """Nothing, once this generation of `source` is an object of the stack's bucket.

    The bytes go from bucket to bucket; an object that is there already stays as it is. Raises
    google.api_core's errors.
    """
    to = f"/rewriteTo/b/{quote(session.settings.bucket)}/o/{quote(name, safe='')}"
    query = {"ifGenerationMatch": 0, "sourceGeneration": source.generation}
    body = json.dumps({"contentType": content_type}).encode()
    token: dict[str, str] = {}
    while True:
        path = f"{_path(source.bucket, source.name)}{to}?{urlencode({**query, **token})}"
        answer = _sent(session, "POST", path, body)
        if answer.status == _DONE_ALREADY:
            return
        if answer.status != _FOUND:
            raise _error(answer, source.uri)
        said = json.loads(answer.data)
        if said.get("done"):
            return
        token = {"rewriteToken": said["rewriteToken"]}


def _found_in_listing(session: Session, bucket: str, wanted: set[str]) -> dict[str, Stored]:
    """Those that a listing of their range shows; none where this account may not list."""
    from google.api_core.exceptions import Forbidden

    found, others = {}, 0
    try:
        end = max(wanted) + "\0"
        for one in _listed(session, bucket, start_offset=min(wanted), end_offset=end):
            if one.name in wanted:
                found[one.name] = one
            others += one.name not in wanted
            if len(found) == len(wanted) or others > MOST_OTHERS * len(wanted):
                break
    except Forbidden:
        return {}
    return found


def _listed(session: Session, bucket: str, **where: Any) -> Iterator[Stored]:
    fields = f"items({_FIELDS}),nextPageToken"
    for blob in session.call(session.storage().list_blobs, bucket, fields=fields, **where):
        yield Stored(
            bucket=bucket,
            name=blob.name,
            generation=int(blob.generation),
            size_bytes=int(blob.size or 0),
            crc32c=str(blob.crc32c or ""),
            encoded=bool(blob.content_encoding),
        )


def _ask(session: Session, bucket: str, name: str) -> Stored | Refusal:
    answer = _get(session, bucket, name, {"fields": _FIELDS})
    if isinstance(answer, Refusal):
        return answer
    known = json.loads(answer.data)
    return Stored(
        bucket=bucket,
        name=name,
        generation=int(known["generation"]),
        size_bytes=int(known.get("size", 0)),
        crc32c=str(known.get("crc32c", "")),
        encoded=bool(known.get("contentEncoding")),
    )


def _get(session: Session, bucket: str, name: str, query: dict[str, Any]) -> Any:
    path = f"{_path(bucket, name)}?{urlencode(query)}"
    answer = _sent(session, "GET", path, b"")
    if answer.status in (400, 403, 404):
        return Refusal(answer.status, error_message(answer))
    if answer.status != _FOUND:
        raise _error(answer, names.gs_uri(bucket, name))
    return answer


def _sent(session: Session, method: str, path: str, body: bytes) -> Any:
    headers = {"content-type": "application/json"} if body else {}
    send = session.wire().send
    return session.call(send, method, path, body, headers, timeout=SECONDS_PER_OBJECT)


def _path(bucket: str, name: str) -> str:
    return f"/storage/v1/b/{quote(bucket, safe='')}/o/{quote(name, safe='')}"


def _error(answer: Any, uri: str) -> Exception:
    from google.api_core import exceptions

    message = f"{uri}: {error_message(answer)}"
    found: Exception = exceptions.from_http_status(answer.status, message)  # type: ignore[no-untyped-call]
    return found


def by_bucket(uris: Iterable[str]) -> dict[str, list[str]]:
    """The object names that these addresses have in each bucket, each once."""
    found: dict[str, dict[str, None]] = {}
    for uri in uris:
        bucket, name = names.parse_gs_uri(uri)
        found.setdefault(bucket, {})[name] = None
    return {bucket: list(inside) for bucket, inside in found.items()}
