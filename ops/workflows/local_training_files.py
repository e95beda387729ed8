"""The files of a data set on this machine, laid out as a training on Vertex AI finds them.

`FOLDER/BUCKET/NAME` is what `/gcs/BUCKET/NAME` is there: the trainer is told so by GCS_MOUNT. What
has been fetched is kept for the next training.
"""

from __future__ import annotations

from pathlib import Path

from ops import names
from ops.cloud import downloads, storage
from ops.data import manifest
from ops.data.manifest import Row
from ops.ledger import Ledger
from ops.progress import Progress
from ops.workflows.imported import LABELS_FILE, Imported

MANIFEST = "manifest.jsonl"


def fetch(ledger: Ledger, data: Imported, folder: Path, progress: Progress) -> str:
    """The manifest's gs:// URI, once it and every photo of it lie below `folder`."""
    prefix = names.dataset_prefix(data.name, data.digest)
    uri = storage.uri(ledger.session, prefix + MANIFEST)
    lists = [uri, storage.uri(ledger.session, prefix + LABELS_FILE)]
    for _ in downloads.fetch_all(ledger.session, lists, folder):
        pass
    rows = manifest.from_jsonl(downloads.place(folder, uri).read_text(encoding="utf-8"))
    todo = [row.uri for row in rows if row.split and not _is_here(row, folder)]
    with progress.step("Fetching", len(todo), "photos") as step:
        for _ in downloads.fetch_all(ledger.session, todo, folder):
            step.advance()
    return uri


def _is_here(row: Row, folder: Path) -> bool:
    path = downloads.place(folder, row.uri)
    return path.is_file() and path.stat().st_size == row.size_bytes
