"""Lists as Google gives them: filter (AIP-160), orderBy, pages bound to their query, readMask."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from emulator.aiplatform import filters, masks
from emulator.aiplatform.comparisons import look_up
from emulator.aiplatform.list_schemas import ListSchema
from emulator.aiplatform.masks import camel as camel
from emulator.aiplatform.refusals import bad_field
from emulator.errors import ApiError

Body = dict[str, Any]
# Tells apart what was created at the same moment; never answered.
PLACE = "_place"
_ORDER = re.compile(r"([A-Za-z_][\w.]*)(?:\s+(asc|desc))?", re.IGNORECASE)
# What makes a list another list: a token of one is refused by another (AIP-158).
_QUERY = (
    *("parent", "name", "dataset", "filter", "dataItemFilter"),
    *("orderBy", "orderByDataItem"),
)
# A value as it is ordered: nothing, then numbers, then text.
Rank = tuple[int, float, str]
Position = list[Rank]


def matcher(text: str, key: str = "dataItems") -> Callable[[Mapping[str, Any]], bool]:
    """Whether a resource of the list `key` passes the filter. INVALID_ARGUMENT for no filter."""
    return filters.compiled(text, ListSchema(key))


def page(
    key: str, rows: Iterable[Body], request: Mapping[str, Any], schema: ListSchema | None = None
) -> Body:
    """The answer to a list request: the rows that pass, in order, one page and its token.

    `schema` says what may be asked, where that is not what `lists.toml` has under `key`.
    INVALID_ARGUMENT for a bad filter, order, size, mask, or a token of another list.
    """
    schema = schema or ListSchema(key)
    passes = filters.compiled(request.get("filter", ""), schema)
    order = orders(request.get("orderBy", ""), schema)
    size, mask = page_size(request, schema), read_mask(request, schema)
    found = _sorted(filter(passes, rows), order)
    if request.get("pageToken"):
        after = _position_of(key, request, len(order))
        found = [one for one in found if _compare(one[0], after, order) > 0]
    chosen = [row for _, row in found[:size]]
    answer: Body = {key: [masks.picked(row, mask) if mask else row for row in chosen]}
    if len(found) > size:
        answer["nextPageToken"] = token(key, request, found[size - 1][0])
    return answer if chosen else {}


def page_size(request: Mapping[str, Any], schema: ListSchema) -> int:
    """Rows of a page: the default for 0, the largest for more. INVALID_ARGUMENT below 0."""
    asked = int(request.get("pageSize", 0))
    default, largest = schema.page_sizes
    if asked < 0:
        raise bad_field("page_size", f"Page size must not be negative. Received: {asked}.")
    return min(asked or default, largest)


def read_mask(request: Mapping[str, Any], schema: ListSchema) -> list[list[str]]:
    """The paths to answer; empty for all. INVALID_ARGUMENT for one that the resource has not."""
    found = masks.paths(request.get("readMask", ""))
    if ["*"] in found:
        return []
    for path in found:
        schema.check_mask(path)
    return found


@dataclass(frozen=True)
class Key:
    """One part of an order: a path, whether it falls, whether it is ordered as a number."""

    path: tuple[str, ...]
    falling: bool
    is_number: bool = False

    def rank(self, row: Mapping[str, Any]) -> Rank:
        """Where a row stands by this part; absent is before everything."""
        value = look_up(row, list(self.path))
        if value is None:
            return (0, 0.0, "")
        if self.is_number or isinstance(value, (bool, int, float)):
            return (1, float(value), "")
        return (2, 0.0, value if isinstance(value, str) else json.dumps(value, sort_keys=True))


Order = list[Key]


def orders(text: str, schema: ListSchema) -> Order:
    """The parts of orderBy, ties broken by creation, place and name. INVALID_ARGUMENT for none."""
    found: Order = []
    for part in filter(None, (one.strip() for one in (text or schema.default_order).split(","))):
        matched = _ORDER.fullmatch(part)
        if matched is None:
            raise bad_field("order_by", f"Invalid order by: syntax error at '{part}'.")
        is_number = schema.check_order(matched.group(1))
        path = tuple(camel(one) for one in matched.group(1).split("."))
        found.append(Key(path, (matched.group(2) or "").lower() == "desc", is_number))
    falling = bool(found) and found[0].falling
    return [*found, *(Key((field,), falling) for field in ("createTime", PLACE, "name"))]


def _position(row: Mapping[str, Any], order: Order) -> Position:
    return [key.rank(row) for key in order]


def _compare(one: Position, other: Position, order: Order) -> int:
    for left, right, key in zip(one, other, order, strict=True):
        if left != right:
            return -1 if (left < right) is not key.falling else 1
    return 0


def _sorted(rows: Iterable[Body], order: Order) -> list[tuple[Position, Body]]:
    """The rows in order, each with its position: by the last part first, since sorts are stable."""
    found = [(_position(row, order), row) for row in rows]
    for place in reversed(range(len(order))):
        found.sort(key=lambda one: one[0][place], reverse=order[place].falling)
    return found


def _digest(key: str, request: Mapping[str, Any]) -> str:
    query = [key, *(request.get(field, "") for field in _QUERY)]
    return hashlib.sha256(json.dumps(query).encode()).hexdigest()[:16]


def token(key: str, request: Mapping[str, Any], position: Any) -> str:
    """A page token: where the next page begins, and the list that it is of."""
    text = json.dumps([_digest(key, request), position], ensure_ascii=False)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def token_position(key: str, request: Mapping[str, Any]) -> Any:
    """What `token` was given. INVALID_ARGUMENT for another list's token, or none at all."""
    text = request["pageToken"]
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        digest, position = json.loads(raw)
    except (ValueError, TypeError, RecursionError):
        raise _bad_token(text) from None
    if digest != _digest(key, request):
        raise _bad_token(text)
    return position


def _bad_token(text: str) -> ApiError:
    return bad_field("page_token", f"The page token is invalid: '{text[:200]}'.")


def _position_of(key: str, request: Mapping[str, Any], length: int) -> Position:
    position = token_position(key, request)
    try:
        found = [(int(kind), float(number), str(text)) for kind, number, text in position]
    except (ValueError, TypeError):
        raise _bad_token(request["pageToken"]) from None
    if len(found) != length:
        raise _bad_token(request["pageToken"])
    return found


def masked_fields(mask: str, allowed: Iterable[str]) -> list[str]:
    """The camelCase top-level fields of an update mask. INVALID_ARGUMENT for one not allowed."""
    return list(dict.fromkeys(path[0] for path in masks.checked(mask, allowed, {})))
