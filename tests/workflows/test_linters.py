"""What linters of workflows say; each exception is explained on its line in the workflow."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.local_cloud import ROOT, clean_environment

BIN = Path(sys.executable).parent
INSTALL = "go install github.com/rhysd/actionlint/cmd/actionlint@v1.7.12"


def test_zizmor_finds_nothing() -> None:
    """No audit of the strictest persona finds anything, without asking any network."""
    command = [str(BIN / "zizmor"), "--offline", "--persona=auditor", "--no-progress", ".github"]

    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=clean_environment())

    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_actionlint_finds_nothing() -> None:
    """The workflows are of GitHub's syntax, their expressions typed, their scripts clean."""
    found = shutil.which("actionlint")
    if found is None:
        pytest.skip(
            "needs actionlint: go install github.com/rhysd/actionlint/cmd/actionlint@v1.7.12"
        )

    ran = subprocess.run([found], cwd=ROOT, capture_output=True, text=True, env=clean_environment())

    assert ran.returncode == 0, ran.stdout + ran.stderr
