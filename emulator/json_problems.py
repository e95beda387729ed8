"""Why a JSON object is not a message, in the words of Google's front end.

Wordings as answers of One Platform APIs are quoted in public issues: "Proto field is not repeating,
cannot start list", "Invalid value at 'contents' (TYPE_STRING), 5".
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message_factory import GetMessageClass

Problem = tuple[str, str]
_PAYLOAD = "Invalid JSON payload received."
_TYPES = {
    number: name
    for name, number in vars(FieldDescriptor).items()
    if name.startswith("TYPE_") and isinstance(number, int)
}
_INTEGERS = {
    FieldDescriptor.CPPTYPE_INT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.CPPTYPE_UINT32: (0, 2**32 - 1),
    FieldDescriptor.CPPTYPE_INT64: (-(2**63), 2**63 - 1),
    FieldDescriptor.CPPTYPE_UINT64: (0, 2**64 - 1),
}
_REALS = (FieldDescriptor.CPPTYPE_DOUBLE, FieldDescriptor.CPPTYPE_FLOAT)
MAX_PROBLEMS = 20


def problems(descriptor: Descriptor, value: Mapping[str, Any]) -> list[Problem]:
    """Field (in snake case, from the message on) and sentence of all that is wrong, 20 at most."""
    found: list[Problem] = []
    for problem in _message(descriptor, value, ""):
        found.append(problem)
        if len(found) == MAX_PROBLEMS:
            break
    return found


def _message(descriptor: Descriptor, value: Mapping[str, Any], path: str) -> Iterator[Problem]:
    chosen: set[str] = set()
    for name, item in value.items():
        described = _field(descriptor, name)
        if described is None:
            yield path, _unknown(name, path, "Cannot find field.")
            continue
        choice = described.containing_oneof
        if choice is not None and item is not None:
            if choice.name in chosen:
                yield path, _second(path, choice.name, name)
            chosen.add(choice.name)
        inside = f"{path}.{described.name}" if path else described.name
        if item is not None:
            yield from _any(described, item, inside, path, name)


def _second(path: str, choice: str, name: str) -> str:
    return (
        f"Invalid value at '{path}' (oneof), oneof field '{choice}' is already set. "
        f"Cannot set '{name}'"
    )


def _field(descriptor: Descriptor, name: str) -> FieldDescriptor | None:
    for described in descriptor.fields:
        if name in (described.name, described.json_name):
            return described
    return None


def _unknown(name: str, path: str, why: str) -> str:
    where = f" at '{path}'" if path else ""
    return f'{_PAYLOAD} Unknown name "{name}"{where}: {why}'


def _any(
    described: FieldDescriptor, item: Any, inside: str, path: str, name: str
) -> Iterator[Problem]:
    message = described.message_type
    if message is not None and message.GetOptions().map_entry:
        yield from _map(message, item, inside)
    elif described.is_repeated:
        if not isinstance(item, list):
            yield from _one(described, item, inside)
        for place, one in enumerate(item if isinstance(item, list) else ()):
            yield from _one(described, one, f"{inside}[{place}]")
    elif isinstance(item, list) and not _takes_lists(described):
        yield path, _unknown(name, path, "Proto field is not repeating, cannot start list.")
    else:
        yield from _one(described, item, inside)


def _takes_lists(described: FieldDescriptor) -> bool:
    message = described.message_type
    return message is not None and message.full_name.endswith((".Value", ".ListValue"))


def _map(entry: Descriptor, item: Any, inside: str) -> Iterator[Problem]:
    if not isinstance(item, Mapping):
        yield _invalid(inside, f"type.googleapis.com/{entry.full_name}", item)
        return
    for key, one in item.items():
        yield from _one(entry.fields_by_name["value"], one, f"{inside}[{key}]", is_in_map=True)


def _one(
    described: FieldDescriptor, item: Any, inside: str, *, is_in_map: bool = False
) -> Iterator[Problem]:
    message = described.message_type
    if message is None:
        if not _is_scalar(described, item):
            shown = inside.rpartition("[")[0] + "[0].value" if is_in_map else inside
            yield _invalid(shown, _type_name(described), item)
    elif message.full_name.startswith("google.protobuf."):
        if not _is_known(message, item):
            yield _invalid(inside, f"type.googleapis.com/{message.full_name}", item)
    elif isinstance(item, Mapping):
        yield from _message(message, item, inside)
    else:
        yield _invalid(inside, f"type.googleapis.com/{message.full_name}", item)


def _invalid(path: str, kind: str, item: Any) -> Problem:
    shown = json.dumps(item, ensure_ascii=False)
    return path, f"Invalid value at '{path}' ({kind}), {shown[:200]}"


def _type_name(described: FieldDescriptor) -> str:
    if described.enum_type is not None:
        return f"type.googleapis.com/{described.enum_type.full_name}"
    return str(_TYPES[described.type])


def _is_known(message: Descriptor, item: Any) -> bool:
    """Whether a well-known type (Timestamp, Struct, FieldMask, …) takes the value."""
    holder = GetMessageClass(message)()
    try:
        json_format.ParseDict(item, holder)
    except (json_format.ParseError, TypeError, ValueError, AttributeError):
        return False
    return True


def _is_scalar(described: FieldDescriptor, item: Any) -> bool:
    if described.enum_type is not None:
        return _is_enum(described, item)
    if described.cpp_type in _INTEGERS:
        return _is_integer(item, *_INTEGERS[described.cpp_type])
    if described.cpp_type in _REALS:
        return _is_real(item)
    if described.cpp_type == FieldDescriptor.CPPTYPE_BOOL:
        return isinstance(item, bool)
    if not isinstance(item, str):
        return False
    return described.type != FieldDescriptor.TYPE_BYTES or _is_base64(item)


def _is_enum(described: FieldDescriptor, item: Any) -> bool:
    if isinstance(item, bool):
        return False
    is_known = isinstance(item, str) and item in described.enum_type.values_by_name
    return isinstance(item, int) or is_known


def _is_integer(item: Any, least: int, most: int) -> bool:
    if isinstance(item, bool):
        return False
    if isinstance(item, str) and not re.fullmatch(r"-?\d{1,20}", item):
        return False
    try:
        number = float(item)
    except (TypeError, ValueError, OverflowError):
        return False
    return number == number // 1 and least <= int(item) <= most


def _is_real(item: Any) -> bool:
    if isinstance(item, bool):
        return False
    try:
        float(item)
    except (TypeError, ValueError, OverflowError):
        return False
    return True


def _is_base64(item: str) -> bool:
    text = item.replace("-", "+").replace("_", "/").rstrip("=")
    try:
        base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except ValueError:
        return False
    return True


def broken(text: bytes, place: int) -> str:
    """The sentence for text that is no JSON from byte `place` on, with a pointer at it."""
    shown = text.decode(errors="replace")
    is_end = place >= len(shown.rstrip())
    why = "Unexpected end of string." if is_end else "Unexpected token."
    line = shown[max(0, place - 20) : place + 20].replace("\n", " ")
    return f"{_PAYLOAD} {why}\n{line}\n{' ' * min(place, 20)}^"
