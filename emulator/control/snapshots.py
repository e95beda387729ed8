"""Named copies of everything: rows by SQLite's backup, bytes by hard links."""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
from pathlib import Path
from typing import Any
from uuid import uuid4

from emulator import __version__
from emulator.aiplatform import serving
from emulator.clock import timestamp
from emulator.cloud import Cloud
from emulator.errors import ApiError, StartError
from emulator.storage import resumable
from emulator.storage.xml import multipart_rows

Body = dict[str, Any]
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}")
# What lies beside the database and is no blob: bytes of open uploads, keys of service accounts.
BESIDE = ("uploads", "keys")
MANIFEST, DATABASE = "snapshot.json", "emulator.sqlite"
# States of Vertex AI's jobs and pipelines in which a process belongs to the row.
RUNNING = (
    "JOB_STATE_QUEUED", "JOB_STATE_PENDING", "JOB_STATE_RUNNING", "JOB_STATE_CANCELLING",
    "PIPELINE_STATE_QUEUED", "PIPELINE_STATE_PENDING", "PIPELINE_STATE_RUNNING",
    "PIPELINE_STATE_CANCELLING",
)  # fmt: skip
SHOWN = 5


def take(cloud: Cloud, name: str) -> Body:
    """Makes a snapshot; its description. ALREADY_EXISTS, or FAILED_PRECONDITION while jobs run.

    Requests go on meanwhile; only the copy of the database, as of one moment, holds them up.
    """
    target = _folder(cloud, name)
    if target.exists():
        raise ApiError("ALREADY_EXISTS", f"The snapshot {name} already exists.")
    target.parent.mkdir(mode=0o700, exist_ok=True)
    clear_unfinished(cloud)
    aside = target.parent / f".{uuid4().hex}"
    aside.mkdir(mode=0o700)
    try:
        with cloud.blobs.kept():
            with cloud.store.read():
                _check_idle(cloud)
                cloud.store.copy_to(aside / DATABASE)
                for folder in BESIDE:
                    _copy_files(cloud.settings.data_dir / folder, aside / folder)
            body = _describe(cloud, name, aside)
            (aside / MANIFEST).write_text(json.dumps(body, indent=2) + "\n", encoding="utf-8")
        aside.rename(target)
    except OSError as error:
        shutil.rmtree(aside, ignore_errors=True)
        if target.exists():
            raise ApiError("ALREADY_EXISTS", f"The snapshot {name} already exists.") from None
        raise error
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise
    return body


def restore(cloud: Cloud, name: str) -> Body:
    """Everything is as it was in a snapshot, which stays; its description. NOT_FOUND without it.

    Jobs and prediction servers of now are ended; those of the snapshot's endpoints are started.
    What is acknowledged stays whole: one commit of the database is the moment of the change.
    """
    source = _folder(cloud, name)
    body = _require(cloud, name)
    data = cloud.settings.data_dir
    cloud.jobs.remove_all()
    with cloud.blobs.kept():
        for blob in source.glob("blobs/??/*"):
            _link(blob, cloud.blobs.path(blob.name))
        for folder in BESIDE:
            _copy_files(source / folder, data / folder)
        try:
            cloud.store.replace_from(source / DATABASE)
        except StartError as error:
            raise ApiError("FAILED_PRECONDITION", str(error)) from None
        for file in filter(Path.is_file, source.glob("uploads/*")):
            os.truncate(data / "uploads" / file.name, file.stat().st_size)
    cloud.blobs.sweep()
    resumable.sweep(cloud)
    multipart_rows.sweep(cloud)
    cloud.jobs.resume()
    return body


def listed(cloud: Cloud) -> list[Body]:
    """The descriptions of all snapshots, oldest first."""
    found = [_read(path) for path in _home(cloud).glob(f"[!.]*/{MANIFEST}")]
    return sorted(found, key=lambda body: (body["createTime"], body["name"]))


