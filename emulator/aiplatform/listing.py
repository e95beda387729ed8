"""Lists as Google gives them: filter (AIP-160, the part clients use), order, pages, read mask."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from emulator.errors import ApiError

Body = dict[str, Any]
MAX_PAGE_SIZE = 1000
DEFAULT_PAGE_SIZE = 100
# Tells apart what was created at the same moment; never answered.
PLACE = "_place"
_TERM = re.compile(
    r"\s*(?P<not>NOT\s+|-)?(?P<path>[A-Za-z_][\w]*(?:\.(?:\"[^\"]*\"|[\w/.-]+))?)"
    r"\s*(?P<operator>!=|>=|<=|=|:|<|>)\s*(?P<value>\"(?:[^\"\\]|\\.)*\"|[^\s()=\"]+)\s*"
)
_COMPARE: dict[str, Callable[[str, str], bool]] = {
    "=": lambda have, want: have == want,
    "!=": lambda have, want: have != want,
    ">": lambda have, want: have > want,
    "<": lambda have, want: have < want,
    ">=": lambda have, want: have >= want,
    "<=": lambda have, want: have <= want,
}


def camel(path: str) -> str:
    """`display_name` as `displayName`."""
    return re.sub(r"_([a-z0-9])", lambda found: found.group(1).upper(), path)


def matcher(text: str) -> Callable[[Mapping[str, Any]], bool]:
    """Whether a resource passes the filter: terms joined by AND, each of which may be an OR.

    INVALID_ARGUMENT for text that is no such filter.
    """
    groups: list[list[Callable[[Mapping[str, Any]], bool]]] = []
    for clause in _split(text, "AND"):
        inside = clause.removeprefix("(").removesuffix(")") if clause[:1] == "(" else clause
        terms = [_term(part, text) for part in _split(inside, "OR")]
        groups.append(terms)
    return lambda body: all(any(term(body) for term in terms) for terms in groups)


def _split(text: str, word: str) -> list[str]:
    """The parts between a word that stands outside quotes."""
    parts = re.split(rf'\s+{word}\s+(?=(?:[^"]*"[^"]*")*[^"]*$)', text.strip())
    return [part.strip() for part in parts if part.strip()]


def _term(part: str, text: str) -> Callable[[Mapping[str, Any]], bool]:
    found = _TERM.fullmatch(part)
    if found is None:
        raise ApiError("INVALID_ARGUMENT", f"Invalid filter: {text!r} at {part!r}.")
    path, operator, value = found["path"], found["operator"], _unquote(found["value"])
    test = _has(path, value) if operator == ":" else _compares(path, _COMPARE[operator], value)
    return (lambda body: not test(body)) if found["not"] else test


def _unquote(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text[1:-1]) if text.startswith('"') else text


def _has(path: str, value: str) -> Callable[[Mapping[str, Any]], bool]:
    """`labels:key`, `labels.key:*` and `field:value`."""

    def test(body: Mapping[str, Any]) -> bool:
        have = _lookup(body, path)
        if isinstance(have, Mapping):
            return value == "*" or value in have
        return have is not None and (value == "*" or str(have) == value)

    return test


def _compares(
    path: str, compare: Callable[[str, str], bool], value: str
) -> Callable[[Mapping[str, Any]], bool]:
    def test(body: Mapping[str, Any]) -> bool:
        have = _lookup(body, path)
        text = str(have).lower() if isinstance(have, bool) else str("" if have is None else have)
        return compare(text, value)

    return test


def _lookup(body: Mapping[str, Any], path: str) -> Any:
    field, _, rest = path.partition(".")
    value = body.get(camel(field))
    if not rest:
        return value
    return value.get(rest.strip('"')) if isinstance(value, Mapping) else None


def page(key: str, rows: Iterable[Body], request: Mapping[str, Any]) -> Body:
    """The answer to a list request: the rows that pass, in order, one page and its token."""
    passes = matcher(request.get("filter", ""))
    field, _, direction = request.get("orderBy", "").partition(",")[0].strip().partition(" ")
    falling = direction.strip().lower() == "desc"
    position = _position(camel(field))
    found = sorted(filter(passes, rows), key=position, reverse=falling)
    if token := request.get("pageToken"):
        after = _read_token(token)
        found = [row for row in found if (position(row) > after) is not falling]
        found = [row for row in found if position(row) != after]
    size = min(int(request.get("pageSize", 0)) or DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE)
    answer: Body = {key: found[:size]} if found else {}
    if len(found) > size:
        answer["nextPageToken"] = _token(position(found[size - 1]))
    return answer


def _position(field: str) -> Callable[[Mapping[str, Any]], list[str]]:
    """Where a row stands: its field, then its time of creation, then its place among equals."""

    def position(row: Mapping[str, Any]) -> list[str]:
        return [str(row.get(field, "")), row.get("createTime", ""), row.get(PLACE, ""), row["name"]]

    return position


def _token(position: list[str]) -> str:
    return base64.urlsafe_b64encode(json.dumps(position).encode()).decode()


def _read_token(token: str) -> list[str]:
    try:
        return [str(part) for part in json.loads(base64.urlsafe_b64decode(token))]
    except ValueError:
        raise ApiError("INVALID_ARGUMENT", f"Invalid page token: {token}") from None


def masked_fields(mask: str, allowed: Iterable[str]) -> list[str]:
    """The camelCase top-level fields of an update mask. INVALID_ARGUMENT for one not allowed."""
    fields = [camel(path.strip().partition(".")[0]) for path in mask.split(",") if path.strip()]
    if not fields:
        raise ApiError("INVALID_ARGUMENT", "The update_mask must not be empty.")
    for field in fields:
        if field not in set(allowed):
            raise ApiError("INVALID_ARGUMENT", f"Updating {field} is not supported.")
    return fields
