"""What only the local target needs: the emulator, and its port."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec

from ops.cloud import emulator
from ops.settings import EMULATOR_PORT
from ops.workflows.doctor_check import Case, Check, Level


def local_cloud(case: Case) -> Check:
    """The local Google Cloud: running, or able to start on its port."""
    server = emulator.find(case.settings.emulator_data)
    if server is not None:
        return Check("Local cloud", Level.OK, f"runs at {server.url}")
    port = case.settings.emulator_port
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
    case: Case,  # noqa: ARG001
    installed: Callable[[str], bool] = lambda name: find_spec(name) is not None,
) -> Check:
    """The module that is the local Google Cloud."""
    if installed("emulator"):
        return Check("Emulator", Level.OK, "installed")
    return Check("Emulator", Level.FAILURE, "module emulator not found", "make setup")