def delete(cloud: Cloud, name: str) -> None:
    """One snapshot less. NOT_FOUND when there is none."""
    _require(cloud, name)
    gone = _home(cloud) / f".{uuid4().hex}"
    _folder(cloud, name).rename(gone)
    shutil.rmtree(gone)


def clear_unfinished(cloud: Cloud) -> None:
    """Removes what a crash left of a snapshot that was being made or deleted."""
    for path in _home(cloud).glob(f".{'[0-9a-f]' * 32}"):
        shutil.rmtree(path, ignore_errors=True)


def _check_idle(cloud: Cloud) -> None:
    """FAILED_PRECONDITION, naming it, while anything runs that a copy of rows would not hold."""
    marks = ", ".join("?" * len(RUNNING))
    with cloud.store.read() as db:
        running = [row[0] for row in db.execute("SELECT name FROM operations WHERE done = 0")]
        running += [
            row[0]
            for row in db.execute(
                "SELECT name FROM resources WHERE kind LIKE 'aiplatform.%'"
                f" AND json_extract(body, '$.state') IN ({marks})",
                RUNNING,
            )
        ]
    running += [
        job
        for job in cloud.jobs.ids()
        if not job.startswith(serving.JOB_PREFIX)
        and cloud.jobs.ending(job) is None
        and cloud.jobs.is_alive(job)
    ]
    if running:
        names = ", ".join(running[:SHOWN]) + (", …" if len(running) > SHOWN else "")
        raise ApiError(
            "FAILED_PRECONDITION",
            f"Not while something runs: {names}. Wait for its end, or cancel it.",
        )


def _describe(cloud: Cloud, name: str, folder: Path) -> Body:
    """Links the bytes that the copied rows refer to, and counts what there is."""
    database = sqlite3.connect(f"{(folder / DATABASE).as_uri()}?immutable=1", uri=True)
    try:
        blobs = size_bytes = 0
        for (sha256,) in database.execute("SELECT DISTINCT sha256 FROM blob_references"):
            path = cloud.blobs.path(sha256)
            _link(path, folder / "blobs" / sha256[:2] / sha256)
            blobs, size_bytes = blobs + 1, size_bytes + path.stat().st_size
        counts = {
            table: database.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0]
            for table in ("buckets", "objects", "resources")
        }
    finally:
        database.close()
    now = timestamp(cloud.clock.now())
    sizes = {"blobs": blobs, "sizeBytes": size_bytes}
    return {"name": name, "createTime": now, "version": __version__, **counts, **sizes}


def _link(source: Path, target: Path) -> None:
    """A second name for bytes that are never changed."""
    try:
        os.link(source, target)
    except FileExistsError:
        return
    except FileNotFoundError:
        target.parent.mkdir(parents=True, exist_ok=True)
        os.link(source, target)


def _copy_files(source: Path, target: Path) -> None:
    """Copies files that are only ever added or appended to; a longer one there stays as it is."""
    for file in filter(Path.is_file, source.glob("*")):
        target.mkdir(mode=0o700, exist_ok=True)
        there = target / file.name
        if there.exists() and there.stat().st_size >= file.stat().st_size:
            continue
        aside = target / f".{uuid4().hex}"
        shutil.copy2(file, aside)
        aside.replace(there)


def _require(cloud: Cloud, name: str) -> Body:
    path = _folder(cloud, name) / MANIFEST
    if not path.is_file():
        raise ApiError("NOT_FOUND", f"There is no snapshot {name}.")
    return _read(path)


def _read(path: Path) -> Body:
    body: Body = json.loads(path.read_text(encoding="utf-8"))
    return body


def _folder(cloud: Cloud, name: str) -> Path:
    if not NAME.fullmatch(name):
        raise ApiError(
            "INVALID_ARGUMENT",
            f"A snapshot's name has 1 to 63 letters, digits, - and _. Received: {name[:80]!r}.",
        )
    return _home(cloud) / name


def _home(cloud: Cloud) -> Path:
    return cloud.settings.data_dir / "snapshots"
