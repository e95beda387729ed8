"""`trainer.quiet`: what reaches standard error, and what does not."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.trainer.conftest import Rows
from tests.trainer.custom import few, write_manifest
from trainer.quiet import without_remarks

ROOT = Path(__file__).parents[2]
TROUBLE = b"free(): invalid pointer\n"
REMARKS = (
    b"INFO: Created TensorFlow Lite XNNPACK delegate for CPU.\n",
    b"WARNING: All log messages before absl::InitializeLog() is called are written to STDERR\n",
    b"I0000 00:00:1795286867.445858   27105 port.cc:153] oneDNN custom operations are on.\n",
    b"2026-11-21 18:49:00.1: I tensorflow/core/util/port.cc:153] oneDNN is on.\n",
    b"E0000 00:00:1795286867.445858   27105 cuda_dnn.cc:83] Unable to register cuDNN factory\n",
)


def test_remarks_are_dropped_and_troubles_come_out(capfd: pytest.CaptureFixture[str]) -> None:
    """Every known remark goes, what else is written comes out once the block ends."""
    with without_remarks():
        for line in (*REMARKS, TROUBLE):
            os.write(2, line)
        assert capfd.readouterr().err == ""

    assert capfd.readouterr().err == TROUBLE.decode()


def test_one_inside_another_loses_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    """The outer block's end is what counts; afterwards standard error is as it was."""
    with without_remarks():
        with without_remarks():
            os.write(2, TROUBLE)
        os.write(2, REMARKS[0])
    os.write(2, REMARKS[0])

    assert capfd.readouterr().err == TROUBLE.decode() + REMARKS[0].decode()


def test_a_traceback_within_comes_out_at_the_end() -> None:
    """A process that dies while another thread is inside still says why."""
    script = (
        "import threading\n"
        "from trainer.quiet import without_remarks\n"
        "inside = threading.Event()\n"
        "def stay():\n"
        "    with without_remarks():\n"
        "        inside.set()\n"
        "        threading.Event().wait()\n"
        "threading.Thread(target=stay, daemon=True).start()\n"
        "inside.wait()\n"
        "raise ValueError('no photo is a circle')\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=60
    )

    assert done.returncode == 1
    assert done.stderr.endswith("ValueError: no photo is a circle\n")


@pytest.mark.training
def test_a_training_leaves_standard_error_empty(digit_rows: Rows, tmp_path: Path) -> None:
    """A transfer uses LiteRT and TensorFlow; neither puts a line where it would count as ERROR."""
    manifest = write_manifest(tmp_path / "data", few(digit_rows, ("0", "1")))

    done = subprocess.run(
        [
            *(sys.executable, "-m", "trainer.task", f"--manifest={manifest}"),
            *("--model-type=transfer", "--unfreeze=tail", "--epochs=1"),
        ],
        cwd=ROOT,
        env={**os.environ, "AIP_MODEL_DIR": str(tmp_path / "model")},
        capture_output=True,
        text=True,
        timeout=300,
    )

    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
