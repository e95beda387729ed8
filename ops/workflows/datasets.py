"""Data sets and their versions: what is in one, and what changed between two."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ops import names
from ops.cloud import datasets, objects
from ops.cloud.objects import Refusal
from ops.data import split
from ops.data.manifest import Row
from ops.ledger import Ledger
from ops.workflows import versions
from ops.workflows.versions import Version


@dataclass(frozen=True)
class Shown:
    """A version, looked at: photos of each label (the user's own) in each split, and what is wrong.

    `items` is how many photos Vertex holds; None when its data set is gone.
    """

    version: Version
    labels: Mapping[str, Mapping[str, int]]
    splits: Mapping[str, int]
    photos: int
    unlabelled: int
    size_bytes: int
    items: int | None
    problems: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Plain JSON."""
        known = {key: value for key, value in vars(self).items() if key != "version"}
        return {**summary(self.version), **known, "problems": list(self.problems)}


@dataclass(frozen=True)
class Change:
    """A photo that two versions have in another way; before is None for a new one."""

    sha256: str
    source: str
    before: Row | None
    after: Row | None

    def as_json(self) -> dict[str, Any]:
        """Plain JSON: labels (safe names) and split, before and after."""
        found: dict[str, Any] = {"sha256": self.sha256, "source": self.source}
        for when, row in (("before", self.before), ("after", self.after)):
            if row is not None:
                found[when] = {"labels": list(row.labels), "split": row.split}
        return found


@dataclass(frozen=True)
class Difference:
    """What changed from one version to another; a photo may be relabelled and moved."""

    before: Version
    after: Version
    added: tuple[Change, ...]
    removed: tuple[Change, ...]
    relabelled: tuple[Change, ...]
    moved: tuple[Change, ...]
    unchanged: int
    own: Mapping[str, str]

    def as_json(self) -> dict[str, Any]:
        """Plain JSON."""
        kinds = ("added", "removed", "relabelled", "moved")
        lists = {kind: [one.as_json() for one in getattr(self, kind)] for kind in kinds}
        counts = {kind: len(lists[kind]) for kind in kinds} | {"unchanged": self.unchanged}
        return {"before": self.before.ref, "after": self.after.ref, "counts": counts, **lists}


def summary(version: Version) -> dict[str, Any]:
    """A version in a few words, as its import recorded it."""
    result = version.result
    return {
        "version": version.ref,
        "name": version.name,
        "digest": version.digest,
        "imported_at": version.imported_at.isoformat(),
        "run": version.run,
        "photos": int(result["photos"]),
        "labels": len(result["labels"]),
        "multi_label": bool(result.get("multi_label")),
        "dataset": version.resource,
        "files": version.prefix,
    }


def show(ledger: Ledger, text: str) -> Shown:
    """One version, with what is missing of it. NOT_FOUND when there is none."""
    version = versions.choose(ledger, text)
    rows, own = versions.rows(ledger, version), versions.own_names(ledger, version)
    found = datasets.get(ledger.session, version.resource)
    items = found.items if found else None
    labels = {
        own.get(safe, safe): split.counts(row.split for row in rows if safe in row.labels)
        for safe in sorted({label for row in rows for label in row.labels})
    }
    return Shown(
        version=version,
        labels=labels,
        splits=split.counts(row.split for row in rows),
        photos=len(rows),
        unlabelled=sum(not row.labels for row in rows),
        size_bytes=sum(row.size_bytes for row in rows),
        items=items,
        problems=(*_of_vertex(version, items, len(rows)), *_of_photos(ledger, rows), *_of(labels)),
    )


def diff(ledger: Ledger, before: str, after: str) -> Difference:
    """What changed between two versions. NOT_FOUND when there is none of them."""
    old, new = versions.choose(ledger, before), versions.choose(ledger, after)
    rows = [{row.sha256: row for row in versions.rows(ledger, one)} for one in (old, new)]
    where = {**versions.sources(ledger, old), **versions.sources(ledger, new)}
    changes = [
        Change(sha256, where.get(sha256, ""), rows[0].get(sha256), rows[1].get(sha256))
        for sha256 in {**rows[0], **rows[1]}
    ]
    changes.sort(key=lambda one: (one.source, one.sha256))
    both = [(one, one.before, one.after) for one in changes]
    kept = [(one, a, b) for one, a, b in both if a is not None and b is not None]
    relabelled = tuple(one for one, a, b in kept if sorted(a.labels) != sorted(b.labels))
    moved = tuple(one for one, a, b in kept if a.split != b.split)
    return Difference(
        before=old,
        after=new,
        added=tuple(one for one, a, _ in both if a is None),
        removed=tuple(one for one, _, b in both if b is None),
        relabelled=relabelled,
        moved=moved,
        unchanged=len(kept) - len({one.sha256 for one in (*relabelled, *moved)}),
        own={**versions.own_names(ledger, old), **versions.own_names(ledger, new)},
    )


def _of_vertex(version: Version, items: int | None, photos: int) -> list[str]:
    """What Vertex lacks."""
    if items is None:
        return [f"Vertex has no data set {version.resource} any more: import the photos again."]
    if items != photos:
        return [f"Vertex holds {items:,} of the {photos:,} photos: import them again."]
    return []


def _of_photos(ledger: Ledger, rows: Sequence[Row]) -> list[str]:
    """Photos that are gone from their buckets, or are not what they were."""
    known = {row.uri: row for row in rows}
    said = []
    for bucket, inside in objects.by_bucket(known).items():
        found = objects.find(ledger.session, bucket, inside)
        gone = [name for name, one in found.items() if isinstance(one, Refusal)]
        if gone:
            first = names.gs_uri(bucket, gone[0])
            said.append(f"{len(gone):,} photos of gs://{bucket} cannot be read, {first} first.")
        other = [
            one.uri
            for one in found.values()
            if not isinstance(one, Refusal) and one.size_bytes != known[one.uri].size_bytes
        ]
        if other:
            said.append(f"{len(other):,} photos of gs://{bucket} were replaced, {other[0]} first.")
    return said


def _of(labels: Mapping[str, Mapping[str, int]]) -> list[str]:
    """Labels that are missing from a split: AutoML wants each in each."""
    said = []
    for one in split.SPLITS:
        lacking = [label for label, counts in labels.items() if not counts[one]]
        if lacking:
            more = f" and {len(lacking) - 3} more" if len(lacking) > 3 else ""
            said.append(f"No {one} photo of {', '.join(lacking[:3])}{more}.")
    return said
