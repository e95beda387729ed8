"""Field masks: paths of a message, checked, picked out, and written over."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from emulator.aiplatform.refusals import bad_field

Body = dict[str, Any]


def camel(path: str) -> str:
    """`display_name` as `displayName`."""
    return re.sub(r"_([a-z0-9])", lambda found: found.group(1).upper(), path)


def snake(path: str) -> str:
    """`displayName` as `display_name`."""
    return re.sub(r"(?<=[a-z0-9])([A-Z])", lambda found: "_" + found.group(1).lower(), path)


def paths(mask: str) -> list[list[str]]:
    """The paths of a mask as JSON writes it, their segments; dots inside backquotes stay."""
    found = [part.strip() for part in mask.split(",") if part.strip()]
    return [
        [one.strip("`") for one in re.findall(r"`[^`]*`|[^.`]+", path)] or [path] for path in found
    ]


def checked(mask: str, allowed: Iterable[str], sent: Mapping[str, Any]) -> list[list[str]]:
    """The paths of an update mask whose first segment may be changed, in camelCase.

    `*` stands for every field that may be. INVALID_ARGUMENT when it is empty or names another.
    """
    fields = list(allowed)
    found = paths(mask)
    if not found:
        raise bad_field("update_mask", "Required field is not set.")
    if ["*"] in found:
        return [[field] for field in fields]
    result = []
    for first, *rest in found:
        field = camel(first)
        if field not in fields:
            message = f"Updating {snake(field)} is not supported."
            raise bad_field("update_mask", f"{message} Supported: {_listed(fields)}.")
        if rest and not isinstance(sent.get(field, {}), Mapping):
            raise bad_field("update_mask", f"Invalid field mask path: {'.'.join([first, *rest])}.")
        result.append([field, *rest])
    return result


def _listed(fields: Iterable[str]) -> str:
    return ", ".join(snake(field) for field in fields)


def merged(present: Body, sent: Mapping[str, Any], found: Iterable[list[str]]) -> Body:
    """The present body with each path as sent; a path that was not sent is cleared."""
    body = dict(present)
    for path in found:
        _merge(body, sent, path)
    return body


def _merge(body: Body, sent: Mapping[str, Any], path: list[str]) -> None:
    first, *rest = path
    for key in _spelled(first, body, sent):
        inside = sent.get(key)
        if rest:
            child = dict(body.get(key) or {})
            _merge(child, inside if isinstance(inside, Mapping) else {}, rest)
            inside = child
        if inside in (None, {}, [], ""):
            body.pop(key, None)
        else:
            body[key] = inside


def _spelled(segment: str, body: Mapping[str, Any], sent: Mapping[str, Any]) -> list[str]:
    """The keys that a segment means: in JSON, the mask of a map's `my_key` says `myKey`."""
    known = [key for key in {**body, **sent} if segment in (key, camel(key))]
    return known or [segment]


def picked(body: Mapping[str, Any], found: Iterable[list[str]]) -> Body:
    """Only these paths of a body, and what the server keeps beside it (`_…`)."""
    result = {key: value for key, value in body.items() if key.startswith("_")}
    for path in found:
        _pick(result, body, path)
    return result


def _pick(result: Body, body: Mapping[str, Any], path: list[str]) -> None:
    first, *rest = path
    for key in _spelled(camel(first), body, {}):
        if key not in body:
            continue
        if rest and isinstance(body[key], Mapping):
            child = result.setdefault(key, {})
            _pick(child, body[key], rest)
        elif not rest:
            result[key] = body[key]
