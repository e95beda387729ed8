"""Starting and stopping: arguments, the data folder's files, one server per folder and port."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import psutil
import pytest

from emulator.arguments import parse
from tests.local_cloud import ROOT, LocalCloud, clean_environment, start_cloud, stop_cloud


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """A server that is expected not to start."""
    command = [sys.executable, "-m", "emulator", "serve", *arguments]
    return subprocess.run(
        command, cwd=ROOT, env=clean_environment(), capture_output=True, text=True, timeout=30
    )


def test_the_files_of_the_data_folder(start: Callable[..., LocalCloud]) -> None:
    """server.json tells who serves where, env leads the SDKs here, the key is the user's only."""
    cloud = start("--project", "photos-demo")

    server = json.loads((cloud.data / "server.json").read_text())
    key = json.loads((cloud.data / "service-account.json").read_text())
    mode = stat.S_IMODE((cloud.data / "service-account.json").stat().st_mode)
    process = psutil.Process(cloud.process.pid)

    assert server["pid"] == cloud.process.pid
    assert server["process_started"] == process.create_time()
    assert (server["url"], server["port"]) == (cloud.url, int(cloud.url.rsplit(":", 1)[1]))
    assert server["version"]
    assert key["token_uri"] == f"{cloud.url}/token"
    assert key["project_id"] == "photos-demo"
    assert mode == 0o600
    assert cloud.variables["STORAGE_EMULATOR_HOST"] == cloud.url
    assert cloud.variables["GOOGLE_APPLICATION_CREDENTIALS"] == str(
        cloud.data / "service-account.json"
    )
    assert cloud.variables["GOOGLE_STORAGE_CUSTOM_ENDPOINT"] == f"{cloud.url}/storage/v1/"
    assert list(cloud.variables) == sorted(cloud.variables)


def test_standard_output_is_one_line(tmp_path: Path) -> None:
    """Nothing but the ready line is printed, requests are answered from then on, SIGTERM is 0."""
    cloud = start_cloud(tmp_path / "data")

    assert httpx.get(f"{cloud.url}/_emulator/health").json()["status"] == "ok"
    cloud.process.send_signal(signal.SIGTERM)
    rest, _ = cloud.process.communicate(timeout=20)

    assert (cloud.process.returncode, rest) == (0, "")
    assert not (tmp_path / "data" / "server.json").exists()


def test_one_server_per_folder(start: Callable[..., LocalCloud]) -> None:
    """A second server on the folder ends with 1 and names the first one's pid and address."""
    cloud = start()

    second = run("--port", "0", "--data", str(cloud.data))

    assert second.returncode == 1
    assert second.stdout == ""
    assert second.stderr.splitlines() == [
        f"emulator: The data folder {cloud.data} already has a server: pid {cloud.process.pid} at "
        f"{cloud.url}. Use that one, stop it (kill {cloud.process.pid}), or give another folder "
        "with --data."
    ]
    assert httpx.get(f"{cloud.url}/_emulator/health").status_code == 200
    assert (cloud.data / "server.json").exists()


def test_a_port_in_use(tmp_path: Path) -> None:
    """A taken port is one line that says which, and what to type."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]

        refused = run("--port", str(port), "--data", str(tmp_path / "data"))

    assert refused.returncode == 1
    assert refused.stderr == (
        f"emulator: Port {port} of 127.0.0.1 is in use. Give another with --port, or --port 0 for "
        "a free one.\n"
    )


def test_a_killed_server_is_followed(tmp_path: Path) -> None:
    """After kill -9 the folder is free again, with the same key and the projects' numbers."""
    cloud = start_cloud(tmp_path / "data")
    before = httpx.get(f"{cloud.url}/v3/projects/some-project").json()
    key = json.loads((cloud.data / "service-account.json").read_text())["private_key"]
    cloud.process.kill()
    stop_cloud(cloud)

    cloud = start_cloud(tmp_path / "data")

    assert httpx.get(f"{cloud.url}/v3/projects/some-project").json() == before
    assert json.loads((cloud.data / "service-account.json").read_text())["private_key"] == key
    stop_cloud(cloud)


