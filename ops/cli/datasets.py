"""`ops datasets list|show|diff|delete`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated

import typer

from ops.cli.call import Call, Outcome, command, commands
from ops.cli.render import short_names, table
from ops.data.split import SPLITS
from ops.workflows import datasets as workflow
from ops.workflows import datasets_delete as deletion
from ops.workflows import versions
from ops.workflows.datasets import Change, Difference, Shown

app = commands("List, show, compare and delete data sets and their versions.")

MOST_LINES = 20
VersionArgument = Annotated[
    str, typer.Argument(help="NAME (its version imported last), NAME@2, or NAME@DIGEST.")
]
AllOption = Annotated[bool, typer.Option("--all-versions", help="Every version of NAME.")]


@command(app, "datasets list", examples=["ops datasets list"])
def list_(call: Call) -> Outcome:
    """Every data set and its versions, with photos, labels and Vertex's id."""
    found = [workflow.summary(one) for one in versions.of_stack(call.ledger)]
    cells = [
        (
            one["version"],
            one["imported_at"][:16].replace("T", " "),
            f"{one['photos']:,}",
            f"{one['labels']:,}{' (several a photo)' if one['multi_label'] else ''}",
            one["digest"][:12],
            short_names(one["dataset"]),
        )
        for one in found
    ]
    headers = ["version", "imported (UTC)", "photos", "labels", "digest", "Vertex data set"]
    text = table(headers, cells, right="photos") if cells else "No data sets yet."
    return Outcome({"datasets": found}, text)


@command(app, "datasets show", examples=["ops datasets show shop", "ops datasets show shop@1"])
def show(call: Call, version: VersionArgument) -> Outcome:
    """Photos of each label in each split, and what is wrong with them."""
    found = workflow.show(call.ledger, version)
    return Outcome(found.as_json(), _shown(found))


@command(app, "datasets diff", examples=["ops datasets diff shop@1 shop@2"])
def diff(call: Call, before: VersionArgument, after: VersionArgument) -> Outcome:
    """Photos that were added, removed, relabelled or moved to another split."""
    found = workflow.diff(call.ledger, before, after)
    return Outcome(found.as_json(), "\n".join(_difference(found)))


@command(
    app,
    "datasets delete",
    asks=True,
    examples=["ops datasets delete shop@1", "ops datasets delete shop --all-versions --yes"],
)
def delete(call: Call, version: VersionArgument, all_versions: AllOption = False) -> Outcome:
    """Delete a version: Vertex's data set, its files, and photos that no other version has."""
    todo = deletion.plan(call.ledger, version, every=all_versions)
    call.say("Models trained on it stay; without its photos a deployment cannot be checked.")
    call.confirm_deletion(todo.words)
    deletion.run(call.ledger, todo, call.progress)
    return Outcome(todo.as_json(), f"Deleted {todo.words}.")


def _shown(found: Shown) -> str:
    one = workflow.summary(found.version)
    rows: list[Sequence[object]] = [
        (label, *(counts[split] for split in SPLITS), sum(counts.values()))
        for label, counts in found.labels.items()
    ]
    if found.unlabelled:
        rows.append(("(no label)", 0, 0, 0, found.unlabelled))
    rows.append(("all", *(found.splits[split] for split in SPLITS), found.photos))
    kind = "Multi-label data set" if one["multi_label"] else "Data set"
    lines = [
        f"{kind} {found.version.ref}, digest {found.version.digest[:12]}, "
        f"{found.size_bytes / 1e6:.1f} MB, imported {one['imported_at'][:16].replace('T', ' ')}",
        table(["label", *SPLITS, "photos"], rows, right=", ".join([*SPLITS, "photos"])),
        f"Vertex: {found.version.resource}",
        *(f"Problem: {problem}" for problem in found.problems),
    ]
    return "\n".join(lines)


def _difference(found: Difference) -> Iterable[str]:
    yield f"{found.before.ref} → {found.after.ref}: {found.unchanged:,} photos unchanged"
    for kind in ("added", "removed", "relabelled", "moved"):
        changes: Sequence[Change] = getattr(found, kind)
        if changes:
            yield f"{kind.capitalize()}: {len(changes):,}"
            yield from (f"  {_change(found, kind, one)}" for one in changes[:MOST_LINES])
        if len(changes) > MOST_LINES:
            yield f"  … and {len(changes) - MOST_LINES:,} more (--json has all)"


def _change(found: Difference, kind: str, one: Change) -> str:
    where = one.source or one.sha256
    if kind == "moved":
        splits = [row.split if row else "" for row in (one.before, one.after)]
        return f"{where}: {splits[0] or 'none'} → {splits[1] or 'none'}"
    labels = [_labels(found, row.labels) for row in (one.before, one.after) if row]
    return f"{where}: {' → '.join(labels)}"


def _labels(found: Difference, labels: Sequence[str]) -> str:
    return ", ".join(found.own.get(label, label) for label in labels) or "(no label)"
