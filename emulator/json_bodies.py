"""JSON from clients: what parses, is not nested deeper than Google takes, and is text."""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

# Google's front end says "Message too deep. Max recursion depth reached." at a hundred.
MAX_DEPTH = 100
TOO_DEEP = "Message too deep. Max recursion depth reached."
TOO_LONG = "A number has too many digits."
NO_TEXT = "A text has half of a surrogate pair."
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_BRACKETS = re.compile(rb"[\[{\]}]")
# What is rare and may be wrong: it is read, and refused if it is.
_SUSPECT = re.compile(rb"\\u[dD][89a-fA-F]|NaN|Infinity|\d{400}")
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


class JsonError(ValueError):
    """Bytes that are no JSON that a client may send; the text says why."""


def parse_json(data: bytes) -> Any:
    """The value of a JSON text. JsonError for what is none, too deep, NaN, or no text."""
    if problem := nesting_problem(data):
        raise JsonError(problem)
    try:
        value = json.loads(data, parse_constant=_no_number)
        if _SURROGATE.search(data):
            json.dumps(value, ensure_ascii=False).encode()
    except JsonError:
        raise
    except UnicodeEncodeError:
        raise JsonError(NO_TEXT) from None
    except json.JSONDecodeError as error:
        raise JsonError(str(error)) from None
    except (ValueError, RecursionError):  # sys.get_int_max_str_digits()
        raise JsonError(TOO_LONG) from None
    return value


def check_json(data: bytes) -> None:
    """Raises JsonError for a text that is too deep, or has NaN or half a surrogate pair."""
    if problem := nesting_problem(data):
        raise JsonError(problem)
    if _SUSPECT.search(data):
        parse_json(data)


def nesting_problem(data: bytes) -> str:
    """Why a text is nested too deep to be read, or "" where it is not."""
    if data.count(b"[") + data.count(b"{") <= MAX_DEPTH:
        return ""
    depth = 0
    for found in _BRACKETS.finditer(_STRING.sub(b"", data)):
        depth += 1 if found[0] in b"[{" else -1
        if depth > MAX_DEPTH:
            return TOO_DEEP
    return ""


def _no_number(text: str) -> NoReturn:
    raise JsonError(f"{text} is no JSON.")
