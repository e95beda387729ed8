"""The data folder: one server at a time, and the files by which others find it."""

from __future__ import annotations

import fcntl
import json
import os
from pathlib import Path
from shlex import quote
from typing import Any

import psutil

from emulator import __version__
from emulator.cloud import ServerSettings
from emulator.errors import StartError

DATABASE = "emulator.sqlite"
# What may lie in a folder before its first server: `ops` and file systems leave these.
BEFORE = frozenset(
    {"lock", "ops-start.lock", "server.log", "server.json", "lost+found", ".DS_Store"}
)


class DataFolder:
    """A folder held by this process until `release`."""

    def __init__(self, path: Path) -> None:
        """Makes and locks the folder.

        StartError when another server or another user has it, or where it holds other files: a
        server would write over them.
        """
        self.path = path
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        try:
            path.mkdir(parents=True, exist_ok=True, mode=0o700)
            _make_private(path)
            self._lock = os.open(path / "lock", flags, 0o600)
        except OSError as error:
            raise StartError(
                f"Cannot use the data folder {path}: {error.strerror}. Give another with --data."
            ) from None
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._lock)
            raise StartError(_taken(path)) from None

    def announce(self, settings: ServerSettings) -> None:
        """Writes `server.json`, by which clients find this server."""
        process = psutil.Process()
        body = {
            "pid": process.pid,
            "process_started": process.create_time(),
            "port": settings.port,
            "url": settings.base_url,
            "version": __version__,
        }
        write_whole(self.path / "server.json", json.dumps(body, indent=2) + "\n")

    def release(self) -> None:
        """Removes `server.json` and lets another server have the folder."""
        (self.path / "server.json").unlink(missing_ok=True)
        os.close(self._lock)


def _make_private(path: Path) -> None:
    """Leaves the folder to this user alone. StartError where it is not, or leads elsewhere."""
    found = path.stat()
    if found.st_uid != os.geteuid():
        raise StartError(
            f"The data folder {path} belongs to another user. Give another with --data."
        )
    entries = list(os.scandir(path))
    _check_links(entries)
    _check_ours(path, {entry.name for entry in entries})
    if found.st_mode & 0o077:
        path.chmod(0o700)


def _check_links(entries: list[os.DirEntry[str]]) -> None:
    """Raises StartError for a symbolic link in the folder, or directly in a folder of it."""
    for entry in entries:
        inner = os.scandir(entry) if entry.is_dir(follow_symlinks=False) else ()
        for one in (entry, *inner):
            if one.is_symlink():
                raise StartError(
                    f"{one.path} is a symbolic link. A data folder has none: what is written "
                    "there would go elsewhere. Remove it, or give another folder with --data."
                )


def _check_ours(path: Path, names: set[str]) -> None:
    """Raises StartError where a folder is neither empty nor one that a server has made."""
    foreign = sorted(names - BEFORE)
    if foreign and DATABASE not in names:
        shown = ", ".join(foreign[:3]) + (", …" if len(foreign) > 3 else "")
        raise StartError(
            f"The folder {path} holds other files ({shown}) and no {DATABASE}: it is not a data "
            f"folder. Give a new or an empty one, such as --data {quote(str(path / 'local-cloud'))}"
        )


def write_whole(path: Path, text: str, mode: int = 0o600) -> None:
    """Replaces a file in one step: a reader sees the old text or the new."""
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    aside.unlink(missing_ok=True)
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    aside.replace(path)


def write_env(settings: ServerSettings, key_file: Path) -> None:
    """Writes `env`, for shells: the variables that send Google's SDKs, gcsfs and Terraform here."""
    values = sorted(environment(settings, key_file).items())
    lines = [f"{name}={quote(value)}\n" for name, value in values]
    write_whole(settings.data_dir / "env", "".join(lines))


# Terraform's provider wants version and slash at the end (Monitoring alone adds its own version).
# Those of services that are not served yet are here so that nothing can reach Google.
ENDPOINTS = {
    "ARTIFACT_REGISTRY": "/v1/",
    "BILLING_BUDGETS": "/v1/",
    "CLOUD_BILLING": "/v1/",
    "CLOUD_BUILD": "/v1/",
    "CLOUD_QUOTAS": "/v1/",
    "COMPUTE": "/compute/v1/",
    "IAM_BETA": "/v1/",
    "IAM_CREDENTIALS": "/v1/",
    "MONITORING": "/",
    "RESOURCE_MANAGER": "/v1/",
    "RESOURCE_MANAGER_V3": "/v3/",
    "SERVICE_USAGE": "/v1/",
    "STORAGE": "/storage/v1/",
    "VERTEX_AI": "/v1/",
}


def environment(settings: ServerSettings, key_file: Path) -> dict[str, str]:
    """Names and values of `env`."""
    url = settings.base_url
    return {
        **{f"GOOGLE_{name}_CUSTOM_ENDPOINT": url + path for name, path in ENDPOINTS.items()},
        "GOOGLE_APPLICATION_CREDENTIALS": str(key_file),
        "GOOGLE_CLOUD_PROJECT": settings.default_project,
        # gcsfs would ask for a bucket's layout by gRPC, and wait two minutes for an answer.
        "GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT": "false",
        "NO_GCE_CHECK": "true",
        "STORAGE_EMULATOR_HOST": url,
    }


def _taken(path: Path) -> str:
    server = read_json(path / "server.json")
    if server is None:
        return f"The data folder {path} is held by a server that is starting. Try again."
    pid, url = server.get("pid"), server.get("url")
    return (
        f"The data folder {path} already has a server: pid {pid} at {url}. "
        f"Use that one, stop it (kill {pid}), or give another folder with --data."
    )


def read_json(path: Path) -> dict[str, Any] | None:
    """The object in a file, or None where there is no such file."""
    try:
        body: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return body
