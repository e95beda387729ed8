"""A log entry as a line."""

from __future__ import annotations

from ops.cloud.logs import Entry


def line(entry: Entry) -> str:
    """Time (UTC), severity, message, and the other fields as `name=value`."""
    more = "".join(f"  {name}={_short(value)}" for name, value in entry.fields.items())
    source = "" if entry.source.startswith("workerpool") else f"[{entry.source}] "
    return f"{entry.at:%H:%M:%S} {entry.severity:<8} {source}{entry.message}{more}"


def _short(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
