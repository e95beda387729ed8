"""The severities of Cloud Logging, by rank (LogSeverity in log_severity.proto)."""

from __future__ import annotations

RANKS = {
    "DEFAULT": 0,
    "DEBUG": 100,
    "INFO": 200,
    "NOTICE": 300,
    "WARNING": 400,
    "ERROR": 500,
    "CRITICAL": 600,
    "ALERT": 700,
    "EMERGENCY": 800,
}
# What Python and others write.
SYNONYMS = {"WARN": "WARNING", "FATAL": "CRITICAL", "ERR": "ERROR", "TRACE": "DEBUG"}


def severity(text: object) -> str | None:
    """The severity that a text names, in Cloud Logging's spelling, or None."""
    name = str(text).upper()
    name = SYNONYMS.get(name, name)
    return name if name in RANKS else None
