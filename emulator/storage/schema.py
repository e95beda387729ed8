"""JSON of a client read by a table of types: what fits is kept, what does not is 400.

A spec is one of: a `Kind`, a frozenset of allowed words, `[spec]` for a list, `{name: spec}` for an
object, `{"*": spec}` for a map. A field that the table lacks, or that only the server writes
(OUTPUT), is left out, as Google's JSON APIs do. null is kept: in a patch it removes.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from enum import Enum
from typing import Any

from emulator.storage.errors import invalid

INT32, INT64 = 2**31, 2**63


class Kind(Enum):
    """A type of a field, by the name that Google's messages give it."""

    BOOLEAN = "Boolean"
    TEXT = "String"
    INTEGER = "Integer"
    LONG = "Long"
    TIME = "DateTime"
    DATE = "Date"
    OUTPUT = "output only"


Spec = Any


def fitted(value: Any, spec: Spec, path: str = "") -> Any:
    """`value` in the form that `spec` has. 400, naming the field, when it is something else."""
    if value is None:
        return None
    if isinstance(spec, Kind):
        return _single(value, spec, path)
    if isinstance(spec, frozenset):
        return _word(value, spec, path)
    if isinstance(spec, list):
        if not isinstance(value, list):
            raise _misfit(value, "List", path)
        return [fitted(item, spec[0], path) for item in value if item is not None]
    if not isinstance(value, Mapping):
        raise _misfit(value, "Object", path)
    return _object(value, spec, path)


def _object(value: Mapping[str, Any], spec: Mapping[str, Spec], path: str) -> dict[str, Any]:
    if "*" in spec:
        for key in value:
            _single(key, Kind.TEXT, path)
        return {key: fitted(item, spec["*"], f"{path}.{key}") for key, item in value.items()}
    return {
        key: fitted(item, spec[key], f"{path}.{key}" if path else key)
        for key, item in value.items()
        if key in spec and spec[key] is not Kind.OUTPUT
    }


def _single(value: Any, kind: Kind, path: str) -> Any:
    if kind is Kind.BOOLEAN:
        if value in ("true", "false"):
            return value == "true"
        fits = isinstance(value, bool)
    elif kind in (Kind.INTEGER, Kind.LONG):
        return _number(value, kind, path)
    elif kind is Kind.TEXT:
        fits = isinstance(value, str) and _is_utf8(value)
    else:
        fits = isinstance(value, str) and _is_moment(value, kind)
    if not fits:
        raise _misfit(value, kind.value, path)
    return value


def _number(value: Any, kind: Kind, path: str) -> Any:
    """64-bit numbers are strings in Google's JSON, 32-bit ones are numbers; both are taken."""
    limit = INT64 if kind is Kind.LONG else INT32
    text = str(value)
    plain = isinstance(value, int | str) and not isinstance(value, bool)
    digits = text.removeprefix("-")
    if not plain or not digits.isascii() or not digits.isdigit() or len(digits) > 19:
        raise _misfit(value, kind.value, path)
    number = int(text)
    if not -limit <= number < limit:
        raise _misfit(value, kind.value, path)
    return str(number) if kind is Kind.LONG else number


def _word(value: Any, words: frozenset[str], path: str) -> Any:
    if not isinstance(value, str) or value not in words:
        expected = ", ".join(sorted(words))
        raise invalid(f"Invalid argument: {_short(value)} is no value of {path} ({expected}).")
    return value


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_moment(text: str, kind: Kind) -> bool:
    try:
        date.fromisoformat(text) if kind is Kind.DATE else datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _misfit(value: Any, kind: str, path: str) -> Exception:
    return invalid(f"Invalid value for {kind}: {_short(value)} at '{path}'.")


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 100 else f"{text[:100]}…"
