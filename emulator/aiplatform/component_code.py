"""Python functions of a pipeline, which the compiler puts into a container's command as text.

A container's own command is never executed; a function is run only with --run-user-code, by the
server's own Python and Kubeflow's own executor, if the package `kfp` is installed beside it.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

from emulator.aiplatform import names
from emulator.cloud import Cloud

Body = dict[str, Any]
SOURCE = "_componentSource"
EXECUTOR = "kfp.dsl.executor_main"
RUNNER = Path(__file__).parent.parent / "jobs" / "component_runner.py"
ADVICE = (
    "Start the server with --run-user-code, and with the package kfp installed beside it (pip "
    "install --no-deps kfp), to run Python functions of pipelines here; what they import must be "
    "installed too."
)


def source(command: list[str]) -> str:
    """The text of the function's module in a compiled component's command; empty for any other."""
    is_function = len(command) > 1 and any(EXECUTOR in part for part in command[:-1])
    return command[-1] if is_function else ""


def command(cloud: Cloud, body: Body) -> tuple[str, ...] | None:
    """The command that runs a job's function, which is a file of the job's folder from now on.

    None where user code may not run here, or cannot.
    """
    if not cloud.settings.run_user_code or importlib.util.find_spec("kfp") is None:
        return None
    file = cloud.jobs.path(names.last(body["name"])) / "component.py"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(body[SOURCE], encoding="utf-8")
    return (sys.executable, str(RUNNER), "--component_module_path", str(file))
