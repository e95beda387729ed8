"""Why a custom job ended badly, in the words of Google's own errors where they are known."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

from emulator.aiplatform import names
from emulator.aiplatform.automl_job import last_words
from emulator.cloud import Cloud
from emulator.errors import ApiError
from emulator.jobs import Ending
from emulator.resourcemanager import projects

REPLICA = "workerpool0-0"
OUT_OF_MEMORY_CODE = 137
TAIL_CHARACTERS = 1500


def failure(cloud: Cloud, name: str, ending: Ending) -> ApiError:
    """The error of a job that did not end with exit code 0."""
    if ending.reason == "timeout":
        message = "The job ran longer than its scheduling.timeout and was ended."
        return ApiError("DEADLINE_EXCEEDED", message)
    if ending.reason != "exited":
        said = f" {ending.message}" if ending.message else ""
        return ApiError("INTERNAL", f"The replica {REPLICA} was {ending.reason}.{said}")
    code = exit_status(ending.code)
    what = f"The replica {REPLICA} exited with a non-zero status of {code}."
    if code == OUT_OF_MEMORY_CODE:
        what = (
            f"The replica {REPLICA} ran out-of-memory and exited with a non-zero status of {code}."
        )
    tail = _tail(cloud.jobs.path(names.last(name)))
    reason = f" Termination reason: Error. \n{tail}" if tail else " "
    return ApiError("INVALID_ARGUMENT", f"{what}{reason}\n\n{_where(cloud, name)}")


def exit_status(code: int | None) -> int:
    """The exit status as a container has it: a signal counts from 128."""
    if code is None:
        return 1
    return 128 - code if code < 0 else code


def _tail(folder: Path) -> str:
    """The end of a traceback, else the last error that was logged, else the last that was said."""
    try:
        text = (folder / "stderr.log").read_text(errors="replace").rstrip()
    except FileNotFoundError:
        text = ""
    _, found, traceback = text.rpartition("Traceback (most recent call last):")
    if not found:
        return last_words(folder)
    if len(traceback) <= TAIL_CHARACTERS:
        return found + traceback
    return f"{found}\n  [...]\n{traceback[-TAIL_CHARACTERS:].partition(chr(10))[2]}"


def _where(cloud: Cloud, name: str) -> str:
    project, job = names.location(name).project, names.last(name)
    query = f'resource.type="ml_job"\nresource.labels.job_id="{job}"'
    return (
        "To find out more about why your job exited please check the logs: "
        "https://console.cloud.google.com/logs/viewer?project="
        f"{projects.number(cloud, project)}&resource=ml_job%2Fjob_id%2F{job}"
        f"&advancedFilter={quote(query, safe='')}"
    )
