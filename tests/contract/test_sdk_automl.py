"""Google's own SDKs, unmodified, against the emulator started alone."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.local_cloud import ROOT, LocalCloud, clean_environment


@pytest.mark.training
def test_a_sample_in_googles_style_trains_deploys_predicts_and_deletes(
    cloud: LocalCloud, digits: Path
) -> None:
    """The whole life of a model with google-cloud-aiplatform and -storage, and no `ops`."""
    command = [sys.executable, "examples/sdk_automl.py", "--photos", str(digits)]
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
