"""Python packages that clients uploaded, unpacked for a job (only with --run-user-code)."""

from __future__ import annotations

import tarfile
import zipfile
from pathlib import Path

from emulator.cloud import Cloud
from emulator.errors import ApiError
from emulator.storage import objects


def unpack(cloud: Cloud, uri: str, folder: Path) -> list[Path]:
    """The folders to import from, once an sdist or wheel of a bucket lies unpacked in `folder`.

    NOT_FOUND without the object; INVALID_ARGUMENT for a file that is no package. What it requires
    is not installed: the job has the server's own Python.
    """
    bucket, _, name = uri.removeprefix("gs://").partition("/")
    row = objects.get_object(cloud, bucket, name)
    if row is None:
        raise ApiError("NOT_FOUND", f"The package {uri} does not exist.")
    blob = cloud.blobs.path(row.sha256)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        if name.endswith((".whl", ".zip")):
            _unzip(blob, folder)
        else:
            with tarfile.open(blob) as archive:
                archive.extractall(folder, filter="data")
    except (tarfile.TarError, zipfile.BadZipFile, OSError) as problem:
        message = f"The package {uri} cannot be unpacked: {problem}"
        raise ApiError("INVALID_ARGUMENT", message) from None
    return _roots(folder)


def _unzip(blob: Path, folder: Path) -> None:
    with zipfile.ZipFile(blob) as archive:
        for name in archive.namelist():
            if not (folder / name).resolve().is_relative_to(folder.resolve()):
                raise zipfile.BadZipFile(f"{name} leads out of it")
        archive.extractall(folder)


def _roots(folder: Path) -> list[Path]:
    """The folder itself for a wheel; for an sdist its one folder, or `src` in it."""
    inside = [path for path in sorted(folder.iterdir()) if path.is_dir()]
    found = [folder]
    for path in inside:
        if (path / "setup.py").exists() or (path / "pyproject.toml").exists():
            found += [path / "src", path] if (path / "src").is_dir() else [path]
        elif (path / "PKG-INFO").exists():
            found.append(path)
    return found
