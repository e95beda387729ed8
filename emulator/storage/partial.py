"""Partial answers: the fields of a JSON answer that the query's `fields` names.

The language is Google's (https://cloud.google.com/storage/docs/json_api#partial-response):
names with commas between them, `a/b` or `a(b,c)` for what is inside, `*` for every
name. A list is gone through item by item.
"""

from __future__ import annotations

import json
import re
from typing import Any

from emulator.storage.errors import StorageError
from emulator.storage.http import Reply, json_reply
from emulator.web import JSON_TYPE

TOKEN = re.compile(r"\s*([^\s,/()]+|[,/()])\s*")
DEPTH_LIMIT = 20
# What is wanted of an object: names, each with what is wanted inside it (None: all of it).
Mask = dict[str, "Mask | None"]


def mask_of(text: str) -> Mask:
    """The mask of a `fields` expression. 400 for what is none."""
    tokens = TOKEN.findall(text)
    if "".join(tokens) != re.sub(r"\s", "", text) or not tokens:
        raise _invalid(text)
    mask, rest = _names(tokens, text, 0)
    if rest:
        raise _invalid(text)
    return mask


def reply(whole: Reply, mask: Mask) -> Reply:
    """The answer with what the mask names, if it is JSON and good."""
    if whole.status != 200 or JSON_TYPE not in whole.headers:
        return whole
    others = [header for header in whole.headers if header != JSON_TYPE]
    return json_reply(masked(json.loads(whole.body), mask), headers=others)


def masked(value: Any, mask: Mask) -> Any:
    """What of a JSON value the mask names."""
    if isinstance(value, list):
        return [masked(item, mask) for item in value]
    if not isinstance(value, dict):
        return value
    found: dict[str, Any] = {}
    for name, item in value.items():
        if name in mask or "*" in mask:
            inner = mask.get(name, mask.get("*"))
            if inner is None:
                found[name] = item
            elif isinstance(item, dict | list):
                found[name] = masked(item, inner)
    return found


def _names(tokens: list[str], text: str, depth: int) -> tuple[Mask, list[str]]:
    """The names up to the closing bracket or the end, and what comes after them."""
    if depth > DEPTH_LIMIT:
        raise _invalid(text)
    mask: Mask = {}
    while True:
        tokens = _name(tokens, mask, text, depth)
        if not tokens or tokens[0] != ",":
            return mask, tokens
        tokens = tokens[1:]


def _name(tokens: list[str], mask: Mask, text: str, depth: int) -> list[str]:
    """Takes one name, with what is asked for inside it, into the mask; the tokens behind it."""
    if not tokens or tokens[0] in {",", "/", "(", ")"}:
        raise _invalid(text)
    name, rest = tokens[0], tokens[1:]
    if rest[:1] == ["/"]:
        inner: Mask = {}
        rest = _name(rest[1:], inner, text, depth + 1) if depth < DEPTH_LIMIT else _refuse(text)
        _add(mask, name, inner)
    elif rest[:1] == ["("]:
        inner, rest = _names(rest[1:], text, depth + 1)
        if rest[:1] != [")"]:
            raise _invalid(text)
        rest = rest[1:]
        _add(mask, name, inner)
    else:
        mask[name] = None
    return rest


def _add(mask: Mask, name: str, inner: Mask) -> None:
    if name not in mask:
        mask[name] = inner
        return
    before = mask[name]
    if before is not None:
        for key, value in inner.items():
            if value is None:
                before[key] = None
            else:
                _add(before, key, value)


def _refuse(text: str) -> list[str]:
    raise _invalid(text)


def _invalid(text: str) -> StorageError:
    message = f"Invalid field selection {text[:100]}"
    return StorageError(400, "invalidParameter", message, ("parameter", "fields"))
