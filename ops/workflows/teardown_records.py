"""What a teardown keeps of a stack: its ledger and its cost report, in `.ops/<stack>/<time>/`.

`<time>` is when the bucket was made. A bucket that outlives a teardown begins a new book: the
folder of the old one then ends in `-until-` and the time of the teardown.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from ops.cloud import storage
from ops.cloud.session import Session
from ops.ledger import Ledger
from ops.progress import Progress
from ops.settings import Settings
from ops.workflows import cost_report, kept_reports

RUNS = "runs/"
TIME = "%Y%m%dt%H%M%Sz"


def keep(
    ledger: Ledger, bucket: storage.Bucket, progress: Progress, now: Callable[[], datetime]
) -> tuple[Path, cost_report.Report | None]:
    """The folder with the copy, and the report; None when an earlier, whole one was kept there."""
    folder = _folder(ledger.session.settings, bucket)
    listed = storage.list_objects(ledger.session, bucket.name, RUNS)
    on_record = [one for one in listed if _is_record(one.name)]
    with progress.step("Keeping the ledger", len(on_record), "files") as step:
        for one in on_record:
            _copy(ledger.session, one, folder)
            step.advance()
    if not _complete(folder, on_record):
        return folder, None
    report = cost_report.run(ledger, now())
    _write(folder / kept_reports.REPORT, json.dumps(report.as_json(), indent=2))
    return folder, report


def close(settings: Settings, bucket: storage.Bucket, now: datetime) -> Path | None:
    """Where the copy lies once the bucket, empty now, begins anew; None when there is none."""
    folder = _folder(settings, bucket)
    if not folder.is_dir():
        return None
    return folder.rename(folder.with_name(f"{folder.name}-until-{now:{TIME}}"))


def _folder(settings: Settings, bucket: storage.Bucket) -> Path:
    return settings.state_dir / settings.stack / f"{bucket.created:{TIME}}"


def _is_record(name: str) -> bool:
    """Whether it is a run's own JSON, and no part of the model that the run left below it."""
    return name.count("/") == 2 and name.endswith((".json", ".jsonl"))


def _copy(session: Session, one: storage.Object, folder: Path) -> None:
    found = storage.read_text(session, one.bucket, one.name)
    if found is not None:
        _write(folder / one.name, found.text)


def _complete(folder: Path, on_record: list[storage.Object]) -> bool:
    """Whether every run that was kept is still in the bucket: if not, its report was kept too."""
    kept = {path.relative_to(folder).as_posix() for path in (folder / RUNS).rglob("*.json*")}
    return kept <= {one.name for one in on_record}


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(path.name + ".new")
    new.write_text(text, encoding="utf-8")
    new.replace(path)
