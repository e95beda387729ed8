"""Delete versions of a data set: Vertex's data set, its files, and the photos that no other has.

Every step may be repeated: the record of the import is changed last, so the same command, killed
anywhere, finds what is left.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from ops import names
from ops.cloud import inventory, storage
from ops.cloud.datasets import delete as delete_dataset
from ops.data import manifest
from ops.errors import Code, OpsError
from ops.ledger import Ledger, RunState
from ops.progress import Progress
from ops.workflows import versions
from ops.workflows.versions import DELETED, LABELS, MANIFEST, Version

DATASETS, IMAGES = "datasets/", "images/"


@dataclass(frozen=True)
class Deletion:
    """What is to go: `files` of the versions, and `photos` that no other version refers to.

    Photos in `elsewhere`, buckets of the user's own, stay.
    """

    versions: tuple[Version, ...]
    files: tuple[storage.Object, ...]
    photos: tuple[storage.Object, ...]
    elsewhere: tuple[str, ...] = ()

    @property
    def rows(self) -> int:
        """How many photos the versions have, wherever those lie."""
        return sum(int(one.result["photos"]) for one in self.versions)

    @property
    def words(self) -> str:
        """What goes, for a question."""
        refs = ", ".join(one.ref for one in self.versions)
        size = sum(one.size_bytes for one in (*self.files, *self.photos)) / 1e6
        stored = f"{len(self.photos):,} stored photo{'' if len(self.photos) == 1 else 's'}"
        buckets = ", ".join(f"gs://{bucket}" for bucket in self.elsewhere)
        stay = f"; the photos in {buckets} stay" if buckets else ""
        return f"data set {refs} of {self.rows:,} rows, and {stored} ({size:.1f} MB){stay}"

    def as_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "deleted": [one.ref for one in self.versions],
            "datasets": [one.resource for one in self.versions],
            "rows": self.rows,
            "photos": len(self.photos),
            "size_bytes": sum(one.size_bytes for one in (*self.files, *self.photos)),
        }


def plan(ledger: Ledger, text: str, *, every: bool = False) -> Deletion:
    """What deleting NAME, NAME@2 or NAME@DIGEST takes with it; with `every` all versions of NAME.

    USAGE for a NAME of several versions without `every`; REFUSED while a training runs on one.
    """
    chosen = versions.choose(ledger, text)
    same = [one for one in versions.of_stack(ledger) if one.name == chosen.name]
    if every:
        todo = same
    elif "@" in text or len(same) == 1:
        todo = [chosen]
    else:
        raise OpsError(
            Code.USAGE,
            f"{chosen.name} has {len(same)} versions: {', '.join(one.ref for one in same)}.",
            f"Type one of them, or: ops datasets delete {chosen.name} --all-versions",
        )
    _refuse_running(ledger, todo)
    files = _files(ledger, todo)
    uris = _own_uris(ledger, files)
    buckets = {names.parse_gs_uri(uri)[0] for uri in uris} - {ledger.session.settings.bucket}
    photos = _stored(ledger, uris)
    return Deletion(tuple(todo), tuple(files), tuple(photos), tuple(sorted(buckets)))


def run(ledger: Ledger, todo: Deletion, progress: Progress) -> None:
    """Nothing, once all of it is gone and the imports say so."""
    session = ledger.session
    for version in todo.versions:
        delete_dataset(session, version.resource)
    # The manifests go last: they say which photos there are.
    files = sorted(todo.files, key=lambda one: one.name.endswith(MANIFEST))
    with progress.step("Deleting", len(todo.photos) + len(files), "objects") as step:
        storage.delete_objects(session, todo.photos, step)
        storage.delete_objects(session, files, step)
    for version in todo.versions:
        ledger.open(version.run).finish({**version.result, DELETED: True}, RunState.ENDED)


def _refuse_running(ledger: Ledger, todo: Sequence[Version]) -> None:
    """Nothing, unless a job of this stack that has not ended was given one of these versions."""
    stack = names.label_value(ledger.session.settings.stack)
    digests = {one.digest[: names.DIGEST_CHARACTERS]: one for one in todo}
    for kind in (kind for kind in inventory.KINDS if kind.cancel):
        for job in inventory.listed(ledger.session, kind):
            version = digests.get(job.labels.get(names.LABEL_DATASET, ""))
            if version and job.running and job.labels.get(names.LABEL_STACK) == stack:
                run = job.labels.get(names.LABEL_RUN, "RUN")
                raise OpsError(
                    Code.REFUSED,
                    f"A {kind.title} runs on {version.ref}: {job.name}.",
                    f"Wait for its end, or type: ops cancel {run}",
                )


def _files(ledger: Ledger, todo: Sequence[Version]) -> list[storage.Object]:
    """The versions' files that no other version shares.

    labels.txt stays for a model that learned the version: it shows the user's own names.
    """
    runs = {one.run for one in todo}
    kept = {one.prefix for one in versions.of_stack(ledger) if one.run not in runs}
    session, learned = ledger.session, _learned(ledger)
    named = {
        one.prefix + LABELS for one in todo if one.digest[: names.DIGEST_CHARACTERS] in learned
    }
    return [
        found
        for prefix in {one.prefix for one in todo} - kept
        for found in storage.list_objects(session, session.settings.bucket, prefix)
        if found.name not in named
    ]


def _learned(ledger: Ledger) -> set[str]:
    """The digests, as labels carry them, that models have learned."""
    models = next(kind for kind in inventory.KINDS if kind.collection == "models")
    found = inventory.listed(ledger.session, models)
    return {one.labels.get(names.LABEL_DATASET, "") for one in found}


def _own_uris(ledger: Ledger, files: Sequence[storage.Object]) -> set[str]:
    """The photos that only these manifests name; imports under way count as others."""
    session, bucket = ledger.session, ledger.session.settings.bucket
    going = {one.name for one in files}
    mine, others = set[str](), set[str]()
    for found in storage.list_objects(session, bucket, DATASETS):
        if found.name.endswith(f"/{MANIFEST}"):
            text = storage.read_text(session, bucket, found.name)
            rows = manifest.from_jsonl(text.text if text else "")
            (mine if found.name in going else others).update(row.uri for row in rows)
    return mine - others


def _stored(ledger: Ledger, uris: Collection[str]) -> list[storage.Object]:
    """Those of these photos that lie in the stack's own bucket."""
    bucket = ledger.session.settings.bucket
    images = storage.list_objects(ledger.session, bucket, IMAGES)
    return [one for one in images if names.gs_uri(bucket, one.name) in uris]
