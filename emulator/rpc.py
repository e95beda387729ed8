"""Requests matched and typed by the SDK's own tables (`rpc_tables.py`), answers shaped as Google's.

A request becomes its message type, which is what refuses unknown fields, and from there the
canonical JSON of that message: camelCase keys, int64 as strings, enums by name.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from emulator.errors import ApiError
from emulator.json_problems import broken, problems

# Parameters that every Google API takes (cloud.google.com/apis/docs/system-parameters).
SYSTEM_PARAMETERS = frozenset(
    [
        "alt",
        "$alt",
        "key",
        "$key",
        "fields",
        "$fields",
        "prettyPrint",
        "$prettyPrint",
        "quotaUser",
        "$quotaUser",
        "callback",
        "access_token",
        "oauth_token",
        "upload_protocol",
        "uploadType",
        "userIp",
        "$.xgafv",
    ]
)
_PAYLOAD = "Invalid JSON payload received."
_SEGMENT = {"*": "[^/:]+", "**": ".+?"}


@dataclass(frozen=True)
class Rpc:
    """One method of one service; the types are full names, empty where they are not kept."""

    service: str
    name: str
    request: str = ""
    response: str = ""
    result: str = ""
    metadata: str = ""


@dataclass(frozen=True)
class Binding:
    """One HTTP form of an RPC; `variables` are field paths in the order of the pattern's groups."""

    rpc: Rpc
    method: str
    pattern: re.Pattern[str]
    variables: tuple[str, ...]
    body: str


@dataclass
class Router:
    """The bindings of one API version, found by method, number of segments and verb."""

    bindings: list[Binding]
    _index: dict[tuple[str, int, str], list[Binding]] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> "Router":
        """A router over a `routes.json`; literal segments win over variables."""
        router = cls([])
        rows = json.loads(path.read_text())
        for row in sorted(rows, key=lambda row: -len(re.sub(r"\{[^}]*\}", "", row["uri"]))):
            router._add(row)
        return router

    def _add(self, row: Mapping[str, str]) -> None:
        pattern, variables, shape = _compile(row["uri"])
        types = {kind: row.get(kind, "") for kind in ("request", "response", "result", "metadata")}
        rpc = Rpc(row["service"], row["rpc"], **types)
        method = row["method"].upper()
        binding = Binding(rpc, method, pattern, variables, row.get("body", ""))
        self.bindings.append(binding)
        self._index.setdefault((method, *_shape(shape)), []).append(binding)

    def match(self, method: str, path: str) -> tuple[Binding, dict[str, str]] | None:
        """The binding that claims this path and its variables by field path, or None."""
        segments, verb = _shape(path)
        for key in ((method, segments, verb), (method, 0, verb)):
            for binding in self._index.get(key, ()):
                if found := binding.pattern.fullmatch(path):
                    return binding, dict(zip(binding.variables, found.groups(), strict=True))
        return None


def _shape(path: str) -> tuple[int, str]:
    """Number of segments (0 for a path that may have any) and the verb after the last colon."""
    last = path.rsplit("/", 1)[-1]
    verb = last.split(":", 1)[1] if ":" in last else ""
    return (0 if "**" in path else path.count("/")), verb


def _compile(uri: str) -> tuple[re.Pattern[str], tuple[str, ...], str]:
    pattern, shape, variables, end = "", "", [], 0
    for found in re.finditer(r"\{([^}=]+)(?:=([^}]+))?\}", uri):
        inner = found.group(2) or "*"
        pattern += re.escape(uri[end : found.start()]) + "("
        pattern += "".join(
            _SEGMENT.get(part, re.escape(part)) for part in re.split(r"(\*\*|\*)", inner)
        )
        pattern += ")"
        shape += uri[end : found.start()] + inner
        variables.append(found.group(1))
        end = found.end()
    return re.compile(pattern + re.escape(uri[end:])), tuple(variables), shape + uri[end:]


@dataclass
class Types:
    """Message classes of a descriptor set, in a pool of their own."""

    path: Path

    @cached_property
    def pool(self) -> descriptor_pool.DescriptorPool:
        """Filled at first use: a server that nobody asks for Vertex does not pay for it."""
        pool = descriptor_pool.DescriptorPool()
        for file in descriptor_pb2.FileDescriptorSet.FromString(self.path.read_bytes()).file:
            pool.Add(file)
        return pool

    def message(self, full_name: str) -> Message:
        """An empty message of that type."""
        descriptor = self.pool.FindMessageTypeByName(full_name)
        message: Message = message_factory.GetMessageClass(descriptor)()
        return message

    def parse(self, full_name: str, value: Mapping[str, Any]) -> Message:
        """The message a JSON object stands for; ApiError INVALID_ARGUMENT where it is not one."""
        message = self.message(full_name)
        try:
            json_format.ParseDict(dict(value), message, descriptor_pool=self.pool)
        except json_format.ParseError as problem:
            found = problems(message.DESCRIPTOR, value)
            raise _bad_request(found or [("", f"{_PAYLOAD} {problem}")]) from None
        return message

    def canonical(self, full_name: str, value: Mapping[str, Any]) -> dict[str, Any]:
        """The same object as the message prints it: camelCase, enums by name, no empty fields."""
        return self.print(self.parse(full_name, value), int_enums=False)

    def print(self, message: Message, *, int_enums: bool) -> dict[str, Any]:
        """A message as JSON, enums as numbers where the client asked for them."""
        printed: dict[str, Any] = json_format.MessageToDict(
            message, use_integers_for_enums=int_enums, descriptor_pool=self.pool
        )
        return printed


