"""Whole numbers that clients send as text or JSON."""

from __future__ import annotations

from emulator.errors import ApiError

INT32 = 2**31 - 1


def whole(asked: object, field: str, default: int = 0) -> int:
    """A number from 0 to 2^31 - 1; `default` for nothing. INVALID_ARGUMENT in Google's words."""
    if asked is None or asked == "":
        return default
    text = str(asked)
    is_number = isinstance(asked, int | str) and not isinstance(asked, bool)
    if not is_number or not text.isascii() or not text.isdigit() or len(text) > len(str(INT32)):
        raise ApiError("INVALID_ARGUMENT", f"Invalid value at '{field}' (TYPE_INT32), \"{text}\"")
    if int(text) > INT32:
        raise ApiError("INVALID_ARGUMENT", f"Invalid value at '{field}' (TYPE_INT32), \"{text}\"")
    return int(text)
