"""Odd texts, JSON values, and requests that were valid before somebody changed them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from tests.emulator.fuzz.target import Asked, changed

Draw = Callable[[st.SearchStrategy[Any]], Any]

ODD = [
    "", " ", ".", "..", "/", "//", "../../etc/passwd", "%2e%2e%2f", "%00", "\x00", "\n", "\r\n",
    "日本", "🦔", "é", "e\u0301", "\ud800", "\uffff", "a" * 63, "a" * 1024, "a" * 1025, "a" * 5000,
    "0", "-1", "1", "1.5", "1e400", "NaN", "true", "null", "[]", "{}", "9" * 19, "9" * 400, "-",
    "*", "**", "?", "#", "a/b/", "/a", "a//b", "%", "%zz", "%ff", "\\", "'", '"', "';--", "a,b",
    ":",
    "a:b", "gs://b/o", "projects/p", "projects/p/locations/us-central1/datasets/1", "us-central1",
    "2020-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999999Z", "3600s",
    "-1s", "a=b", "a = 1 AND (",
    'display_name="x"', "labels.a:*", "NOT", "create_time desc,", "(" * 90,
    "bytes=0-", "bytes=5-2", "bytes=-0", "bytes */*", "bytes 0-5/6", "bytes 9-9/*", '"etag"', "W/",
    "Bearer x", "Bearer " + "a.b.c", "multipart/related; boundary=x", "application/xml", "gzip",
    "crc32c=AAAAAA==", "md5=x", "AES256", "@", "é/é", "a" * 64, "user-a@b.c", "allUsers",
]  # fmt: skip
QUERIES = [
    "pageSize", "pageToken", "maxResults", "prefix", "delimiter", "matchGlob", "startOffset",
    "endOffset", "generation", "sourceGeneration", "ifGenerationMatch", "ifGenerationNotMatch",
    "ifMetagenerationMatch", "ifMetagenerationNotMatch", "ifSourceGenerationMatch", "projection",
    "fields", "$fields", "alt", "$alt", "userProject", "filter", "orderBy", "readMask",
    "updateMask", "versions", "softDeleted", "uploadType", "upload_id", "name", "predefinedAcl",
    "entity", "optionsRequestedPolicyVersion", "permissions", "rewriteToken", "force", "etag",
    "includeTrailingDelimiter", "includeFoldersAsPrefixes", "kmsKeyName", "view", "uploads",
    "uploadId", "partNumber", "list-type", "marker", "max-keys", "encoding-type", "acl", "compose",
    "X-Goog-Signature", "X-Goog-Date", "Signature", "GoogleAccessId", "Expires", "datasetId",
    "contentEncoding", "overrideUnlockedRetention", "allowMissing", "metadataStoreId",
]  # fmt: skip
HEADERS = [
    "range", "content-range", "content-type", "content-md5", "content-encoding", "if-match",
    "if-none-match", "authorization", "accept-encoding", "x-goog-hash", "x-goog-encryption-key",
    "x-goog-encryption-algorithm", "x-goog-encryption-key-sha256", "x-upload-content-type",
    "x-upload-content-length", "x-goog-user-project", "x-goog-copy-source", "x-goog-acl",
    "x-goog-if-generation-match", "x-goog-resumable", "x-goog-meta-a", "x-http-method-override",
    "x-goog-metadata-directive", "x-retry-test-id", "x-goog-project-id", "expect", "origin",
]  # fmt: skip
PROJECT = re.compile(r"/+v\d/projects/fuzz-project/*")
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]

odd = st.sampled_from(ODD) | st.text(max_size=40)
leaves = st.none() | st.booleans() | st.integers() | st.floats() | odd
json_values = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(odd, inner, max_size=3),
    max_leaves=8,
)
object_names = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\r\n"), min_size=1, max_size=60
).filter(lambda name: name not in (".", "..") and len(name.encode()) <= 1024)
texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=60)
labels = st.dictionaries(
    st.from_regex(r"[a-z][a-z0-9_-]{0,20}", fullmatch=True),
    st.from_regex(r"[a-z0-9_-]{0,20}", fullmatch=True),
    max_size=4,
)


def picked(draw: Draw, known: list[str], other: st.SearchStrategy[str]) -> str:
    """Mostly one of the known, the newest more often; the draws do not depend on how many."""
    place: int = draw(st.integers(0, 1 << 20))
    text = str(draw(other))
    if not known or place % 4 == 0:
        return text
    return known[-1 - (place // 4) % len(known)]


def mutant(draw: Draw, asked: Asked) -> Asked:
    """A request with one to three things about it changed."""
    for _ in range(draw(st.integers(1, 3))):
        asked = draw(st.sampled_from(_CHANGES))(draw, asked)
    if asked.method == "DELETE" and PROJECT.fullmatch(asked.path):
        return changed(asked, method="GET")  # what is to be valid later lives in that project
    return asked


def _body(draw: Draw, asked: Asked) -> Asked:
    if isinstance(asked.body, dict | list) and draw(st.booleans()):
        return changed(asked, body=_changed_json(draw, asked.body))
    content = asked.content()
    return changed(
        asked,
        body=draw(
            st.sampled_from([b"", content[: len(content) // 2], b"[" * 200, b'"', b"\xff", b"null"])
            | st.binary(max_size=60)
            | json_values
        ),
    )


def _changed_json(draw: Draw, value: Any) -> Any:
    """A JSON value with one place of it changed, dropped or added."""
    if isinstance(value, dict) and value and draw(st.integers(0, 3)):
        key = draw(st.sampled_from(sorted(value, key=str)))
        rest = {name: item for name, item in value.items() if name != key}
        what = draw(st.integers(0, 4))
        if what == 0:
            return rest
        if what == 1:
            return {**value, draw(odd): draw(json_values)}
        return {**rest, key: _changed_json(draw, value[key])}
    if isinstance(value, list) and value and draw(st.booleans()):
        return [_changed_json(draw, value[0]), *value[1:]]
    return draw(json_values)


def _path(draw: Draw, asked: Asked) -> Asked:
    words = asked.path.split("/")
    place = draw(st.integers(1, len(words)))
    word = draw(odd)
    if draw(st.booleans()) and place < len(words):
        words[place] = word
    else:
        words.insert(place, word)
    return changed(asked, path="/" + "/".join(words[1:]))


def _query(draw: Draw, asked: Asked) -> Asked:
    name = draw(st.sampled_from([*asked.query, *QUERIES]))
    return changed(asked, query={**asked.query, name: draw(odd)})


def _headers(draw: Draw, asked: Asked) -> Asked:
    text = draw(odd)
    text = "".join(one for one in text if one.isprintable() and ord(one) < 0xD800)
    return changed(asked, headers={**asked.headers, draw(st.sampled_from(HEADERS)): text.strip()})


def _method(draw: Draw, asked: Asked) -> Asked:
    return changed(asked, method=draw(st.sampled_from(METHODS)))


_CHANGES: list[Callable[[Draw, Asked], Asked]] = [_body, _body, _path, _query, _headers, _method]
