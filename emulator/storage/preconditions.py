"""The four preconditions of Cloud Storage, decided where the write becomes visible."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from emulator.storage.errors import StorageError, condition_not_met, invalid

# https://cloud.google.com/storage/docs/request-preconditions: generation 0 means "no live object".
ABSENT = 0


class NotModifiedError(Exception):
    """A read whose not-match condition did not hold: 304 and no body."""


@dataclass(frozen=True)
class Preconditions:
    """What a request demands of the object (or bucket) as it is now; None demands nothing."""

    generation: int | None = None
    not_generation: int | None = None
    metageneration: int | None = None
    not_metageneration: int | None = None

    @classmethod
    def from_query(cls, query: Mapping[str, str], suffix: str = "") -> Preconditions:
        """Reads `ifGenerationMatch` and its three siblings; `suffix` Source: `ifSource…`."""
        return cls(
            _integer(query, f"if{suffix}GenerationMatch"),
            _integer(query, f"if{suffix}GenerationNotMatch"),
            _integer(query, f"if{suffix}MetagenerationMatch"),
            _integer(query, f"if{suffix}MetagenerationNotMatch"),
        )

    def check_write(self, generation: int, metageneration: int) -> None:
        """Raises 412 unless every demand holds; an absent object is (0, 0)."""
        for wanted, actual in (
            (self.generation, generation),
            (self.metageneration, metageneration),
        ):
            if wanted is not None and wanted != actual:
                raise condition_not_met()
        if self._unwanted(generation, metageneration):
            raise condition_not_met("If-None-Match")

    def check_read(self, generation: int, metageneration: int) -> None:
        """Raises 412 for a match that fails and NotModifiedError for a not-match that fails."""
        Preconditions(self.generation, None, self.metageneration).check_write(
            generation, metageneration
        )
        if self._unwanted(generation, metageneration):
            raise NotModifiedError

    def _unwanted(self, generation: int, metageneration: int) -> bool:
        return generation == self.not_generation or metageneration == self.not_metageneration


def _integer(query: Mapping[str, str], name: str) -> int | None:
    text = query.get(name)
    if text is None:
        return None
    if not text.isascii() or not text.isdigit():
        raise StorageError(
            400, "invalid", f"Invalid value '{text}' for {name}.", ("parameter", name)
        )
    return int(text)


def generation_of(query: Mapping[str, str], name: str = "generation") -> int | None:
    """The generation that a request asks for, or None for the live one."""
    text = query.get(name)
    if text is None:
        return None
    if not text.isascii() or not text.isdigit():
        raise invalid(f"Invalid value '{text}' for {name}.")
    return int(text)
