"""`tf.train.Example` written and read without TensorFlow: what a TFRecord shard of photos holds.

The message is three levels of protocol buffers (tensorflow/core/example/example.proto and
feature.proto): Example {Features {map of name → bytes, floats or 64-bit integers}}.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

BYTES, FLOATS, INTEGERS = 1, 2, 3
VARINT, EIGHT_BYTES, LENGTH, FOUR_BYTES = 0, 1, 2, 5

Values = Sequence[bytes] | Sequence[float] | Sequence[int]
Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Feature:
    """The values of one name: `spans` say where byte strings begin and end in the message."""

    spans: tuple[Span, ...] = ()
    floats: tuple[float, ...] = ()
    integers: tuple[int, ...] = ()


def encoded(features: Mapping[str, Values]) -> bytes:
    """The Example with these features, in order of their names: the same ones, the same bytes."""
    entries = (
        _field(1, _field(1, name.encode()) + _field(2, _list_of(features[name])))
        for name in sorted(features)
    )
    return _field(1, b"".join(entries))


def decoded(data: bytes) -> dict[str, Feature]:
    """The features of an Example by name. Raises ValueError for what is not one."""
    found: dict[str, Feature] = {}
    for _, features in _parts(data, (0, len(data)), 1):
        for _, entry in _parts(data, features, 1):
            name, value = "", Feature()
            for number, span in _parts(data, entry, 1, 2):
                if number == 1:
                    name = data[slice(*span)].decode()
                else:
                    value = _feature(data, span)
            found[name] = value
    return found


def texts(data: bytes, feature: Feature | None) -> tuple[str, ...]:
    """The byte strings of a feature as texts; none without it. Raises ValueError."""
    return tuple(data[start:stop].decode() for start, stop in feature.spans) if feature else ()


def _list_of(values: Values) -> bytes:
    if not values or isinstance(values[0], bytes):
        return _field(BYTES, b"".join(_field(1, one) for one in values if isinstance(one, bytes)))
    if isinstance(values[0], float):
        packed = struct.pack(f"<{len(values)}f", *values)
        return _field(FLOATS, _field(1, packed))
    numbers = b"".join(_varint(int(one) & (2**64 - 1)) for one in values)
    return _field(INTEGERS, _field(1, numbers))


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | LENGTH) + _varint(len(content)) + content


def _varint(number: int) -> bytes:
    parts = bytearray()
    while number > 127:
        parts.append(number & 127 | 128)
        number >>= 7
    parts.append(number)
    return bytes(parts)


def _feature(data: bytes, span: Span) -> Feature:
    for kind, listed in _parts(data, span, BYTES, FLOATS, INTEGERS):
        if kind == BYTES:
            return Feature(spans=tuple(one for _, one in _parts(data, listed, 1)))
        if kind == FLOATS:
            return Feature(floats=tuple(_floats(data, listed)))
        return Feature(integers=tuple(_integers(data, listed)))
    return Feature()


def _floats(data: bytes, span: Span) -> Iterator[float]:
    for _, (start, stop) in _parts(data, span, 1, kinds=(LENGTH, FOUR_BYTES)):
        if (stop - start) % 4:
            raise ValueError("a list of floats is cut")
        yield from struct.unpack(f"<{(stop - start) // 4}f", data[start:stop])


def _integers(data: bytes, span: Span) -> Iterator[int]:
    for _, (start, stop) in _parts(data, span, 1, kinds=(LENGTH, VARINT)):
        while start < stop:
            number, start = _number(data, start, stop)
            yield number - 2**64 if number >= 2**63 else number


def _parts(
    data: bytes, span: Span, *wanted: int, kinds: tuple[int, ...] = (LENGTH,)
) -> Iterator[tuple[int, Span]]:
    """The fields of a message that are wanted: number, and where the content is."""
    place, stop = span
    while place < stop:
        tag, place = _number(data, place, stop)
        number, kind = tag >> 3, tag & 7
        begin, place = _content(data, place, stop, kind)
        if place > stop:
            raise ValueError("a field is longer than its message")
        if number in wanted:
            if kind not in kinds:
                raise ValueError(f"field {number} has wire type {kind}")
            yield number, (begin, place)


def _content(data: bytes, place: int, stop: int, kind: int) -> Span:
    if kind == LENGTH:
        length, place = _number(data, place, stop)
        return place, place + length
    if kind == VARINT:
        return place, _number(data, place, stop)[1]
    if kind in (EIGHT_BYTES, FOUR_BYTES):
        return place, place + (8 if kind == EIGHT_BYTES else 4)
    raise ValueError(f"wire type {kind} is unknown")


def _number(data: bytes, place: int, stop: int) -> tuple[int, int]:
    """A varint and the place after it."""
    number = shift = 0
    while place < stop and shift < 70:
        byte = data[place]
        number |= (byte & 127) << shift
        place, shift = place + 1, shift + 7
        if byte < 128:
            return number, place
    raise ValueError("a number is cut")
