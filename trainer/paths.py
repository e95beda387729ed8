"""Where the trainer finds what a `gs://` URI names: one mapping, used everywhere."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from trainer.errors import ConfigError

GCS_MOUNT = "GCS_MOUNT"
GOOGLE_MOUNT = "/gcs"
SCHEME = "gs://"


def mount_point(environ: Mapping[str, str] = os.environ) -> Path:
    """The folder in which each bucket is a folder: `$GCS_MOUNT`, or Google's own `/gcs`."""
    return Path(environ.get(GCS_MOUNT) or GOOGLE_MOUNT)


def local_path(uri: str, mount: Path) -> Path:
    """The file or folder that `gs://bucket/object` is below `mount`; a plain path stays itself.

    Raises ConfigError for another scheme, an empty bucket, or an object that climbs out of it.
    """
    if not uri.startswith(SCHEME):
        if "://" in uri:
            raise ConfigError(f"Only gs:// URIs and plain paths can be read. Received: {uri}")
        return Path(uri)
    bucket, _, name = uri.removeprefix(SCHEME).partition("/")
    if not bucket or bucket in (".", "..") or ".." in name.split("/"):
        raise ConfigError(f"A gs:// URI needs a bucket and a plain object name. Received: {uri}")
    return mount / bucket / name if name else mount / bucket


def matching_files(uri: str, mount: Path) -> list[Path]:
    """The files that a URI with an optional `*` in its last part names, sorted by name."""
    pattern = local_path(uri, mount)
    if "*" not in pattern.name:
        return [pattern] if pattern.is_file() else []
    return sorted(path for path in pattern.parent.glob(pattern.name) if path.is_file())
