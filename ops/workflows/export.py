"""A model's files copied to a folder of this machine: as SavedModel, or as LiteRT for phones.

Custom models lie in the stack's bucket. AutoML's models for devices are exported by the API to the
bucket first; AutoML's models for the cloud have no files to give, here as on Google.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from ops import names
from ops.cloud import models, storage
from ops.cloud.models import Model
from ops.cloud.storage import Object
from ops.errors import Code, OpsError
from ops.ledger import Ledger
from ops.progress import Progress
from ops.workflows import export_readme, imported
from ops.workflows.export_readme import Card
from ops.workflows.registry import choose_model

SAVED_MODEL, TFLITE, TFLITE_INT8 = "saved-model", "tflite", "tflite-int8"
FORMATS = (SAVED_MODEL, TFLITE, TFLITE_INT8)
# The file without which a folder is no model of the format.
HEART = {
    SAVED_MODEL: "saved_model.pb",
    TFLITE: "model.tflite",
    TFLITE_INT8: "model_int8.tflite",
}
# What travels with the LiteRT file: the order of its scores, and where it came from.
BESIDE_TFLITE = ("labels.txt", "model.json")
EDGE_FORMATS = {SAVED_MODEL: "tf-saved-model", TFLITE: "tflite"}
EXPORT_SECONDS = 1800.0
EXPORTS = "exports"


@dataclass(frozen=True)
class Plan:
    """What is going to be copied, from where to where."""

    model: Model
    format: str
    folder: Path


@dataclass(frozen=True)
class Exported:
    """What was copied; sizes and checksums were those of the bucket.

    With a `card`, which says how photos are fed to the model, there is a README.txt beside it.
    """

    model: str
    format: str
    folder: Path
    files: tuple[str, ...]
    size_bytes: int
    card: Card | None = None

    def as_json(self) -> dict[str, Any]:
        """Plain JSON."""
        fed = vars(self.card) if self.card else None
        readme = str(self.folder / export_readme.README) if self.card else None
        plain = {"folder": str(self.folder), "files": list(self.files)}
        return {**vars(self), **plain, "card": fed, "readme": readme}


def check(format: str, folder: Path) -> None:
    """USAGE for a format that there is not or a folder that is a file; looks at nothing else.

    ALREADY_EXISTS for a folder that holds anything.
    """
    if format not in FORMATS:
        near = get_close_matches(format, FORMATS, n=1, cutoff=0.3) or [SAVED_MODEL]
        raise OpsError(
            Code.USAGE,
            f"--format is {', '.join(FORMATS[:-1])} or {FORMATS[-1]}. Received: {format}.",
            f"Type --format {near[0]}",
        )
    if folder.exists() and not folder.is_dir():
        raise OpsError(
            Code.USAGE, f"--to is a folder. {folder} is a file.", f"Type --to {folder}-model"
        )
    if folder.is_dir() and any(folder.iterdir()):
        raise OpsError(
            Code.ALREADY_EXISTS,
            f"Folder {folder} is not empty; nothing is overwritten.",
            f"Type --to {folder / 'model'}, or empty it first.",
        )


def plan(ledger: Ledger, model: str, format: str, folder: Path) -> Plan:
    """What is going to be copied; REFUSED for a model that gives no files."""
    check(format, folder)
    chosen = choose_model(ledger, model=model)
    if chosen.kind == "automl" and not chosen.export_formats:
        raise OpsError(
            Code.REFUSED,
            f"Model {chosen.short} is AutoML's for the cloud, which gives no files: it cannot be "
            "exported, on Google neither.",
            f"Type: {imported.custom_training(ledger, chosen.labels)}   (its model can be "
            "exported), or: ops deploy",
        )
    return Plan(chosen, format, folder.resolve())


def run(ledger: Ledger, plan: Plan, progress: Progress) -> Exported:
    """The folder with all files of the format, or none of it.

    NOT_FOUND when the model has no file of that format.
    """
    if plan.model.kind == "custom":
        return _copied(ledger, plan, plan.model.artifact_uri, progress)
    prefix = f"{EXPORTS}/{names.resource_id(plan.model.name)}-{plan.model.version}/"
    uri = storage.uri(ledger.session, prefix)
    _clear(ledger, prefix, progress)
    with progress.step("Exporting"):
        format_id = _edge_format(plan)
        operation = models.export(ledger.session, plan.model.full, format_id, uri)
        ledger.session.wait(operation, EXPORT_SECONDS)
        folder_uri = operation.metadata.output_info.artifact_output_uri
    done = _copied(ledger, plan, folder_uri, progress)
    _clear(ledger, prefix, progress)
    return done


def _edge_format(plan: Plan) -> str:
    wanted = EDGE_FORMATS.get(plan.format)
    if wanted in plan.model.export_formats:
        return wanted
    raise OpsError(
        Code.NOT_FOUND,
        f"Model {plan.model.short} is not to be had as {plan.format}; "
        f"it is as: {', '.join(plan.model.export_formats)}.",
        f"Type --format {SAVED_MODEL if plan.format == TFLITE else TFLITE}",
    )


def _clear(ledger: Ledger, prefix: str, progress: Progress) -> None:
    """No earlier export is left in the bucket, where it would cost."""
    session = ledger.session
    left = list(storage.list_objects(session, session.settings.bucket, prefix))
    if left:
        with progress.step("Clearing the bucket", len(left), "files") as step:
            storage.delete_objects(session, left, step)


def _copied(ledger: Ledger, plan: Plan, uri: str, progress: Progress) -> Exported:
    bucket, prefix = names.parse_gs_uri(uri.rstrip("/") + "/")
    found = {
        one.name.removeprefix(prefix): one
        for one in storage.list_objects(ledger.session, bucket, prefix)
        if not one.name.endswith("/")
    }
    wanted = _wanted(ledger, plan, found, uri)
    part = plan.folder.with_name(f".{plan.folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    with progress.step("Copying", len(wanted), "files") as step:
        for name in wanted:
            _fetch(ledger, found[name], part / name)
            step.advance()
    card = _describe(plan.model, part, wanted)
    _put(part, plan.folder)
    size_bytes = sum(found[name].size_bytes for name in wanted)
    return Exported(plan.model.full, plan.format, plan.folder, tuple(wanted), size_bytes, card)


def _describe(model: Model, folder: Path, files: Sequence[str]) -> Card | None:
    """How photos are fed to the model, once the folder has a README.txt of it; None if unknown."""
    card = export_readme.card(folder)
    if card is not None:
        text = export_readme.text(f"Model {model.short}", card, files)
        (folder / export_readme.README).write_text(text, encoding="utf-8")
    return card


def _put(part: Path, folder: Path) -> None:
    """What was copied, in place: at once, or into the empty folder that is there already."""
    if not folder.is_dir():
        part.replace(folder)
        return
    for path in part.iterdir():
        path.replace(folder / path.name)
    part.rmdir()


def _wanted(ledger: Ledger, plan: Plan, found: dict[str, Object], uri: str) -> Sequence[str]:
    heart = HEART[plan.format]
    if heart not in found:
        other = next((one for one in FORMATS if HEART[one] in found), None)
        anew = f"Type: {imported.custom_training(ledger, plan.model.labels)} --again"
        hint = f"Type --format {other}" if other else anew
        if plan.format == TFLITE_INT8:
            hint = f"{anew} --int8 yes, or --format {TFLITE} for the one in float32"
        has = ", ".join(sorted(found)[:8]) or "nothing"
        raise OpsError(
            Code.NOT_FOUND, f"Model {plan.model.short} has no {heart} in {uri}; it has {has}.", hint
        )
    if plan.format != SAVED_MODEL:
        return [name for name in (heart, *BESIDE_TFLITE) if name in found]
    return sorted(found)


def _fetch(ledger: Ledger, one: Object, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    storage.fetch_file(ledger.session, one, path)
    got = path.stat().st_size
    if got != one.size_bytes:
        raise OpsError(
            Code.CONFLICT,
            f"gs://{one.bucket}/{one.name} has {one.size_bytes:,} bytes, {got:,} came.",
            "Type the same command again.",
        )
