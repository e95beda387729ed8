"""Pages of objects: prefix, delimiter, offsets, versions, and where the next page starts."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field

from emulator.cloud import Cloud
from emulator.storage import buckets, context_filter, globs, listing_rows
from emulator.storage.buckets import BucketRow
from emulator.storage.context_filter import Wanted
from emulator.storage.errors import invalid
from emulator.storage.http import flag
from emulator.storage.listing_rows import LIVE, RESTORABLE, VERSIONS, Place
from emulator.storage.names import successor
from emulator.storage.object_resource import ObjectRow

# https://cloud.google.com/storage/docs/json_api/v1/objects/list: at most 1,000 a page.
PAGE_LIMIT = 1000
# With a delimiter the reading stops at the first folder, so that little is read in vain.
FOLDER_STEP = 64
# Behind a folder there is mostly another.
AFTER_FOLDER = 2
# A page that finds little among much ends early, with a token: as Google's may.
SCAN_ROWS = 20_000


@dataclass
class Page:
    """Objects and common prefixes, both in order; `next_place` is None on the last page."""

    home: BucketRow
    objects: list[ObjectRow] = field(default_factory=list)
    prefixes: list[str] = field(default_factory=list)
    next_place: Place | None = None
    scanned: int = 0
    step: int = FOLDER_STEP

    def size(self) -> int:
        """How many of the page's places are taken."""
        return len(self.objects) + len(self.prefixes)


@dataclass(frozen=True)
class Question:
    """What is to be listed; `start` is inclusive, `end` exclusive ("" is no end)."""

    prefix: str
    delimiter: str
    start: Place
    end: str
    limit: int
    kind: str = LIVE
    trailing: bool = False
    folders: bool = False
    glob: globs.Glob | None = None
    contexts: tuple[Wanted, ...] = ()

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> Question:
        """Reads the query of `objects.list`. 400 for numbers, tokens and globs that are not."""
        prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
        glob = query.get("matchGlob") or ""
        narrow = max(prefix, globs.literal_prefix(glob)) if glob else prefix
        starts = [(narrow, 0), (query.get("startOffset", ""), 0)]
        if text := query.get("pageToken"):
            starts.append(place_of(text))
        ends = [end for end in (successor(narrow), query.get("endOffset")) if end]
        return cls(
            prefix,
            delimiter,
            max(starts),
            min(ends, default=""),
            page_size(query),
            _kind(query),
            flag(query, "includeTrailingDelimiter"),
            flag(query, "includeFoldersAsPrefixes") and delimiter == "/",
            globs.pattern(glob) if glob else None,
            context_filter.parsed(query.get("filter", "")),
        )

    def keeps(self, row: ObjectRow) -> bool:
        """Whether an object of the range belongs to the answer."""
        named = self.glob is None or self.glob.matches(row.name)
        return named and all(wanted.holds(row.body) for wanted in self.contexts)

    def keeps_prefix(self, prefix: str) -> bool:
        """Whether a common prefix belongs to the answer."""
        return self.glob is None or self.glob.matches(prefix)


def list_objects(cloud: Cloud, bucket: str, question: Question, scan_rows: int = SCAN_ROWS) -> Page:
    """One page of a bucket, for which about so many rows are looked at. 404 without the bucket."""
    with cloud.store.read() as db:
        home = buckets.require(db, bucket)
        page = Page(home)
        rows = listing_rows.Rows(db, home, question.kind, cloud.clock.now(), question.end)
        place: Place | None = question.start
        while place is not None and page.size() < question.limit and page.scanned < scan_rows:
            place = _extend(rows, question, place, page)
        if place is not None and _more(rows, question, place):
            page.next_place = place
    return page


def _extend(rows: listing_rows.Rows, question: Question, place: Place, page: Page) -> Place | None:
    """Adds objects up to the next common prefix; where to go on, or None at the end."""
    wanted = page.step if question.delimiter else max(question.limit - page.size(), FOLDER_STEP)
    found = rows.read(place, wanted)
    page.step = min(2 * page.step, FOLDER_STEP)
    managed = _managed_prefix(rows, question, place)
    for row in found:
        if managed is not None and managed <= row.name:
            break
        if page.size() >= question.limit:
            return rows.at(row)
        page.scanned += 1
        prefix = _common_prefix(row.name, question)
        if prefix is not None:
            page.step = AFTER_FOLDER
            return _add_prefix(page, question, prefix, row)
        if question.keeps(row):
            page.objects.append(row)
    if managed is not None and (len(found) < wanted or managed <= found[-1].name):
        if page.size() >= question.limit:
            return managed, 0
        return _add_prefix(page, question, managed, None)
    return rows.behind(found[-1]) if len(found) == wanted else None


def _add_prefix(page: Page, question: Question, prefix: str, row: ObjectRow | None) -> Place | None:
    """Takes a common prefix into the page; the place behind all that it stands for."""
    if question.keeps_prefix(prefix):
        page.prefixes.append(prefix)
    behind = successor(prefix)
    if question.trailing and row is not None and row.name == prefix and question.keeps(row):
        page.objects.append(row)
    return None if behind is None else (behind, 0)


def _more(rows: listing_rows.Rows, question: Question, place: Place) -> bool:
    return bool(rows.read(place, 1)) or _managed_prefix(rows, question, place) is not None


def _managed_prefix(rows: listing_rows.Rows, question: Question, place: Place) -> str | None:
    """The common prefix of the next folder from `place` on, if folders are asked for."""
    if not question.folders:
        return None
    name = rows.next_folder(max(place[0], question.prefix), question.prefix)
    return None if name is None else _common_prefix(name, question)


def _common_prefix(name: str, question: Question) -> str | None:
    if not question.delimiter:
        return None
    at = name.find(question.delimiter, len(question.prefix))
    return None if at < 0 else name[: at + len(question.delimiter)]


def _kind(query: Mapping[str, str]) -> str:
    versions, deleted = flag(query, "versions"), flag(query, "softDeleted")
    if versions and deleted:
        raise invalid("versions and softDeleted cannot both be true.")
    return VERSIONS if versions else RESTORABLE if deleted else LIVE


def page_size(query: Mapping[str, str]) -> int:
    """How many items a page may have. 400 for what is not a positive number."""
    text = query.get("maxResults", str(PAGE_LIMIT))
    if not text.isascii() or not text.isdigit() or len(text) > 10 or int(text) == 0:
        raise invalid(f"Invalid value '{text}' for maxResults. Expected a number from 1.")
    return min(int(text), PAGE_LIMIT)


def place_token(place: Place) -> str:
    """The page token of the page that starts at a generation; no name has a line feed."""
    name, generation = place
    return token(f"{name}\n{generation}" if generation else name)


def place_of(text: str) -> Place:
    """Where the page of a token starts. 400 for what is not one."""
    name, _, generation = decoded_token(text).partition("\n")
    if generation and not (generation.isascii() and generation.isdigit() and len(generation) < 19):
        raise invalid(f"Invalid page token: '{text}'.")
    return name, int(generation or 0)


def token(start: str) -> str:
    """The page token of the page that starts at a name."""
    return urlsafe_b64encode(start.encode()).decode()


def decoded_token(text: str) -> str:
    """The name at which the page of a token starts. 400 for what is not one."""
    try:
        return urlsafe_b64decode(text.encode()).decode()
    except ValueError:
        raise invalid(f"Invalid page token: '{text}'.") from None
