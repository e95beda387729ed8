"""The trainer as a trial of a tuning job of the local cloud: what it reports is what is judged."""

import sys
from pathlib import Path
from uuid import uuid4

import pytest

from tests.emulator.custom import ended
from tests.emulator.tuning import begin_tuning, parameters, study, tuning_job
from tests.emulator.vertex import Body, Vertex
from tests.local_cloud import running_cloud
from tests.trainer.custom import few, write_manifest

RATE: Body = {
    "parameterId": "learning-rate",
    "doubleValueSpec": {"minValue": 1e-7, "maxValue": 0.01},
    "scaleType": "UNIT_LOG_SCALE",
}


@pytest.mark.training
def test_each_epoch_of_a_trial_is_a_measurement(tmp_path: Path) -> None:
    """Two trials of three epochs: steps 1 to 3 with validation accuracies, the last one counts."""
    from demo.digits import write_digits
    from tests.trainer.conftest import split_folder

    write_digits(tmp_path / "digits", limit_per_class=18)
    rows = split_folder(tmp_path / "digits", {"training": 8, "validation": 5, "test": 5})
    manifest = write_manifest(tmp_path / "data", few(rows))
    engine = f"train:*/trainer={sys.executable} -m trainer.task"
    args = (f"--manifest={manifest}", "--model-type=linear", "--epochs=3", "--patience=0")

    with running_cloud(tmp_path / "cloud", "--engine", engine) as cloud:
        vertex = Vertex(cloud.url, f"project-{uuid4().hex[:10]}")
        base = f"gs://{vertex.bucket(f'bucket-{uuid4().hex[:10]}')}/tuning"
        name = begin_tuning(vertex, tuning_job(study(RATE), *args, base=base, trials=2))
        job = ended(vertex, name, max_seconds=300)

    assert job["state"] == "JOB_STATE_SUCCEEDED", job
    assert len(job["trials"]) == 2
    for trial in job["trials"]:
        assert 1e-7 <= parameters(trial)["learning-rate"] <= 0.01
        assert [one["stepCount"] for one in trial["measurements"]] == ["1", "2", "3"]
        found = [one["metrics"][0] for one in trial["measurements"]]
        assert all(one["metricId"] == "accuracy" and 0 <= one["value"] <= 1 for one in found)
        assert trial["finalMeasurement"]["metrics"] == [found[-1]]
