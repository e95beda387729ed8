"""A training that lasts: what `ops` says when the cloud, or the user, stops it."""

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ops.life import Life, ended, interrupted, living, until_said

TAKE_UP = "Type the same command again: it takes up what exists.\n"


@pytest.fixture
def life(tmp_path: Path) -> Iterator[Life]:
    """A user whose trainings wait at the gate."""
    with living(tmp_path) as user:
        user.gate.unlink()
        yield user


@pytest.fixture
def training(life: Life) -> Iterator[subprocess.Popen[str]]:
    """`ops train`, watching."""
    with life.begin("train") as process:
        until_said(process, "Training: running")
        yield process
        process.kill()


def test_a_killed_cloud_is_said_with_what_to_type(
    training: subprocess.Popen[str], life: Life
) -> None:
    """The message names the address and the hint is the same command; the exit code is 6."""
    os.kill(life.cloud.process.pid, signal.SIGKILL)

    ran = ended(training)

    assert ran.err.splitlines()[-2:] == [
        f"Error: The local Google Cloud at {life.cloud.url} does not answer: it was stopped or "
        "killed.",
        "Type the same command again: it starts the local Google Cloud and takes up what exists.",
    ]
    assert ran.code == 6


def test_ctrl_c_says_what_goes_on(training: subprocess.Popen[str]) -> None:
    """The training goes on, and the same command takes it up; the exit code is 130."""
    ran = interrupted(training)

    last = "".join(f"{line}\n" for line in ran.err.splitlines()[-2:])
    assert re.fullmatch(rf"Error: Interrupted\. .*train-\S+ goes on.*\n{TAKE_UP}", last), last
    assert ran.code == 130


def test_stopping_the_cloud_says_that_a_training_goes_on(
    training: subprocess.Popen[str], life: Life
) -> None:
    """One job is counted, and the way to end it is named."""
    training.kill()

    stopped = life.run("emulator", "stop")

    assert stopped.out == (
        f"Stopped the one at {life.cloud.url}.\n"
        "1 training or prediction server goes on. "
        "To end them, with all that is stored: ops emulator reset\n"
    )
