"""The `filter` of `objects.list`: which contexts an object must have, or must not."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from emulator.storage.errors import invalid

# https://cloud.google.com/storage/docs/listing-objects#filter-by-object-contexts:
# contexts."KEY"="VALUE", contexts."KEY":*, each with a minus before it for "not".
TERM = re.compile(r'(-|NOT )?\s*contexts\."([^"]+)"\s*(?:=\s*"([^"]*)"|:\s*"?\*"?)')


@dataclass(frozen=True)
class Wanted:
    """One demand: a key, its value (None: any), and whether it must be absent."""

    key: str
    value: str | None
    absent: bool

    def holds(self, body: Mapping[str, Any]) -> bool:
        """Whether an object with these fields meets the demand."""
        payload = ((body.get("contexts") or {}).get("custom") or {}).get(self.key)
        found = payload is not None and self.value in (None, payload.get("value"))
        return found != self.absent


def parsed(text: str) -> tuple[Wanted, ...]:
    """The demands of a filter, all of which must hold. 400 for another language."""
    wanted: list[Wanted] = []
    for part in re.split(r"\s+AND\s+", text.strip()) if text.strip() else []:
        found = TERM.fullmatch(part.strip())
        if found is None:
            raise invalid(f"Invalid filter: '{text}'.")
        wanted.append(Wanted(found[2], found[3], found[1] is not None))
    return tuple(wanted)
