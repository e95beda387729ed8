"""The versions of a data set: each import that differs is one, and the next keeps its split."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ops import names
from ops.cloud import storage
from ops.data import manifest
from ops.data.split import Shares, parse_shares
from ops.ledger import Ledger, RunState

KIND = "import"
MANIFEST, LABELS, IMPORT_FILE = "manifest.jsonl", "labels.txt", "import.jsonl"
SOURCES = "sources.jsonl"


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
