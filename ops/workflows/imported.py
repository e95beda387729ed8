"""The data sets that were imported in this stack, and the class names as their user wrote them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches

from ops import names
from ops.cloud import storage
from ops.errors import Code, OpsError
from ops.ledger import Ledger
from ops.workflows import versions
from ops.workflows.versions import Version

LABELS_FILE = "labels.txt"


@dataclass(frozen=True)
class Imported:
    """A finished import: `digest` is the data set's, `resource` Vertex's name of it.

    `splits` says how many photos are in each, `ref` what a person types for it (NAME@2);
    `has_several` is whether a photo of it has several labels.
    """

    run: str
    name: str
    digest: str
    resource: str
    multi_label: bool
    ref: str = ""
    photos: int = 0
    has_several: bool = False
    splits: Mapping[str, int] = field(default_factory=dict)

    @property
    def words(self) -> str:
        """Which it is, in words."""
        return f"{self.ref}, digest {self.digest[:12]}, {self.photos:,} photos"


def latest(ledger: Ledger, name: str | None = None) -> Imported:
    """What was imported last, of the data set `name` if one is given; NOT_FOUND if none.

    Imported again, a version that was in place already is the last. `name` may be that of a
    version: NAME@2 or NAME@DIGEST.
    """
    every = versions.of_stack(ledger)
    known = {one.name for one in every}
    if not every:
        raise OpsError(
            Code.NOT_FOUND,
            f"No data set has been imported in stack {ledger.session.settings.stack}.",
            "Type: ops import-dataset FOLDER",
        )
    if name is None:
        return _imported(versions.imported_last(every))
    if name.partition("@")[0] not in known:
        raise _unknown(name, known, ledger.session.settings.stack)
    return _imported(versions.choose_of(every, name))


def version(ledger: Ledger, name: str, digest: str) -> Imported:
    """The finished import of this very version of a data set; NOT_FOUND if there is none."""
    every = versions.of_stack(ledger)
    found = [one for one in every if (one.name, one.digest) == (name, digest)]
    if found:
        return _imported(found[-1])
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
            "Import it again with --split 80/10/10, or type: "
            f"ops train --mode custom --model-type cnn --dataset {data.ref}",
        )


def check_single(data: Imported, multi_label: str) -> None:
    """Nothing; USAGE when --multi-label is no, and a photo of the data set has several labels."""
    if multi_label.strip() == "no" and data.has_several:
        raise OpsError(
            Code.USAGE,
            f"--multi-label is no, but photos of data set {data.ref} have several labels.",
            "Leave --multi-label out, or import one label a photo and name that data set.",
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


def custom_training(ledger: Ledger, labels: Mapping[str, str]) -> str:
    """What to type to train a custom model on what a model with these resource labels learned.

    It has the model's own type, if that is a custom one.
    """
    learned = _learned(ledger, labels)
    if learned is None:
        return "ops train --mode custom --model-type cnn"
    flags = ledger.get(labels[names.LABEL_RUN]).plan["inputs"].get("flags", {})
    every = versions.of_stack(ledger)
    ref = next((one.ref for one in every if (one.name, one.digest) == learned), learned[0])
    return f"ops train --mode custom --model-type {flags.get('model-type', 'cnn')} --dataset {ref}"


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


def _imported(version: Version) -> Imported:
    result = version.result
    splits: Mapping[str, int] = result.get("splits", {})
    labelled = sum(sum(counts.values()) for counts in result.get("labels", {}).values())
    return Imported(
        run=version.run,
        name=version.name,
        digest=version.digest,
        resource=version.resource,
        multi_label=bool(result.get("multi_label", False)),
        ref=version.ref,
        photos=int(result.get("photos", 0)),
        has_several=labelled > sum(splits.values()),
        splits=splits,
    )


def _unknown(name: str, known: Collection[str], stack: str) -> OpsError:
    """No such data set: the nearest names first, and one to type if it is clear which."""
    near = get_close_matches(name.partition("@")[0], sorted(known), 3)
    ordered = [*near, *sorted({*known} - {*near})]
    is_clear = near or len(ordered) == 1
    return OpsError(
        Code.NOT_FOUND,
        f"There is no data set {name!r} in stack {stack}; imported are: {', '.join(ordered)}.",
        f"Type: ops train --dataset {ordered[0]}" if is_clear else "Type: ops datasets list",
    )
