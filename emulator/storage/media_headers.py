"""What Cloud Storage says in headers beside an object's bytes: the JSON API's way and the XML's."""

from __future__ import annotations

from base64 import b64decode
from datetime import datetime

from emulator.storage.encryption import ALGORITHM
from emulator.storage.object_resource import ObjectRow
from emulator.web import Header

HEADERS = {
    "cacheControl": b"cache-control",
    "contentDisposition": b"content-disposition",
    "contentEncoding": b"content-encoding",
    "contentLanguage": b"content-language",
}
# https://cloud.google.com/storage/docs/metadata#cache-control: what readers may do without one.
DEFAULT_CACHING = "private, max-age=0"
META = "x-goog-meta-"
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = (
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
)  # fmt: skip


def media_headers(row: ObjectRow) -> list[Header]:
    """The headers of an object's bytes in the JSON API."""
    pairs = [(b"etag", row.etag), *_common(row)]
    if hashes := _hashes(row):
        pairs.append((b"x-goog-hash", ",".join(hashes)))
    return _encoded(pairs)


def xml_headers(row: ObjectRow) -> list[Header]:
    """The headers of an object's bytes in the XML API: metadata too, a header for each hash."""
    pairs = [(b"etag", row_etag(row)), *_common(row)]
    pairs += [(b"x-goog-hash", text) for text in _hashes(row)]
    if "cacheControl" not in row.body:
        pairs.append((b"cache-control", DEFAULT_CACHING))
    if "customTime" in row.body:
        pairs.append((b"x-goog-custom-time", str(row.body["customTime"])))
    for name, value in (row.body.get("metadata") or {}).items():
        if name.isascii() and name.isprintable() and " " not in name and ":" not in name:
            pairs.append((f"{META}{name}".lower().encode(), str(value)))
    return _encoded(pairs)


def row_etag(row: ObjectRow) -> str:
    """The XML API's entity tag of an object."""
    return xml_etag("" if row.secret else row.md5, row.etag)


def xml_etag(md5: str, etag: str) -> str:
    """The XML API's entity tag: the MD5 in hex where there is one, in quotation marks."""
    return f'"{b64decode(md5).hex()}"' if md5 else f'"-{etag}"'


def _common(row: ObjectRow) -> list[tuple[bytes, str]]:
    pairs = [
        (b"content-type", row.content_type),
        (b"last-modified", _http_date(row.updated)),
        (b"accept-ranges", "bytes"),
        (b"x-goog-generation", str(row.generation)),
        (b"x-goog-metageneration", str(row.metageneration)),
        (b"x-goog-storage-class", str(row.body.get("storageClass", "STANDARD"))),
        (b"x-goog-stored-content-encoding", str(row.body.get("contentEncoding", "identity"))),
        (b"x-goog-stored-content-length", str(row.size_bytes)),
        *((name, str(row.body[key])) for key, name in HEADERS.items() if key in row.body),
    ]
    if "componentCount" in row.body:
        pairs.append((b"x-goog-component-count", str(row.body["componentCount"])))
    if row.secret is not None:
        pairs.append((b"x-goog-encryption-algorithm", ALGORITHM))
        pairs.append((b"x-goog-encryption-key-sha256", str(row.secret["sha256"])))
    if "kmsKeyName" in row.body:
        pairs.append((b"x-goog-encryption-kms-key-name", str(row.body["kmsKeyName"])))
    return pairs


def _http_date(text: str) -> str:
    """A moment as HTTP has it, in English whatever the machine speaks (RFC 9110, 5.6.7)."""
    moment = datetime.fromisoformat(text)
    day = f"{DAYS[moment.weekday()]}, {moment.day:02d} {MONTHS[moment.month - 1]} {moment.year}"
    return f"{day} {moment.hour:02d}:{moment.minute:02d}:{moment.second:02d} GMT"


def _hashes(row: ObjectRow) -> list[str]:
    return [f"{kind}={text}" for kind, text in (("crc32c", row.crc32c), ("md5", row.md5)) if text]


def _encoded(pairs: list[tuple[bytes, str]]) -> list[Header]:
    """Headers as bytes; line ends cannot leave the header they are in."""
    return [
        (name, value.replace("\r", " ").replace("\n", " ").encode("utf-8")) for name, value in pairs
    ]
