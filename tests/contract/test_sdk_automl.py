"""Google's own SDKs, unmodified, against the emulator started alone."""

import subprocess
import sys
from pathlib import Path

import pytest

from demo.digits import write_digits
from tests.local_cloud import ROOT, clean_environment, running_cloud


@pytest.mark.training
def test_a_sample_in_googles_style_trains_deploys_predicts_and_deletes(tmp_path: Path) -> None:
    """The whole life of a model with google-cloud-aiplatform and -storage, and no `ops`.

    On a server whose node hours are short, with as many photos as each split needs.
    """
    write_digits(tmp_path / "digits", limit_per_class=12)
    command = [sys.executable, "examples/sdk_automl.py", "--photos", str(tmp_path / "digits")]
    with running_cloud(tmp_path / "cloud", "--seconds-per-node-hour", "1") as cloud:
        result = subprocess.run(
            [*command, "--api-endpoint", cloud.url],
            cwd=ROOT,
            env=clean_environment(**cloud.variables),
            capture_output=True,
            text=True,
            timeout=400,
        )

    assert result.returncode == 0, result.stderr[-3000:]
    assert "auPrc" in result.stdout
    assert result.stdout.endswith("deleted endpoint, model, dataset and bucket\n")
