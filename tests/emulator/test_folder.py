"""The data folder: whose it must be, and what in it is left alone."""

from __future__ import annotations

import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from emulator.errors import StartError
from emulator.folder import DataFolder
from tests.local_cloud import LocalCloud

FOREIGN = {
    "blobs/ab/mine.bin": "m",
    "blobs/tmp/mine.tmp": "t",
    "uploads/pic.jpg": "p",
    "uploads/album/pic.jpg": "a",
    "jobs/mine/w.txt": "w",
    "jobs/batch-mine/w.txt": "b",
    "jobs/serve-mine/w.txt": "s",
    "keys/mine.pem": "k",
    "snapshots/.mine/x": "x",
}


def put(folder: Path, files: dict[str, str]) -> None:
    """Writes a user's own files into a folder."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def contents(folder: Path) -> dict[str, str]:
    """Every file of a folder, by its path in it."""
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): path.read_text("latin-1") for path in paths}


@pytest.mark.parametrize("name", ["env", "service-account.json", "uploads/pic.jpg"])
def test_a_folder_of_other_files_is_refused(tmp_path: Path, name: str) -> None:
    """A user's own folder is not taken: nothing of it changes, and a folder to give is said."""
    put(tmp_path, {name: "mine"})
    tmp_path.chmod(0o755)

    with pytest.raises(StartError, match=r"holds other files .* such as --data /.*/local-cloud"):
        DataFolder(tmp_path)

    assert contents(tmp_path) == {name: "mine"}
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755


@pytest.mark.parametrize(
    "names", [[], ["lock"], ["ops-start.lock", "server.log"], ["emulator.sqlite", "env", "x.log"]]
)
def test_a_folder_of_ours_is_taken(tmp_path: Path, names: list[str]) -> None:
    """An empty folder, what `ops` or a killed start left, and one that a server has made."""
    put(tmp_path, dict.fromkeys(names, ""))

    DataFolder(tmp_path).release()

    assert {*names, "lock"} == {path.name for path in tmp_path.iterdir()}


def test_a_link_in_a_folder_of_it(tmp_path: Path) -> None:
    """A symbolic link directly in one of its folders stops the start as well."""
    (tmp_path / "data" / "blobs").mkdir(parents=True)
    (tmp_path / "data" / "emulator.sqlite").touch()
    (tmp_path / "data" / "blobs" / "aa").symlink_to(tmp_path)

    with pytest.raises(StartError, match="blobs/aa is a symbolic link"):
        DataFolder(tmp_path / "data")


def test_foreign_files_are_never_removed(start: Callable[..., LocalCloud]) -> None:
    """What somebody put into a data folder outlives start, snapshot, restore and reset."""
    cloud = start()
    cloud.process.terminate()
    cloud.process.wait(timeout=20)
    put(cloud.data, FOREIGN)

    again = start()
    with httpx.Client(base_url=f"{again.url}/_emulator") as http:
        http.post("/snapshot", json={"name": "one"}).raise_for_status()
        http.post("/restore", json={"name": "one"}).raise_for_status()
        http.post("/reset").raise_for_status()

    assert contents(again.data).items() >= FOREIGN.items()


def test_env_is_for_the_shell(start: Callable[..., LocalCloud]) -> None:
    """A path with spaces and quotes reaches a shell that reads `env`; plain values stay plain."""
    cloud = start(name="it's a $HOME cloud")
    script = 'set -a; . "$1/env"; set +a; printf %s "$GOOGLE_APPLICATION_CREDENTIALS"'

    said = subprocess.run(
        ["sh", "-c", script, "sh", str(cloud.data)], capture_output=True, text=True, check=True
    )

    key_file = str(cloud.data / "service-account.json")
    assert (said.stdout, said.stderr) == (key_file, "")
    assert cloud.variables["GOOGLE_APPLICATION_CREDENTIALS"] == key_file
    assert f"STORAGE_EMULATOR_HOST={cloud.url}\n" in (cloud.data / "env").read_text()
