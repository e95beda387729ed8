"""`python -m emulator stop`: who stops a server is told what goes on, and can end that too."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import psutil

from emulator.jobs.spec import read_json
from tests.emulator.custom import begin_job, custom_engines
from tests.emulator.vertex import Vertex
from tests.local_cloud import ROOT, clean_environment, start_cloud, stop_cloud, wait_until


def stop(data: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """A run of the command."""
    return subprocess.run(
        [sys.executable, "-m", "emulator", "stop", *options, "--data", str(data)],
        cwd=ROOT,
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_a_job_outlives_its_server_until_it_is_ended(tmp_path: Path) -> None:
    """Told by the command and in the server's log; `--jobs` ends it, and then nothing runs."""
    cloud = start_cloud(tmp_path / "data", *custom_engines())
    try:
        vertex = Vertex(cloud.url, "stopping")
        job = begin_job(vertex, "sleep", "600")
        wait_until(lambda: vertex.get(job)["state"] == "JOB_STATE_RUNNING")
        folder = cloud.data / "jobs" / job.rsplit("/", 1)[1]
        wait_until(lambda: "childPid" in (read_json(folder / "supervisor.json") or {}))
        child = (read_json(folder / "supervisor.json") or {})["childPid"]

        first = stop(cloud.data)
        cloud.process.wait(timeout=20)
        went_on = psutil.pid_exists(child)
        second = stop(cloud.data, "--jobs")
        third = stop(cloud.data, "--jobs")
    finally:
        stop_cloud(cloud)

    told = (
        "1 job goes on; the next server of this folder takes them up. "
        f"To end them: python -m emulator stop --jobs --data {cloud.data}"
    )
    assert first.stdout == f"Stopped the server (pid {cloud.process.pid}).\n{told}\n"
    assert told in (tmp_path / "data.log").read_text()
    assert went_on and not psutil.pid_exists(child)
    assert second.stdout == "No server ran.\nEnded 1 job.\n"
    assert third.stdout == "No server ran.\nNo job and no model server ran.\n"


def test_a_folder_without_data(tmp_path: Path) -> None:
    """There is nothing to stop; the folder is not made."""
    result = stop(tmp_path / "none")

    assert (result.returncode, result.stdout) == (1, "")
    assert "There is no server's data in" in result.stderr
    assert not (tmp_path / "none").exists()
