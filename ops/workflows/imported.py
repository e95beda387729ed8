"""The data sets that were imported in this stack, and the class names as their user wrote them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ops import names
from ops.cloud import storage
from ops.errors import Code, OpsError
from ops.ledger import Ledger, Record, RunState
from ops.workflows import versions

KIND = "import"
LABELS_FILE = "labels.txt"


@dataclass(frozen=True)
class Imported:
    """A finished import: `digest` is the data set's, `resource` Vertex's name of it.

    `splits` says how many photos are in each.
    """

    run: str
    name: str
    digest: str
    resource: str
    multi_label: bool
    splits: Mapping[str, int] = field(default_factory=dict)


def latest(ledger: Ledger, name: str | None = None) -> Imported:
    """The newest finished import, of the data set `name` if one is given; NOT_FOUND if none.

    `name` may be that of a version: NAME@2 or NAME@DIGEST.
    """
    if name is not None and "@" in name:
        return _imported(ledger.get(versions.choose(ledger, name).run))
    records = [r for r in ledger.records(KIND) if r.state is RunState.SUCCEEDED]
    found = [_imported(record) for record in records]
    chosen = [one for one in found if name is None or one.name == name]
    if chosen:
        return chosen[-1]
    stack = ledger.session.settings.stack
    if name is None or not found:
        raise OpsError(
            Code.NOT_FOUND,
            f"No data set has been imported in stack {stack}.",
            "Type: ops import-dataset FOLDER",
        )
    known = ", ".join(sorted({one.name for one in found}))
    raise OpsError(
        Code.NOT_FOUND,
        f"There is no data set {name!r} in stack {stack}; imported are: {known}.",
        f"Type: ops train --dataset {found[-1].name}",
    )


def version(ledger: Ledger, name: str, digest: str) -> Imported:
    """The finished import of this very version of a data set; NOT_FOUND if there is none."""
    records = [r for r in ledger.records(KIND) if r.state is RunState.SUCCEEDED]
    found = [one for one in map(_imported, records) if (one.name, one.digest) == (name, digest)]
    if found:
        return found[-1]
    raise OpsError(
        Code.NOT_FOUND,
        f"Data set {name!r} has no version {digest[:12]} any more.",
        "Type: ops runs",
    )


def check_automl(data: Imported) -> None:
    """Nothing, if AutoML can train on it; REFUSED when it has no photos to validate with.

    AutoML's three sets must each have photos: a 90/10 split is for custom training, which holds
    some of its training photos back by itself.
    """
    lacking = [split for split, number in data.splits.items() if not number]
    if lacking:
        raise OpsError(
            Code.REFUSED,
            f"Data set {data.name} has no {' and no '.join(lacking)} photos; AutoML needs some.",
            "Import it again with --split 80/10/10, or type: ops train --mode custom",
        )


def class_names(ledger: Ledger, name: str, digest: str) -> dict[str, str]:
    """Safe name → the user's own; empty when the data set's files are gone."""
    path = names.dataset_prefix(name, digest) + LABELS_FILE
    found = storage.read_text(ledger.session, ledger.session.settings.bucket, path)
    lines = found.text.split("\n") if found else []
    rows = [line.split("\t", 1) for line in lines]
    return {row[0]: row[1] for row in rows if len(row) == 2}


def class_names_of(ledger: Ledger, labels: Mapping[str, str]) -> dict[str, str]:
    """Safe name → the user's own, for a model with these resource labels; {} if not of `ops`."""
    learned = _learned(ledger, labels)
    return class_names(ledger, *learned) if learned else {}


def has_several_labels(ledger: Ledger, labels: Mapping[str, str]) -> bool:
    """Whether a model with these resource labels learned photos with several labels."""
    learned = _learned(ledger, labels)
    try:
        return version(ledger, *learned).multi_label if learned else False
    except OpsError:
        return False


def _learned(ledger: Ledger, labels: Mapping[str, str]) -> tuple[str, str] | None:
    """Name and digest of the data set that a model with these labels learned; None if unknown."""
    run = labels.get(names.LABEL_RUN, "")
    try:
        plan = ledger.get(run).plan if run else {}
    except OpsError:
        return None
    if "dataset" not in plan.get("inputs", {}):
        return None
    return str(plan["inputs"]["dataset"]), str(plan["data_digest"])


def _imported(record: Record) -> Imported:
    return Imported(
        run=record.id,
        name=str(record.result["name"]),
        digest=str(record.plan["data_digest"]),
        resource=str(record.result["dataset"]),
        multi_label=bool(record.result.get("multi_label", False)),
        splits=record.result.get("splits", {}),
    )