def test_memory_leaves_nothing(tmp_path: Path) -> None:
    """With --memory the folder is a private temporary one, gone when the server stops."""
    process = subprocess.Popen(
        [sys.executable, "-m", "emulator", "serve", "--port", "0", "--memory"],
        cwd=ROOT,
        env=clean_environment(TMPDIR=str(tmp_path)),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline().startswith("ready ")
    (folder,) = tmp_path.iterdir()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert not (folder / "emulator.sqlite").exists()

    process.terminate()
    process.communicate(timeout=20)

    assert list(tmp_path.iterdir()) == []


def test_a_newer_schema_is_refused(tmp_path: Path) -> None:
    """A folder written by a newer version is left alone, in words."""
    import sqlite3

    (tmp_path / "data").mkdir()
    with sqlite3.connect(tmp_path / "data" / "emulator.sqlite") as db:
        db.execute("PRAGMA user_version=9999")

    refused = run("--port", "0", "--data", str(tmp_path / "data"))

    assert refused.returncode == 1
    assert "written by a newer version (schema 9999" in refused.stderr


def test_a_folder_that_cannot_be(tmp_path: Path) -> None:
    """A file in the place of the data folder is one line, with what to type."""
    (tmp_path / "file").write_text("")

    refused = run("--port", "0", "--data", str(tmp_path / "file"))

    assert refused.returncode == 1
    assert refused.stderr == (
        f"emulator: Cannot use the data folder {tmp_path / 'file'}: File exists. "
        "Give another with --data.\n"
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ["--host", "example.org"],
        ["--allow-host", "a/b"],
        ["--run-user-code", "--host", "0.0.0.0"],
        ["--port", "70000"],
        ["--engine", "paint:x=y"],
        ["--engine", "train:x"],
        ["--seconds-per-node-hour", "0"],
        ["--data", "x", "--memory"],
    ],
)
def test_arguments_that_make_no_sense(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2 and a usage line that repeats what was received."""
    with pytest.raises(SystemExit) as stopped:
        parse(["serve", *arguments])

    assert stopped.value.code == 2
    assert arguments[0] in capsys.readouterr().err


def test_arguments_are_taken_as_the_design_says() -> None:
    """Every option of the start command, with its default."""
    options = parse(
        ["serve", "--port", "0", "--data", "d", "--engine", "train:a=b c", "--project", "p",
         "--project", "q", "--require-auth", "--fsync", "--seconds-per-node-hour", "2"]
    )  # fmt: skip
    plain = parse(["serve"])

    assert (options.engine, options.project) == (["train:a=b c"], ["p", "q"])
    assert (options.require_auth, options.fsync, options.seconds_per_node_hour) == (True, True, 2.0)
    assert (plain.host, plain.memory, plain.data) == ("127.0.0.1", False, None)
    assert plain.seconds_per_node_hour == 7.5


def test_with_fsync_everything_still_works(start: Callable[..., LocalCloud]) -> None:
    """Objects small and large go in and out when each write waits for the disk."""
    cloud = start("--fsync")
    with httpx.Client(base_url=cloud.url, timeout=60) as http:
        http.post("/storage/v1/b?project=p-1", json={"name": "synced"}).raise_for_status()
        for size in (10, 2_000_000):
            data = os.urandom(size)
            http.post(
                "/upload/storage/v1/b/synced/o?uploadType=media&name=x", content=data
            ).raise_for_status()
            assert http.get("/storage/v1/b/synced/o/x?alt=media").content == data


def test_a_project_that_can_be_none(tmp_path: Path) -> None:
    """--project with what is no id: one line that repeats it, and exit code 1."""
    command = [sys.executable, "-m", "emulator", "serve", "--port", "0", "--data", str(tmp_path)]
    ended = subprocess.run(
        [*command, "--project", "BAD PROJ!"], capture_output=True, text=True, timeout=30
    )

    assert (ended.returncode, ended.stdout) == (1, "")
    assert "Received: --project 'BAD PROJ!'." in ended.stderr
