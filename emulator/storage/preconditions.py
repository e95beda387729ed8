"""The preconditions of Cloud Storage, decided where the write becomes visible."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from emulator.storage.errors import StorageError, condition_not_met, invalid

if TYPE_CHECKING:
    from emulator.storage.http import Call

# https://cloud.google.com/storage/docs/request-preconditions: generation 0 means "no live object".
ABSENT = 0
LARGEST = (1 << 63) - 1


class NotModifiedError(Exception):
    """A read whose not-match condition did not hold: 304 and no body."""


@dataclass(frozen=True)
class Preconditions:
    """What a request demands of the object (or bucket) as it is now; None demands nothing.

    `etags` and `not_etags` are those of `If-Match` and `If-None-Match`; `*` is any that exists.
    """

    generation: int | None = None
    not_generation: int | None = None
    metageneration: int | None = None
    not_metageneration: int | None = None
    etags: tuple[str, ...] = ()
    not_etags: tuple[str, ...] = ()

    @classmethod
    def from_query(cls, query: Mapping[str, str], suffix: str = "") -> Preconditions:
        """Reads `ifGenerationMatch` and its three siblings; `suffix` Source: `ifSource…`."""
        return cls(
            _integer(query, f"if{suffix}GenerationMatch"),
            _integer(query, f"if{suffix}GenerationNotMatch"),
            _integer(query, f"if{suffix}MetagenerationMatch"),
            _integer(query, f"if{suffix}MetagenerationNotMatch"),
        )

    @classmethod
    def of_call(cls, call: Call) -> Preconditions:
        """The four of the query, and the etags of `If-Match` and `If-None-Match`."""
        headers = call.headers
        if not ("if-match" in headers or "if-none-match" in headers or _asks(call.query)):
            return NONE
        return cls(
            _integer(call.query, "ifGenerationMatch"),
            _integer(call.query, "ifGenerationNotMatch"),
            _integer(call.query, "ifMetagenerationMatch"),
            _integer(call.query, "ifMetagenerationNotMatch"),
            _etags(call.headers.get("if-match")),
            _etags(call.headers.get("if-none-match")),
        )

    def check_write(self, generation: int, metageneration: int, etag: str = "") -> None:
        """Raises 412 unless every demand holds; an absent object is (0, 0) without an etag."""
        self._check_matches(generation, metageneration, etag)
        if self._unwanted(generation, metageneration, etag):
            raise condition_not_met("If-None-Match")

    def check_read(self, generation: int, metageneration: int, etag: str = "") -> None:
        """Raises 412 for a match that fails and NotModifiedError for a not-match that fails."""
        self._check_matches(generation, metageneration, etag)
        if self._unwanted(generation, metageneration, etag):
            raise NotModifiedError

    def _check_matches(self, generation: int, metageneration: int, etag: str) -> None:
        for wanted, actual in (
            (self.generation, generation),
            (self.metageneration, metageneration),
        ):
            if wanted is not None and wanted != actual:
                raise condition_not_met()
        if self.etags and not _named(etag, self.etags):
            raise condition_not_met()

    def _unwanted(self, generation: int, metageneration: int, etag: str) -> bool:
        return (
            generation == self.not_generation
            or metageneration == self.not_metageneration
            or _named(etag, self.not_etags)
        )


NONE = Preconditions()


def _asks(query: Mapping[str, str]) -> bool:
    return any(name.startswith("if") for name in query)


def _named(etag: str, wanted: tuple[str, ...]) -> bool:
    return bool(etag) and (etag in wanted or "*" in wanted)


def _etags(text: str | None) -> tuple[str, ...]:
    """The etags of a header; quotes and the mark of a weak one do not count (RFC 9110, 8.8.3)."""
    if text is None:
        return ()
    parts = (part.strip().removeprefix("W/").strip('"') for part in text.split(","))
    return tuple(part for part in parts if part)


def _integer(query: Mapping[str, str], name: str) -> int | None:
    text = query.get(name)
    if text is None:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 19 or int(text) > LARGEST:
        raise StorageError(
            400, "invalid", f"Invalid value '{text}' for {name}.", ("parameter", name)
        )
    return int(text)


def generation_of(query: Mapping[str, str], name: str = "generation") -> int | None:
    """The generation that a request asks for, or None for the live one."""
    text = query.get(name)
    if text is None:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 19 or int(text) > LARGEST:
        raise invalid(f"Invalid value '{text}' for {name}.")
    return int(text)
