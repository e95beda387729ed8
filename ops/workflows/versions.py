"""The versions of a data set: each import that differs is one, and the next keeps its split."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from difflib import get_close_matches
from typing import Any

from ops import names
from ops.cloud import storage
from ops.data import manifest
from ops.data.split import Shares, parse_shares
from ops.errors import Code, OpsError
from ops.ledger import Ledger, Record, RunState

KIND = "import"
MANIFEST, LABELS, IMPORT_FILE = "manifest.jsonl", "labels.txt", "import.jsonl"
SOURCES = "sources.jsonl"
# In the result of an import whose version was deleted.
DELETED = "deleted"
# In the result of an import: when a command last ended with this version in place.
LAST_IMPORTED = "last_imported_at"
SHORTEST_DIGEST = 4


@dataclass(frozen=True)
class Earlier:
    """What the next version keeps: the split of each photo by its hash, and how others are split.

    `splits` is empty when there is no version yet.
    """

    splits: Mapping[str, str] = field(default_factory=dict)
    shares: Shares = field(default_factory=Shares)


def earlier_split(ledger: Ledger, name: str, asked: Shares | None) -> Earlier:
    """The split of the newest version; nothing of it when `asked` is not how that was split."""
    newest = newest_manifest(ledger, name)
    if newest is None:
        return Earlier(shares=asked or Shares())
    shares = _shares(ledger, name, newest.name.split("/")[-2])
    if asked is not None and asked != shares:
        return Earlier(shares=asked)
    text = storage.read_text(ledger.session, newest.bucket, newest.name)
    rows = manifest.from_jsonl(text.text if text else "")
    return Earlier({row.sha256: row.split for row in rows if row.split}, shares)


def newest_manifest(ledger: Ledger, name: str) -> storage.Object | None:
    """The manifest that was written last under this name; None when there is none."""
    from google.api_core.exceptions import NotFound

    session, prefix = ledger.session, names.dataset_versions_prefix(name)
    try:
        found = list(storage.list_objects(session, session.settings.bucket, prefix))
    except NotFound:
        return None
    versions = [one for one in found if one.name.endswith(f"/{MANIFEST}")]
    return max(versions, key=lambda one: one.created, default=None)


def _shares(ledger: Ledger, name: str, digest: str) -> Shares:
    """How that version's photos were split that had no split: as its import recorded it."""
    for record in reversed(ledger.records(KIND)):
        result = record.result
        same = record.plan["data_digest"] == digest and result.get("name") == name
        if record.state is RunState.SUCCEEDED and same and "split" in result:
            return parse_shares(str(result["split"])) or Shares()
    return Shares()


@dataclass(frozen=True)
class Version:
    """One version of a data set, as its import recorded it; `number` counts from 1 and stays.

    `run` is the import's, `resource` Vertex's name of the data set, `result` what is on record.
    Importing it again, which finds it in place, sets `last_imported_at`.
    """

    name: str
    number: int
    digest: str
    run: str
    resource: str
    imported_at: datetime
    last_imported_at: datetime
    result: Mapping[str, Any]

    @property
    def ref(self) -> str:
        """What a person types for it."""
        return f"{self.name}@{self.number}"

    @property
    def prefix(self) -> str:
        """Where its files lie in the bucket."""
        return names.dataset_prefix(self.name, self.digest)


def of_stack(ledger: Ledger) -> list[Version]:
    """Every version that was imported and not deleted since, by name, then oldest first.

    A version is a digest, for one label a photo or for several; imported again (its Vertex data
    set was gone) it is the same version.
    """
    found: dict[str, dict[tuple[str, bool], Version | None]] = {}
    for record in ledger.records(KIND):
        if record.state is RunState.SUCCEEDED or record.result.get(DELETED):
            same = found.setdefault(str(record.result["name"]), {})
            known = (str(record.plan["data_digest"]), bool(record.result.get("multi_label")))
            same.setdefault(known, None)
            same[known] = _version(record, list(same).index(known) + 1)
    return [
        version
        for _, same in sorted(found.items())
        for version in same.values()
        if version is not None
    ]


def choose(ledger: Ledger, text: str) -> Version:
    """The version that is meant by NAME (imported last), NAME@2 or NAME@DIGEST; else NOT_FOUND."""
    return choose_of(of_stack(ledger), text)


def choose_of(every: Sequence[Version], text: str) -> Version:
    """The same of versions that are known already."""
    name, _, which = text.partition("@")
    same = [one for one in every if one.name == name]
    chosen = [
        one
        for one in same
        if not which
        or which == str(one.number)
        or (len(which) >= SHORTEST_DIGEST and one.digest.startswith(which))
    ]
    if chosen:
        return imported_last(chosen)
    known = [one.ref for one in same] or sorted({one.name for one in every})
    near = get_close_matches(text, known, 3) or known
    listed = f" Known are: {', '.join(near)}." if near else ""
    raise OpsError(
        Code.NOT_FOUND, f"There is no data set {text}.{listed}", "Type: ops datasets list"
    )


def imported_last(some: Sequence[Version]) -> Version:
    """The one whose import a command ended with last, be it that it was found in place."""
    return max(some, key=lambda one: (one.last_imported_at, one.number))


def rows(ledger: Ledger, version: Version) -> list[manifest.Row]:
    """The rows of its manifest; NOT_FOUND when that is gone from the bucket."""
    text = read(ledger, version, MANIFEST)
    if text is None:
        raise OpsError(
            Code.NOT_FOUND,
            f"The manifest of {version.ref} is gone: "
            f"{storage.uri(ledger.session, version.prefix, MANIFEST)}.",
            "Import the photos again: ops import-dataset",
        )
    return manifest.from_jsonl(text)


def sources(ledger: Ledger, version: Version) -> dict[str, str]:
    """Where each photo is from, by its hash; empty for a version that kept no sources."""
    text = read(ledger, version, SOURCES) or ""
    found = [json.loads(line) for line in text.split("\n") if line]
    return {str(one["sha256"]): str(one["source"]) for one in reversed(found)}


def own_names(ledger: Ledger, version: Version) -> dict[str, str]:
    """Safe name → the user's own."""
    lines = (read(ledger, version, LABELS) or "").split("\n")
    pairs = [line.split("\t", 1) for line in lines]
    return {pair[0]: pair[1] for pair in pairs if len(pair) == 2}


def read(ledger: Ledger, version: Version, file: str) -> str | None:
    """One of its files as text; None when it is gone."""
    session = ledger.session
    found = storage.read_text(session, session.settings.bucket, version.prefix + file)
    return found.text if found else None


def _version(record: Record, number: int) -> Version | None:
    if record.state is not RunState.SUCCEEDED:
        return None
    last = str(record.result.get(LAST_IMPORTED, ""))
    return Version(
        name=str(record.result["name"]),
        number=number,
        digest=str(record.plan["data_digest"]),
        run=record.id,
        resource=str(record.result["dataset"]),
        imported_at=record.planned_at,
        last_imported_at=datetime.fromisoformat(last) if last else record.planned_at,
        result=record.result,
    )
