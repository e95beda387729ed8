"""The filters of a list of builds: tags and states, joined by AND."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from emulator.errors import ApiError

TERM = re.compile(r"""\s*(tags|status)\s*=\s*(?:"([^"]*)"|'([^']*)'|([\w.-]+))\s*""")


def read(text: str) -> Callable[[dict[str, Any]], bool]:
    """Whether a build passes: `tags="a" AND status="WORKING"`. UNIMPLEMENTED for other filters."""
    terms = [TERM.fullmatch(part) for part in re.split(r"\s+AND\s+", text)] if text.strip() else []
    if None in terms:
        message = f"The local cloud filters builds by tags and status, joined by AND; not by {text}"
        raise ApiError("UNIMPLEMENTED", message)
    wanted = [(one[1], one[2] or one[3] or one[4] or "") for one in terms if one]

    def passes(build: dict[str, Any]) -> bool:
        return all(
            value in build.get("tags", []) if field == "tags" else value == build["status"]
            for field, value in wanted
        )

    return passes
