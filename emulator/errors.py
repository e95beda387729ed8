"""Errors that become answers.

ApiError            a refusal with one of Google's canonical statuses; every API can shape it
  StorageError      (storage/errors.py) Cloud Storage's own HTTP code and reason
StartError          the server cannot start; printed as one line by `python -m emulator`
"""

from __future__ import annotations

from typing import Any

# google/rpc/code.proto: canonical status -> (HTTP code, gRPC code).
CODES: dict[str, tuple[int, int]] = {
    "CANCELLED": (499, 1),
    "UNKNOWN": (500, 2),
    "INVALID_ARGUMENT": (400, 3),
    "DEADLINE_EXCEEDED": (504, 4),
    "NOT_FOUND": (404, 5),
    "ALREADY_EXISTS": (409, 6),
    "PERMISSION_DENIED": (403, 7),
    "RESOURCE_EXHAUSTED": (429, 8),
    "FAILED_PRECONDITION": (400, 9),
    "ABORTED": (409, 10),
    "OUT_OF_RANGE": (400, 11),
    "UNIMPLEMENTED": (501, 12),
    "INTERNAL": (500, 13),
    "UNAVAILABLE": (503, 14),
    "DATA_LOSS": (500, 15),
    "UNAUTHENTICATED": (401, 16),
}


class ApiError(Exception):
    """A refusal: canonical status, a sentence for people, and typed details as JSON objects."""

    def __init__(
        self, status: str, message: str, details: list[dict[str, Any]] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.details = details or []
        self.http_code, self.rpc_code = CODES[status]


class StartError(Exception):
    """The server cannot start: one sentence, with what to type."""


def error_body(error: ApiError) -> dict[str, Any]:
    """The JSON that Google's One Platform APIs answer: code, message, status, details."""
    body: dict[str, Any] = {
        "code": error.http_code,
        "message": error.message,
        "status": error.status,
    }
    if error.details:
        body["details"] = error.details
    return {"error": body}
