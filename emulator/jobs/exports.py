"""What a job leaves becomes objects: all of a folder, or none of it."""

from __future__ import annotations

import mimetypes
from pathlib import Path

from emulator.cloud import Cloud
from emulator.storage import objects


def export_folder(cloud: Cloud, folder: Path, bucket: str, prefix: str) -> int:
    """The number of files stored under `prefix`; inside the caller's transaction, whole or not.

    Links are left out: they lead into the store, or out of the job's folder.
    """
    files = sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    with cloud.store.transaction():
        for path in files:
            name = f"{prefix}/{path.relative_to(folder).as_posix()}"
            kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
            objects.put_file(cloud, bucket, name, path, kind)
    return len(files)
