"""A training that does not end: what `ops` says when the cloud, or the user, stops it."""

import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ops.cloud import emulator
from tests.local_cloud import LocalCloud, clean_environment, running_cloud

OPS = Path(sys.executable).with_name("ops")
ENDLESS = shlex.join([sys.executable, "-c", "import time; time.sleep(600)"])
TAKE_UP = "Type the same command again: it takes up what exists.\n"


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[LocalCloud]:
    """A local cloud whose trainings never end by themselves."""
    engine = f"train:automl_image_classification={ENDLESS}"
    with running_cloud(tmp_path / "cloud", "--engine", engine) as server:
        yield server
        emulator.stop(server.data)


@pytest.fixture
def training(cloud: LocalCloud, digits: Path) -> Iterator[subprocess.Popen[str]]:
    """`ops train`, watching."""
    environ = clean_environment(OPS_EMULATOR_DATA=str(cloud.data))
    subprocess.run([OPS, "import-dataset", digits], env=environ, check=True, capture_output=True)
    with subprocess.Popen(
        [OPS, "train"], env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        while "Training: running" not in (line := process.stderr.readline()):
            assert line, "the training ended before it ran"
        yield process
        process.kill()


def last_words(process: subprocess.Popen[str]) -> str:
    """What it says from now on, without progress."""
    _, err = process.communicate(timeout=60)
    return re.sub(r"(?m)^Training: .*\n", "", err)


def test_a_killed_cloud_is_said_with_what_to_type(
    training: subprocess.Popen[str], cloud: LocalCloud
) -> None:
    """The message names the address and the hint is the same command; the exit code is 6."""
    os.kill(cloud.process.pid, signal.SIGKILL)

    assert last_words(training) == (
        f"Error: The local Google Cloud at {cloud.url} does not answer: it was stopped or "
        "killed.\n"
        "Type the same command again: it starts the local Google Cloud and takes up what "
        "exists.\n"
    )
    assert training.returncode == 6


def test_ctrl_c_says_what_goes_on(training: subprocess.Popen[str]) -> None:
    """The training goes on, and the same command takes it up; the exit code is 130."""
    training.send_signal(signal.SIGINT)

    said = last_words(training)

    assert re.fullmatch(rf"Error: Interrupted\. .*train-\S+ goes on.*\n{TAKE_UP}", said), said
    assert training.returncode == 130
