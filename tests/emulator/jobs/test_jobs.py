"""Jobs and their supervisors as real processes."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from emulator.jobs import Ending, Jobs, JobSpec
from emulator.jobs.spec import read_json
from tests.local_cloud import wait_until


@pytest.fixture
def jobs(tmp_path: Path) -> Iterator[Jobs]:
    """The jobs of an empty folder; all are ended at the end."""
    made = Jobs(tmp_path / "jobs")
    made.folder.mkdir()
    yield made
    made.remove_all()


def run(jobs: Jobs, code: str, **more: float) -> Ending:
    """How a job that runs this Python code ended."""
    jobs.launch(spec(code, **more))
    return asyncio.run(jobs.finished("job"))


def spec(code: str, timeout_seconds: float | None = 30, grace_seconds: float = 5) -> JobSpec:
    """A job that runs Python code."""
    command = (sys.executable, "-c", code)
    return JobSpec("job", command, {"GIVEN": "yes"}, timeout_seconds, grace_seconds)


def test_a_job_logs_and_ends_with_its_exit_code(jobs: Jobs) -> None:
    """Both outputs are in files, the code is told, the environment is what the spec says."""
    code = "import os, sys; print(os.environ['GIVEN']); print('no', file=sys.stderr); sys.exit(3)"

    ending = run(jobs, code)

    assert (ending.reason, ending.code, ending.is_success) == ("exited", 3, False)
    assert (jobs.path("job") / "stdout.log").read_text() == "yes\n"
    assert (jobs.path("job") / "stderr.log").read_text() == "no\n"


def test_a_job_inherits_nothing_that_leads_to_a_real_cloud(
    jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Credentials and endpoints of the server's own environment do not reach the job."""
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/secret.json")
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", "http://elsewhere")

    run(jobs, "import json, os; print(json.dumps(dict(os.environ)))")

    seen = json.loads((jobs.path("job") / "stdout.log").read_text())
    assert "GOOGLE_APPLICATION_CREDENTIALS" not in seen and "STORAGE_EMULATOR_HOST" not in seen


def test_a_job_over_its_time_is_asked_and_then_ended(jobs: Jobs) -> None:
    """SIGTERM first; one that does not listen is killed with all it started."""
    code = (
        "import signal, subprocess, sys, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: print('asked', flush=True))\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "print(child.pid, flush=True)\n"
        "while True: time.sleep(1)\n"
    )

    ending = run(jobs, code, timeout_seconds=0.7, grace_seconds=0.3)

    pid, asked = (jobs.path("job") / "stdout.log").read_text().split()
    assert (ending.reason, ending.code, asked) == ("timeout", -9, "asked")
    wait_until(lambda: not is_running(int(pid)))


def test_a_command_that_is_not_there_is_told(jobs: Jobs) -> None:
    """The reason names the command."""
    jobs.launch(JobSpec("job", ("no-such-command",), {}))

    ending = asyncio.run(jobs.finished("job"))

    assert ending.reason == "not_started" and "no-such-command" in ending.message


def test_a_cancelled_job_ends(jobs: Jobs) -> None:
    """Asked to end, a job ends as cancelled."""
    jobs.launch(spec("import time; time.sleep(60)"))

    ending = asyncio.run(jobs.finished("job", lambda: True))

    assert ending.reason == "cancelled"


def test_a_job_is_never_there_twice(jobs: Jobs) -> None:
    """Two servers that launch the same job get one process: the lock decides."""
    code = "import os, time; print(os.getpid(), flush=True); time.sleep(0.5)"
    others = Jobs(jobs.folder)
    jobs.launch(spec(code))
    others.launch(spec(code))

    ending = asyncio.run(others.finished("job"))

    assert ending.is_success
    assert len((jobs.path("job") / "stdout.log").read_text().split()) == 1


def test_a_job_is_found_again_by_another_server(jobs: Jobs) -> None:
    """What a second server knows of a job is in its folder: alive, then its end."""
    jobs.launch(spec("import time; time.sleep(0.5)"))
    wait_until(lambda: jobs.was_supervised("job"))

    other = Jobs(jobs.folder)

    assert other.is_alive("job")
    assert asyncio.run(other.finished("job")).is_success


def test_a_lost_supervisor_is_told_and_takes_its_job_along(jobs: Jobs) -> None:
    """Its supervisor killed, the job is ended too and its ending says `lost`."""
    jobs.launch(spec("import time; time.sleep(60)"))
    path = jobs.path("job") / "supervisor.json"
    wait_until(lambda: "childPid" in (read_json(path) or {}))
    known = read_json(path) or {}
    os.kill(known["pid"], 9)

    ending = asyncio.run(jobs.finished("job"))

    assert ending.reason == "lost"
    wait_until(lambda: not is_running(known["childPid"]))


def test_a_pid_that_is_somebody_elses_by_now_is_left_alone(jobs: Jobs) -> None:
    """A record with this process's pid and another start time is a job that is gone."""
    folder = jobs.path("job")
    folder.mkdir()
    record = {"pid": os.getpid(), "processStarted": 1.0}
    record |= {"childPid": os.getpid(), "childStarted": 1.0}
    (folder / "supervisor.json").write_text(json.dumps(record))

    assert not jobs.is_alive("job")
    assert asyncio.run(jobs.finished("job")).reason == "lost"


def is_running(pid: int) -> bool:
    """Whether a process runs; one that has ended and waits to be collected does not."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
