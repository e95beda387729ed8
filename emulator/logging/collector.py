"""The lines that a job writes become log entries, each once, while it runs and after it."""

from __future__ import annotations

from pathlib import Path

from emulator.aiplatform import names
from emulator.cloud import Cloud
from emulator.iam import enforce, targets
from emulator.logging import entries
from emulator.tokens import Caller

# Cloud Logging takes entries of up to 256 KB ("Quotas and limits").
MAX_LINE_BYTES = 256 * 1024
MAX_READ_BYTES = 4 << 20
# The custom code agent has it by its role, so the logs are the account's that a job runs as
# (docs.cloud.google.com/iam/docs/roles-permissions/aiplatform, as of 2026-08-22).
WRITE = "logging.logEntries.create"
LOST = (
    "Permission '{permission}' denied on resource '//logging.googleapis.com/projects/{project}' "
    "(or it may not exist). What the job writes is not kept: {email} lacks it."
)


def collect(cloud: Cloud, job: str, *, is_over: bool = False) -> None:
    """Every new line of the custom job of that name is an entry, if its account may write logs.

    A line that is not finished yet waits; `is_over`: nobody will finish it. Blocks.
    """
    folder, refusal = cloud.jobs.path(names.last(job)), _refusal(cloud, job)
    for stream in (entries.STDOUT, entries.STDERR):
        path = folder / f"{stream}.log"
        while _collect(cloud, job, stream, path, refusal, is_over=is_over):
            pass


def _refusal(cloud: Cloud, job: str) -> str:
    """Why the job's account may not write logs; empty when it may, as Google's own always may."""
    email = str((cloud.resources.get(job) or {}).get("jobSpec", {}).get("serviceAccount") or "")
    project = names.location(job).project
    target = targets.project(project, "logging.googleapis.com")
    if not email or enforce.allowed(cloud, Caller(email, owner=False), WRITE, target):
        return ""
    return LOST.format(permission=WRITE, project=project, email=email)


def _collect(
    cloud: Cloud, job: str, stream: str, path: Path, refusal: str, *, is_over: bool
) -> bool:
    """Whether there was anything new: stored with the new position, so that it comes once.

    With a refusal it is lost; the log has that instead, once a stream.
    """
    with cloud.store.transaction() as db:
        key = (names.last(job), stream)
        kept = db.execute(
            "SELECT position FROM log_positions WHERE job = ? AND stream = ?", key
        ).fetchone()
        position = kept[0] if kept else 0
        data = _read(path, position, is_over=is_over)
        if not data:
            return False
        lines = [line for line in data.decode(errors="replace").split("\n") if line.strip()]
        if not refusal:
            entries.add(cloud, job, [entries.from_line(line, stream) for line in lines])
        elif position == 0:
            entries.service(cloud, job, refusal, "WARNING")
        values = (*key, position + len(data))
        db.execute("INSERT OR REPLACE INTO log_positions VALUES (?, ?, ?)", values)
    return True


def _read(path: Path, position: int, *, is_over: bool) -> bytes:
    """The whole lines behind a position; a line that is too long, or the last of all, as it is."""
    try:
        with path.open("rb") as file:
            file.seek(position)
            data = file.read(MAX_READ_BYTES)
    except FileNotFoundError:
        return b""
    end = data.rfind(b"\n") + 1
    if end == 0 and len(data) > MAX_LINE_BYTES:
        return data[:MAX_LINE_BYTES]
    return data if is_over and end == 0 else data[:end]
