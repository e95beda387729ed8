"""Photos to a data set: checked whole, uploaded once, registered once, counted at the end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any

from ops import ledger as runs
from ops import names
from ops.cloud import datasets, storage, uploads
from ops.cloud.uploads import Upload
from ops.data import labels, manifest, split
from ops.data.decode import quiet_about_large_photos
from ops.data.manifest import Row
from ops.data.photos import Named, stored_bytes
from ops.data.problems import BadPhotoError
from ops.data.report import Found, remarks, split_remarks
from ops.data.split import Shares
from ops.errors import Code, OpsError
from ops.ledger import Ledger, Run, RunState
from ops.parallel import in_order
from ops.pricing import regions
from ops.progress import Progress
from ops.workflows import import_buckets, versions
from ops.workflows.versions import IMPORT_FILE, KIND, LABELS, MANIFEST, SOURCES


@dataclass(frozen=True)
class ImportPlan:
    """What will be stored and registered; `labels` is safe name → the user's own.

    `shares` says how the photos were split that had no split.
    """

    found: Found
    rows: tuple[Row, ...]
    labels: Mapping[str, str]
    digest: str
    remarks: tuple[str, ...]
    shares: Shares = field(default_factory=Shares)

    @property
    def prefix(self) -> str:
        """Where the data set's files lie in the bucket."""
        return names.dataset_prefix(self.found.name, self.digest)

    @property
    def multi_label(self) -> bool:
        """Whether a photo may have several labels."""
        return self.found.checked.multi_label


@dataclass(frozen=True)
class Done:
    """What came of it: `result` as it is on record; `already` when nothing had to be done.

    `ref` is what a person types for it: NAME@2.
    """

    run: str
    result: Mapping[str, Any]
    already: bool
    ref: str
    remarks: tuple[str, ...] = field(default=())


def plan(ledger: Ledger, found: Found, shares: Shares | None = None) -> ImportPlan:
    """The data set that these photos make, its splits decided.

    Photos keep the split of the newest version of the data set, unless `shares` differ from those
    of that version.
    """
    labelled = [named for named in found.checked.photos if named.labels]
    if labelled and all(named.split for named in labelled):
        earlier = versions.Earlier(shares=shares or Shares())
    else:
        earlier = versions.earlier_split(ledger, found.name, shares)
    decision = split.decide(
        (split.Unsplit(named.photo.sha256, named.labels, named.split) for named in labelled),
        earlier.splits,
        earlier.shares,
    )
    bucket, region = ledger.session.settings.bucket, ledger.session.settings.region
    rows = tuple(manifest.rows(found.checked.photos, decision.splits, bucket))
    kept = sum(n.split is None and n.photo.sha256 in earlier.splits for n in labelled)
    own = labels.safe_names(label for named in labelled for label in named.labels)
    said = (*remarks(found), *split_remarks(decision, earlier.shares, kept))
    said += tuple(region_remarks(region))
    return ImportPlan(found, rows, own, manifest.digest(rows), said, earlier.shares)


def region_remarks(region: str) -> list[str]:
    """A warning where what is imported cannot be trained on with AutoML."""
    if regions.has_automl(region):
        return []
    where = " and ".join(regions.with_automl())
    return [f"Warning: region {region} has no AutoML for images; {where} have, with --stack."]


def run(ledger: Ledger, plan: ImportPlan, progress: Progress) -> Done:
    """The data set in place: taken up where it was left, or shown when it is there already.

    Either way it is then the one that was imported last.
    """
    storage.ensure_bucket(ledger.session)
    current = _begin(ledger, plan)
    if current.state is RunState.SUCCEEDED:
        return _finished(ledger, plan, current, current.result, already=True)
    uploaded = _upload(ledger, plan, progress)
    _write_files(ledger, plan)
    name = _register(ledger, current, plan, progress)
    result = {**_result(plan, name, uploaded), "manifest": _manifest_uri(ledger, plan)}
    return _finished(ledger, plan, current, result, already=False)


def _finished(
    ledger: Ledger, plan: ImportPlan, run: Run, result: Mapping[str, Any], *, already: bool
) -> Done:
    """What came of it, on record with the time that makes it the one imported last."""
    shown = {key: value for key, value in result.items() if key != versions.LAST_IMPORTED}
    if not already or versions.imported_last(versions.of_stack(ledger)).run != run.id:
        run.finish({**shown, versions.LAST_IMPORTED: datetime.now(UTC).isoformat()})
    refs = {one.run: one.ref for one in versions.of_stack(ledger)}
    return Done(run.id, shown, already, refs.get(run.id, plan.found.name), plan.remarks)


def _begin(ledger: Ledger, plan: ImportPlan) -> Run:
    """The run of this plan; a new one when the data set of a finished run is gone."""
    asked = runs.Plan(KIND, plan.digest, _inputs(plan))
    current = ledger.begin(asked)
    if current.state is not RunState.SUCCEEDED:
        return current
    there = datasets.exists(ledger.session, str(current.result["dataset"]))
    return current if there else ledger.begin(asked, again=True)


def _inputs(plan: ImportPlan) -> dict[str, Any]:
    """What tells this data set from another of the same digest."""
    several = {"multi_label": True} if plan.multi_label else {}
    return {"dataset": plan.found.name, **several}


