"""The functions and comparisons of IAM conditions, on strings, numbers and times."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

Value = Any

DURATION = re.compile(r"(\d+(?:\.\d+)?)(h|m|s)")
SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0}


class CelError(Exception):
    """An expression that is not understood, or cannot be told for this request."""


def call(name: str, arguments: list[Value]) -> Value:
    """What a function, or a method of its first argument, gives. CelError for an unknown one."""
    function = FUNCTIONS.get(name)
    if function is None:
        raise CelError(f"The function {name} is not understood.")
    try:
        return function(*arguments)
    except (TypeError, ValueError, AttributeError, KeyError) as problem:
        raise CelError(f"{name}: {problem}") from None


def compared(sign: str, left: Value, right: Value) -> bool:
    """One of `==`, `!=`, `<`, `<=`, `>`, `>=`, `in`. CelError for values of different kinds."""
    if sign == "in":
        return left in right if isinstance(right, list | Mapping) else _incomparable(left, right)
    if sign == "==":
        return bool(left == right)
    if sign == "!=":
        return bool(left != right)
    kinds = (int | float, str, datetime, timedelta)
    if not any(isinstance(left, kind) and isinstance(right, kind) for kind in kinds):
        return _incomparable(left, right)
    if sign in ("<", ">="):
        return bool(left < right) is (sign == "<")
    return bool(left > right) is (sign == ">")


def extract(text: str, template: str) -> str:
    """What stands in `text` where the template says `{…}`; empty where it does not fit.

    cloud.google.com/iam/docs/conditions-attribute-reference#extract, as of 2026-05-30.
    """
    before, brace, rest = template.partition("{")
    _, closing, after = rest.partition("}")
    if not brace or not closing:
        raise ValueError(f"not a template: {template}")
    start = text.find(before)
    if start < 0:
        return ""
    start += len(before)
    end = text.find(after, start) if after else len(text)
    return text[start:end] if end >= 0 else ""


def attribute(owner: Mapping[str, Value], name: str, otherwise: Value) -> Value:
    """`api.getAttribute(name, otherwise)`: what the service says of this request."""
    return owner.get(name, otherwise)


def timestamp(text: str) -> datetime:
    """A moment from RFC 3339."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"no time zone: {text}")
    return moment


def duration(text: str) -> timedelta:
    """A span from hours, minutes and seconds: "1h30m"."""
    parts = DURATION.findall(text)
    if "".join(number + unit for number, unit in parts) != text or not parts:
        raise ValueError(f"not a duration: {text}")
    return timedelta(seconds=sum(float(number) * SECONDS[unit] for number, unit in parts))


def _zoned(moment: datetime, zone: str = "UTC") -> datetime:
    return moment.astimezone(ZoneInfo(zone))


def _part(read: Callable[[datetime], int]) -> Callable[..., int]:
    return lambda moment, zone="UTC": read(_zoned(moment, zone))


def _incomparable(left: Value, right: Value) -> bool:
    raise CelError(f"{left!r} and {right!r} cannot be compared.")


FUNCTIONS: dict[str, Callable[..., Value]] = {
    "startsWith": str.startswith,
    "endsWith": str.endswith,
    "contains": str.__contains__,
    "extract": extract,
    "size": len,
    "lowerAscii": str.lower,
    "upperAscii": str.upper,
    "getAttribute": attribute,
    "timestamp": timestamp,
    "date": lambda text: timestamp(f"{text}T00:00:00Z"),
    "duration": duration,
    # Months, and days of the week from Sunday, are counted from 0 as in JavaScript.
    "getFullYear": _part(lambda moment: moment.year),
    "getMonth": _part(lambda moment: moment.month - 1),
    "getDate": _part(lambda moment: moment.day),
    "getDayOfMonth": _part(lambda moment: moment.day - 1),
    "getDayOfYear": _part(lambda moment: moment.timetuple().tm_yday - 1),
    "getDayOfWeek": _part(lambda moment: moment.isoweekday() % 7),
    "getHours": _part(lambda moment: moment.hour),
    "getMinutes": _part(lambda moment: moment.minute),
    "getSeconds": _part(lambda moment: moment.second),
}
