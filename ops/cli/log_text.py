"""A log entry as a line."""

from __future__ import annotations

from ops.cloud.logs import Entry


def line(entry: Entry) -> str:
    """Time (UTC), severity and message; the fields where there is no message. --json has both."""
    source = "" if entry.source.startswith("workerpool") else f"[{entry.source}] "
    fields = "  ".join(f"{name}={value}" for name, value in entry.fields.items())
    return f"{entry.at:%H:%M:%S} {entry.severity:<8} {source}{entry.message or fields}"