def _upload(ledger: Ledger, plan: ImportPlan, progress: Progress) -> int:
    """How many photos were not in the bucket yet; all of them are when this returns."""
    session = ledger.session
    photos = (named for named in plan.found.checked.photos if not manifest.refers(named))
    wanted = [_upload_of(named) for named in photos]
    todo = uploads.missing(session, wanted, names.image_object("", ""))
    send = uploads.sender(session)
    with progress.step("Uploading", len(todo), "photos") as step, quiet_about_large_photos():
        for _ in in_order(send, todo, uploads.THREADS):
            step.advance()
    return len(todo)


def _upload_of(named: Named) -> Upload:
    return Upload(
        name=manifest.object_name(named),
        sha256=named.photo.sha256,
        content_type=named.photo.mime_type,
        size_bytes=named.photo.size_bytes,
        crc32c=named.photo.crc32c,
        read=partial(_bytes_of, named),
        copy_of=import_buckets.same_bytes(named.photo),
    )


def _bytes_of(named: Named) -> bytes:
    try:
        return stored_bytes(named.photo)
    except BadPhotoError as bad:
        raise OpsError(Code.BAD_DATA, f"{named.where}: {bad.what}", bad.fix) from bad


def _write_files(ledger: Ledger, plan: ImportPlan) -> None:
    """The data set's files, in the bucket, the manifest last; their folder is called by digest."""
    texts = {
        LABELS: (manifest.labels_txt(plan.labels), "text/plain"),
        IMPORT_FILE: (
            manifest.import_jsonl(plan.rows, multi_label=plan.multi_label),
            "application/jsonl",
        ),
        SOURCES: (
            manifest.sources_jsonl(plan.found.checked.sources, plan.rows),
            "application/jsonl",
        ),
        MANIFEST: (manifest.to_jsonl(plan.rows), "application/jsonl"),
    }
    session = ledger.session
    for file, (text, kind) in texts.items():
        name = plan.prefix + file
        storage.write_text(session, session.settings.bucket, name, text, content_type=kind)


def _register(ledger: Ledger, run: Run, plan: ImportPlan, progress: Progress) -> str:
    """The full name of the Vertex data set that holds every row of the plan."""
    session = ledger.session
    with ledger.lock(run.id):
        mine = {key: run.labels[key] for key in (names.LABEL_STACK, names.LABEL_RUN)}
        found = datasets.find(session, mine)
        dataset = found[0] if found else datasets.create(session, plan.found.name, run.labels)
        operation = _import_operation(ledger, run, plan, dataset.name)
    progress.goes_on("The import goes on. Type the same command again to see it end.")
    with progress.step("Importing", len(plan.rows), "photos") as step:
        outcome = datasets.finish_import(
            session, operation, lambda _: step.reach(_arrived(ledger, dataset.name))
        )
    progress.goes_on("")
    arrived = _arrived(ledger, dataset.name)
    if outcome.error or outcome.failures or arrived != len(plan.rows):
        run.event("import-failed", error=outcome.error, failures=list(outcome.failures))
        raise _incomplete(outcome, arrived, len(plan.rows))
    return dataset.name


def _import_operation(ledger: Ledger, run: Run, plan: ImportPlan, dataset: str) -> Any:
    """The import under way or done; begun when there is none, or the last one failed.

    Importing the same rows twice changes nothing: identical bytes are one data item
    (dataset.proto, `ImportDataConfig`).
    """
    last = [event for event in run.events() if event.event in ("importing", "import-failed")][-1:]
    if last and last[0].event == "importing" and last[0].facts["dataset"] == dataset:
        known = datasets.running_import(ledger.session, str(last[0].facts["operation"]))
        if known is not None and not datasets.has_failed(known):
            return known
    uri = storage.uri(ledger.session, plan.prefix + IMPORT_FILE)
    operation = datasets.start_import(ledger.session, dataset, uri, multi_label=plan.multi_label)
    run.event("importing", dataset=dataset, operation=operation.operation.name)
    return operation


def _arrived(ledger: Ledger, dataset: str) -> int:
    found = datasets.get(ledger.session, dataset)
    return found.items if found else 0


def _incomplete(outcome: datasets.ImportOutcome, arrived: int, rows: int) -> OpsError:
    reasons = [reason for reason in (outcome.error, *outcome.failures) if reason]
    lines = "".join(f"\n  {reason}" for reason in reasons)
    return OpsError(
        Code.JOB_FAILED,
        f"{arrived:,} of {rows:,} photos arrived in the data set.{lines}",
        "Type the same command again: what has arrived stays.",
    )


def _manifest_uri(ledger: Ledger, plan: ImportPlan) -> str:
    return storage.uri(ledger.session, plan.prefix + MANIFEST)


def _result(plan: ImportPlan, dataset: str, uploaded: int) -> dict[str, Any]:
    """What goes on record; counts by the user's own labels."""
    table: dict[str, dict[str, int]] = {}
    for safe, own in plan.labels.items():
        table[own] = split.counts(row.split for row in plan.rows if safe in row.labels)
    return {
        "name": plan.found.name,
        "dataset": dataset,
        "digest": plan.digest,
        "photos": len(plan.rows),
        "splits": split.counts(row.split for row in plan.rows),
        "labels": table,
        "uploaded": uploaded,
        "left_out": plan.found.checked.left_out,
        "size_bytes": sum(row.size_bytes for row in plan.rows),
        "files": plan.prefix,
        "unlabelled": sum(not row.labels for row in plan.rows),
        "multi_label": plan.multi_label,
        "split": str(plan.shares),
    }
