"""Faults of a job: no machine for it, or a death of its process; asked for where it is created.

The fault travels in the context of the request to the task that follows the job, so it meets that
job and no other. A death is written into the job's own spec, and outlives the server.
"""

from __future__ import annotations

import re
from contextvars import ContextVar
from dataclasses import replace
from typing import Any

from emulator.errors import ApiError
from emulator.faults import Fault

# Vertex AI, field reports (openreview/openreview-expertise#401, 2022; Google's forum, 2023-26).
STOCKOUT = (
    "Resources are insufficient in region: {region}. Please try a different region or use a "
    "different accelerator."
)
QUOTA = (
    "The following quota metrics exceed quota limits: "
    "aiplatform.googleapis.com/custom_model_training_cpus"
)

_REGION = re.compile(r"/locations/([^/]+)/")

_fault: ContextVar[Fault | None] = ContextVar("job_fault", default=None)


def ask(fault: Fault, path: str) -> None:
    """The job that the request to this path creates meets the fault."""
    if fault.job == "stockout" and not fault.message:
        found = _REGION.search(path)
        region = found[1] if found else "us-central1"
        fault = replace(fault, message=STOCKOUT.format(region=region))
    _fault.set(fault)


def check_stock() -> None:
    """Raises RESOURCE_EXHAUSTED, as a job's error has it, where there is no machine for it."""
    fault = _fault.get()
    if fault is not None and fault.job == "stockout":
        _fault.set(None)
        raise ApiError("RESOURCE_EXHAUSTED", fault.message)


def death() -> dict[str, Any] | None:
    """When and how the process that is about to be started dies, for its supervisor; or None."""
    fault = _fault.get()
    if fault is None or fault.job != "die":
        return None
    _fault.set(None)
    return {"afterSeconds": fault.after_seconds, "exitCode": fault.exit_code}
