"""One comparison of a filter: a path of a message, an operator, a value of the path's kind."""

from __future__ import annotations

import fnmatch
import operator as operators
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from emulator.aiplatform.masks import camel
from emulator.aiplatform.refusals import bad_field

Test = Callable[[Mapping[str, Any]], bool]
COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": operators.eq,
    "!=": operators.ne,
    "<": operators.lt,
    "<=": operators.le,
    ">": operators.gt,
    ">=": operators.ge,
}
OPERATORS = (*COMPARE, ":")
_NUMBERS = frozenset(
    [
        FieldDescriptor.CPPTYPE_INT32,
        FieldDescriptor.CPPTYPE_INT64,
        FieldDescriptor.CPPTYPE_UINT32,
        FieldDescriptor.CPPTYPE_UINT64,
        FieldDescriptor.CPPTYPE_DOUBLE,
        FieldDescriptor.CPPTYPE_FLOAT,
    ]
)
# google.protobuf.Value's members, by which metadata is asked: `metadata.x.number_value = 1`.
_VALUES = {"number_value": "number", "string_value": "text", "bool_value": "bool"}


@dataclass(frozen=True)
class Step:
    """One key on the way to a value; `kind` is that of what the key holds."""

    key: str
    kind: str
    enum: tuple[str, ...] = ()


def steps(descriptor: Descriptor, path: list[str]) -> list[Step] | None:
    """The steps of a path through a message, or None where the message has no such field."""
    found: list[Step] = []
    for place, name in enumerate(path):
        fields = descriptor.fields_by_camelcase_name
        described = descriptor.fields_by_name.get(name) or fields.get(camel(name))
        if described is None:
            return None
        step, inside = _step(described)
        found.append(step)
        rest = path[place + 1 :]
        if step.kind == "map" and rest:
            return [*found, Step(".".join(rest), "text")]
        if step.kind == "struct" and rest:
            return [*found, *_struct_steps(rest)]
        if rest and inside is None:
            return None
        if inside is not None:
            descriptor = inside
    return found


def _struct_steps(path: list[str]) -> list[Step]:
    kind = _VALUES.get(path[-1])
    keys = [key for key in (path[:-1] if kind else path) if key not in ("struct_value", "fields")]
    return [*(Step(key, "struct") for key in keys[:-1]), Step(keys[-1], kind or "text")]


def _step(described: FieldDescriptor) -> tuple[Step, Descriptor | None]:
    """A field as a step, and the message inside it if its fields can be asked for."""
    key, message = camel(described.name), described.message_type
    if message is not None:
        if message.GetOptions().map_entry:
            return Step(key, "map"), None
        kind = {
            "google.protobuf.Struct": "struct",
            "google.protobuf.Value": "struct",
            "google.protobuf.Timestamp": "time",
        }.get(message.full_name, "message")
        return Step(key, kind), message if kind == "message" else None
    if described.is_repeated:
        return Step(key, "list"), None
    if described.enum_type is not None:
        return Step(key, "enum", tuple(described.enum_type.values_by_name)), None
    if described.cpp_type in _NUMBERS:
        return Step(key, "number"), None
    is_bool = described.cpp_type == FieldDescriptor.CPPTYPE_BOOL
    return Step(key, "bool" if is_bool else "text"), None


def look_up(body: Any, keys: list[str]) -> Any:
    """The value behind the keys, or None."""
    for key in keys:
        if not isinstance(body, Mapping):
            return None
        body = body.get(key)
    return body


def test(path: list[Step], operator: str, value: str) -> Test:
    """The test of a typed path. INVALID_ARGUMENT for a value that is not of its kind."""
    keys, last = [step.key for step in path], path[-1]
    if operator == ":":
        return lambda body: _has(look_up(body, keys), value)
    if last.kind in ("map", "message", "struct", "list"):
        message = f"Operator '{operator}' is not supported for field '{'.'.join(keys)}'."
        raise bad_field("filter", f"Invalid filter: {message}")
    wanted = _converted(last, value)
    is_label = len(path) > 1 and path[-2].kind in ("map", "struct")
    absent = (
        None if is_label or last.kind == "time" else {"number": 0, "bool": False}.get(last.kind, "")
    )
    compare = COMPARE[operator]

    def passes(body: Mapping[str, Any]) -> bool:
        have = look_up(body, keys)
        have = absent if have is None else _held(last.kind, have)
        if have is None:
            return operator == "!="
        return compare(have, wanted)

    return passes


def _absent(path: list[Step]) -> Any:
    """What a field that is not there is compared as: proto's default, or nothing at all."""
    if path[-1].kind == "time" or (len(path) > 1 and path[-2].kind in ("map", "struct")):
        return None
    return {"number": 0.0, "bool": False}.get(path[-1].kind, "")


def _held(kind: str, have: Any) -> Any:
    """A stored value as it is compared; None where it is of another kind."""
    try:
        if kind == "number":
            return None if isinstance(have, bool) else float(have)
        if kind == "time":
            return datetime.fromisoformat(have)
    except (TypeError, ValueError):
        return None
    if kind == "bool":
        return have if isinstance(have, bool) else None
    if isinstance(have, bool):
        return str(have).lower()
    return have if isinstance(have, str) else str(have)


def _converted(step: Step, value: str) -> Any:
    """The filter's value as the kind of its field."""
    problem = f"Invalid filter: invalid value '{value}' for field '{step.key}'."
    if step.kind == "number":
        if not re.fullmatch(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?", value):
            raise bad_field("filter", problem)
        return float(value)
    if step.kind == "time":
        return _time(value, problem)
    if step.kind == "bool":
        if value.lower() not in ("true", "false"):
            raise bad_field("filter", problem)
        return value.lower() == "true"
    if step.kind == "enum" and value not in step.enum:
        raise bad_field("filter", problem)
    return value


def _time(value: str, problem: str) -> datetime:
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise bad_field("filter", problem) from None
    if moment.tzinfo is None:
        raise bad_field("filter", f"{problem} Times are RFC 3339: 2021-05-18T00:00:00Z.")
    return moment


def _has(have: Any, value: str) -> bool:
    """`labels:key`, `labels.key:*`, `display_name:"my_*"`, `list:item`."""
    if have in (None, "", [], {}):
        return False
    if value == "*":
        return True
    if isinstance(have, Mapping):
        return value in have
    if isinstance(have, list):
        return any(_like(str(one), value) for one in have)
    return _like(str(have), value)


def _like(have: str, pattern: str) -> bool:
    escaped = re.sub(r"([\[\]?])", r"[\1]", pattern)
    return have == pattern or ("*" in pattern and fnmatch.fnmatchcase(have, escaped))


def of_id(operator: str, value: str) -> Test:
    """`endpoint=1`: the last part of the name."""
    if operator == ":":
        return lambda body: _has(body["name"].rsplit("/", 1)[-1], value)
    return lambda body: COMPARE[operator](body["name"].rsplit("/", 1)[-1], value)


def of_text(keys: list[str], operator: str, value: str) -> Test:
    """A field that the message has not, kept by the handler beside it; absent is empty."""
    if operator == ":":
        return lambda body: _has(look_up(body, keys), value)
    return lambda body: COMPARE[operator](str(look_up(body, keys) or ""), value)
