"""The lines that a job writes become log entries, each once, while it runs and after it."""

from __future__ import annotations

from pathlib import Path

from emulator.aiplatform import names
from emulator.cloud import Cloud
from emulator.logging import entries

# Cloud Logging takes entries of up to 256 KB ("Quotas and limits").
MAX_LINE_BYTES = 256 * 1024
MAX_READ_BYTES = 4 << 20


def collect(cloud: Cloud, job: str, *, is_over: bool = False) -> None:
    """Every new line of the custom job of that name is an entry. Blocks.

    A line that is not finished yet waits; `is_over`: nobody will finish it.
    """
    folder = cloud.jobs.path(names.last(job))
    for stream in (entries.STDOUT, entries.STDERR):
        while _collect(cloud, job, stream, folder / f"{stream}.log", is_over=is_over):
            pass


def _collect(cloud: Cloud, job: str, stream: str, path: Path, *, is_over: bool) -> bool:
    """Whether there was anything new: stored with the new position, so that it comes once."""
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
        entries.add(cloud, job, [entries.from_line(line, stream) for line in lines])
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
