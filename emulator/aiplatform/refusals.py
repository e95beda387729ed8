"""Refusals in the form of Vertex AI: a numbered list of fields, as text and as BadRequest."""

from __future__ import annotations

from collections.abc import Iterable

from emulator.errors import ApiError


def field_errors(problems: Iterable[tuple[str, str]]) -> ApiError:
    """INVALID_ARGUMENT with (field, message) pairs, numbered from 1 as in recorded answers."""
    pairs = list(problems)
    text = "".join(
        f"{number}.Field: {field}; Message: {message}\t"
        for number, (field, message) in enumerate(pairs, start=1)
    )
    violations = [{"field": field, "description": message} for field, message in pairs]
    detail = {
        "@type": "type.googleapis.com/google.rpc.BadRequest",
        "fieldViolations": violations,
    }
    return ApiError("INVALID_ARGUMENT", f"List of found errors:\t{text}", [detail])


def bad_field(field: str, message: str) -> ApiError:
    """INVALID_ARGUMENT for one field."""
    return field_errors([(field, message)])
