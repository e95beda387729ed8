"""kill -9 of the server during a tuning job: the trials go on, and none is run twice."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

from tests.emulator.custom import ended, log
from tests.emulator.tuning import begin_tuning, parameters, study, tuning_engines, tuning_job
from tests.emulator.vertex import Vertex
from tests.local_cloud import LocalCloud, start_cloud, stop_cloud, wait_until


def kill(cloud: LocalCloud) -> None:
    """SIGKILL, with no chance to tidy up."""
    os.kill(cloud.process.pid, signal.SIGKILL)
    cloud.process.wait()
    if cloud.process.stdout:
        cloud.process.stdout.close()


def test_trials_are_adopted_and_none_runs_twice(tmp_path: Path) -> None:
    """Killed while two trials run and then at random instants: four trials, each once."""
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    instants = random.Random(seed)
    cloud = start_cloud(tmp_path / "data", *tuning_engines())
    try:
        vertex = Vertex(cloud.url, "kill-nine")
        body = tuning_job(study(), "--wait=gate", "--report=units*rate", trials=4)
        name = begin_tuning(vertex, body)
        wait_until(lambda: len(vertex.get(name).get("trials", [])) == 2)
        kill(cloud)
        (tmp_path / "data" / "jobs" / "gate").touch()
        for _ in range(2):
            cloud = start_cloud(tmp_path / "data", *tuning_engines())
            time.sleep(instants.uniform(0, 0.5))  # the instant of the kill, not a wait
            kill(cloud)
        cloud = start_cloud(tmp_path / "data", *tuning_engines())
        vertex = Vertex(cloud.url, "kill-nine")

        job = ended(vertex, name)

        assert job["state"] == "JOB_STATE_SUCCEEDED", job
        assert [trial["state"] for trial in job["trials"]] == ["SUCCEEDED"] * 4
        jobs = vertex.get(f"{vertex.parent}/customJobs")["customJobs"]
        assert sorted(one["name"] for one in jobs) == sorted(
            trial["customJob"] for trial in job["trials"]
        )
        for trial in job["trials"]:
            given = parameters(trial)
            (metric,) = trial["finalMeasurement"]["metrics"]
            assert abs(metric["value"] - given["units"] * given["rate"]) < 1e-9
            assert len(trial["measurements"]) == 1
            assert len(log(vertex, trial["customJob"], 'textPayload:"accuracy is"')) == 1
    finally:
        if cloud.process.poll() is None:
            stop_cloud(cloud)
