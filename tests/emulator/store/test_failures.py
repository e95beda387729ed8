"""Damage and a full disk: said in a sentence, at the start and for a request."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from emulator.cloud import Cloud
from emulator.errors import StartError
from emulator.store.sqlite import Store
from tests.emulator.store.test_full_disk import fill, running, small_disk
from tests.local_cloud import ROOT, clean_environment

__all__ = ["small_disk"]
UPLOAD = "/upload/storage/v1/b/full/o?uploadType=media&name="
FULL = {"x-emulator-fault": "disk-full"}


def test_a_damaged_database(tmp_path: Path) -> None:
    """A file that is no database is named, with what to do; it is left as it is."""
    path = tmp_path / "emulator.sqlite"
    path.write_bytes(b"not a database" * 1000)

    with pytest.raises(StartError, match=r"emulator.sqlite is damaged \(file is not a database\)"):
        Store.open(path)

    assert path.read_bytes() == b"not a database" * 1000


def test_a_database_that_cannot_be_opened(tmp_path: Path) -> None:
    """One that SQLite cannot open is one sentence too."""
    (tmp_path / "emulator.sqlite").mkdir()

    with pytest.raises(StartError, match=r"cannot be opened \(unable to open database file\)"):
        Store.open(tmp_path / "emulator.sqlite")


def test_a_start_without_a_byte(small_disk: Path) -> None:
    """On a disk with nothing left a server ends with one line, of a new folder or an old one."""
    with running(small_disk / "old") as (_, http):
        http.post("/storage/v1/b?project=p-1", json={"name": "kept"}).raise_for_status()
    fill(small_disk / "ballast")

    for name in ("old", "new"):
        command = [sys.executable, "-m", "emulator", "serve", "--port", "0"]
        data = ["--data", str(small_disk / name)]
        ended = subprocess.Popen(
            [*command, *data],
            cwd=ROOT,
            env=clean_environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            _, said = ended.communicate(timeout=30)
        finally:
            ended.kill()

        assert ended.returncode == 1, said
        assert "Traceback" not in said
        assert said.startswith("emulator: "), said
        assert "full" in said or "No space left" in said


def test_a_disk_full_of_rows(local_http: TestClient) -> None:
    """With `disk-full` nothing is written, bytes that are there already or rows alone included."""
    local_http.post("/storage/v1/b?project=p-1", json={"name": "full"})
    local_http.post(f"{UPLOAD}x", content=b"x")
    object_x, copy = "/storage/v1/b/full/o/x", "/storage/v1/b/full/o/x/copyTo/b/full/o/z"

    answers = [
        local_http.post(f"{UPLOAD}y", content=b"x", headers=FULL),
        local_http.post(copy, headers=FULL),
        local_http.patch(object_x, json={"metadata": {"a": "b"}}, headers=FULL),
        local_http.post("/storage/v1/b?project=p-1", json={"name": "new"}, headers=FULL),
        local_http.put("/xml-bucket", headers=FULL),
    ]

    assert [answer.status_code for answer in answers] == [507] * 5
    listed = local_http.get("/storage/v1/b/full/o", headers=FULL).json()["items"]
    assert [(item["name"], item.get("metadata")) for item in listed] == [("x", None)]
    assert local_http.delete(object_x, headers=FULL).status_code == 204


def test_bytes_that_somebody_removed(local: Cloud, local_http: TestClient) -> None:
    """An object whose file is gone is 500 with a sentence that names the file."""
    local_http.post("/storage/v1/b?project=p-1", json={"name": "full"})
    local_http.post(f"{UPLOAD}x", content=b"x")
    (file,) = (local.settings.data_dir / "blobs").glob("??/*")
    file.unlink()

    answer = local_http.get("/storage/v1/b/full/o/x?alt=media")

    assert answer.status_code == 500
    message = answer.json()["error"]["message"]
    assert f"somebody removed the file blobs/{file.parent.name}/{file.name}" in message