def request_body(
    types: Types,
    binding: Binding,
    variables: Mapping[str, str],
    query: Iterable[tuple[str, str]],
    body: bytes,
) -> dict[str, Any]:
    """The canonical request of a call: path, query and body together, checked by its type."""
    value: dict[str, Any] = {}
    if binding.body:
        received = json_object(body)
        value = received if binding.body == "*" else {binding.body: received}
    descriptor = types.pool.FindMessageTypeByName(binding.rpc.request)
    for key, text in query:
        if key not in SYSTEM_PARAMETERS:
            _bind_query(descriptor, value, key, text)
    for path, text in variables.items():
        _set(value, path.split("."), text)
    return types.canonical(binding.rpc.request, value)


def json_object(body: bytes) -> dict[str, Any]:
    """The JSON object of a body, empty for none. INVALID_ARGUMENT for anything else."""
    if not body.strip():
        return {}
    try:
        value = json.loads(body)
    except json.JSONDecodeError as problem:
        raise ApiError("INVALID_ARGUMENT", broken(body, problem.pos)) from None
    except UnicodeDecodeError:
        message = f"{_PAYLOAD} Encountered non UTF-8 code points."
        raise ApiError("INVALID_ARGUMENT", message) from None
    except RecursionError:
        message = f"{_PAYLOAD} Message too deep. Max recursion depth reached."
        raise ApiError("INVALID_ARGUMENT", message) from None
    if not isinstance(value, dict):
        message = f'{_PAYLOAD} Unknown name "": Root element must be a message.'
        raise _bad_request([("", message)])
    return value


def _bind_query(descriptor: Any, value: dict[str, Any], key: str, text: str) -> None:
    field_descriptor = _field(descriptor, key.split("."))
    if field_descriptor is None:
        message = (
            f'{_PAYLOAD} Unknown name "{key}": Cannot bind query parameter. '
            f"Field '{key}' could not be found in request message."
        )
        raise _bad_request([("", message)])
    parsed: Any = text
    if field_descriptor.type == FieldDescriptor.TYPE_BOOL:
        parsed = {"true": True, "false": False, "": True}.get(text.lower(), text)
    elif _is_mask(field_descriptor):
        parsed = _camel(text)
    elif field_descriptor.type == FieldDescriptor.TYPE_ENUM and re.fullmatch(r"-?\d+", text):
        parsed = int(text)
    _set(value, key.split("."), parsed, repeated=field_descriptor.is_repeated)


def _field(descriptor: Any, path: list[str]) -> Any:
    found = None
    for name in path:
        if descriptor is None:
            return None
        found = descriptor.fields_by_name.get(name) or descriptor.fields_by_camelcase_name.get(name)
        descriptor = found.message_type if found is not None else None
    return found


def _is_mask(descriptor: Any) -> bool:
    message = descriptor.message_type
    return message is not None and message.full_name == "google.protobuf.FieldMask"


def _camel(name: str) -> str:
    return re.sub(r"_([a-z0-9])", lambda found: found.group(1).upper(), name)


def _set(value: dict[str, Any], path: list[str], item: Any, *, repeated: bool = False) -> None:
    *parents, last = map(_camel, path)
    for name in parents:
        value = value.setdefault(name, {})
        if not isinstance(value, dict):  # sent as something else: its type refuses it
            return
    # The same field in snake case (a body may use either) would be a duplicate.
    value.pop(path[-1], None) if path[-1] != last else None
    if repeated:
        value.setdefault(last, []).append(item)
    else:
        value[last] = item


def _bad_request(found: Iterable[tuple[str, str]]) -> ApiError:
    """INVALID_ARGUMENT with all that was found, as text and as field violations."""
    violations = [
        {"field": field, "description": sentence} if field else {"description": sentence}
        for field, sentence in found
    ]
    detail = {
        "@type": "type.googleapis.com/google.rpc.BadRequest",
        "fieldViolations": violations,
    }
    text = "\n".join(violation["description"] for violation in violations)
    return ApiError("INVALID_ARGUMENT", text, [detail])
