"""Pages of object names: prefix, delimiter, offsets, and where the next page starts."""

from __future__ import annotations

import re
import sqlite3
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field

from emulator.cloud import Cloud
from emulator.storage import buckets, globs
from emulator.storage.errors import invalid
from emulator.storage.names import successor
from emulator.storage.object_resource import COLUMNS, ObjectRow, from_columns

# https://cloud.google.com/storage/docs/json_api/v1/objects/list: at most 1,000 a page.
PAGE_LIMIT = 1000
# With a delimiter the reading stops at the first folder, so that little is read in vain.
FOLDER_STEP = 64


@dataclass
class Page:
    """Objects and common prefixes, both in order; `next_start` is None on the last page."""

    objects: list[ObjectRow] = field(default_factory=list)
    prefixes: list[str] = field(default_factory=list)
    next_start: str | None = None

    def size(self) -> int:
        """How many of the page's places are taken."""
        return len(self.objects) + len(self.prefixes)


@dataclass(frozen=True)
class Question:
    """What is to be listed; `start` is inclusive, `end` exclusive ("" is no end)."""

    prefix: str
    delimiter: str
    start: str
    end: str
    limit: int
    trailing: bool = False
    glob: re.Pattern[str] | None = None

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> Question:
        """Reads the query of `objects.list`. 400 for numbers and tokens that are not valid."""
        prefix = query.get("prefix", "")
        token = query.get("pageToken")
        start = max(prefix, query.get("startOffset", ""), decoded_token(token) if token else "")
        ends = [end for end in (successor(prefix), query.get("endOffset")) if end]
        trailing = query.get("includeTrailingDelimiter") == "true"
        delimiter = query.get("delimiter", "")
        glob = globs.pattern(query["matchGlob"]) if query.get("matchGlob") else None
        end = min(ends, default="")
        return cls(prefix, delimiter, start, end, page_size(query), trailing, glob)


def list_objects(cloud: Cloud, bucket: str, question: Question) -> Page:
    """One page of a bucket. 404 without the bucket."""
    page = Page()
    with cloud.store.read() as db:
        buckets.require(db, bucket)
        start: str | None = question.start
        while start is not None and page.size() < question.limit:
            start = _extend(db, bucket, question, start, page)
        if start is not None and _rows(db, bucket, question, start, 1):
            page.next_start = start
    return page


def _extend(
    db: sqlite3.Connection, bucket: str, question: Question, start: str, page: Page
) -> str | None:
    """Adds objects up to the next common prefix; where to go on, or None at the end."""
    left = question.limit - page.size()
    wanted = min(left, FOLDER_STEP) if question.delimiter else left
    rows = _rows(db, bucket, question, start, wanted)
    for row in rows:
        folder = _common_prefix(row.name, question)
        if folder is None:
            if question.glob is None or question.glob.fullmatch(row.name):
                page.objects.append(row)
            continue
        page.prefixes.append(folder)
        if question.trailing and row.name == folder:
            page.objects.append(row)
        return successor(folder)
    return rows[-1].name + "\0" if len(rows) == wanted else None


def _rows(
    db: sqlite3.Connection, bucket: str, question: Question, start: str, limit: int
) -> list[ObjectRow]:
    if question.end and start >= question.end:
        return []
    condition, values = ("AND name < ?", (question.end,)) if question.end else ("", ())
    rows = db.execute(
        f"SELECT {COLUMNS} FROM objects WHERE bucket = ? AND name >= ? {condition}"
        " ORDER BY name LIMIT ?",
        (bucket, start, *values, limit),
    )
    return [from_columns(row) for row in rows]


def _common_prefix(name: str, question: Question) -> str | None:
    if not question.delimiter:
        return None
    place = name.find(question.delimiter, len(question.prefix))
    return None if place < 0 else name[: place + len(question.delimiter)]


def page_size(query: Mapping[str, str]) -> int:
    """How many items a page may have. 400 for what is not a positive number."""
    text = query.get("maxResults", str(PAGE_LIMIT))
    if not text.isascii() or not text.isdigit() or int(text) == 0:
        raise invalid(f"Invalid value '{text}' for maxResults. Expected a number from 1.")
    return min(int(text), PAGE_LIMIT)


def token(start: str) -> str:
    """The page token of the page that starts at a name."""
    return urlsafe_b64encode(start.encode()).decode()


def decoded_token(text: str) -> str:
    """The name at which the page of a token starts. 400 for what is not one."""
    try:
        return urlsafe_b64decode(text.encode()).decode()
    except ValueError:
        raise invalid(f"Invalid page token: '{text}'.") from None
