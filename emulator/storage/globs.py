"""Glob patterns of `objects.list` (`matchGlob`), as regular expressions over whole names."""

from __future__ import annotations

import re

from emulator.storage.errors import invalid

# https://cloud.google.com/storage/docs/json_api/v1/objects/list#list-objects-and-prefixes-using-glob
TOKEN = re.compile(r"\*\*/|\*\*|\*|\?|\[[!^]?\]?[^\]]*\]|\{|\}|,|\\.|.", re.DOTALL)
# Folders of any depth, none too, are what two stars before a slash stand for.
MEANING = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
SPECIAL = re.compile(r"[*?\[{\\]")


def literal_prefix(glob: str) -> str:
    """What every name that a glob matches starts with."""
    return SPECIAL.split(glob, maxsplit=1)[0]


def pattern(glob: str) -> re.Pattern[str]:
    """The names that a glob matches: `*` and `?` stay within a folder, `**` does not.

    Brackets are sets of characters, braces alternatives. 400 for what does not close.
    """
    parts: list[str] = []
    depth = 0
    for token in TOKEN.findall(glob):
        depth += (token == "{") - (token == "}")
        if depth < 0:
            break
        parts.append(_expression(token, depth))
    if depth != 0:
        raise invalid(f"Invalid glob pattern: '{glob}'. Its braces do not close.")
    try:
        return re.compile("".join(parts), re.DOTALL)
    except re.error as error:
        raise invalid(f"Invalid glob pattern: '{glob}'. {error}.") from None


def _expression(token: str, depth: int) -> str:
    if token in MEANING:
        return MEANING[token]
    if token == "{":
        return "(?:"
    if token == "}":
        return ")"
    if token == "," and depth:
        return "|"
    if token.startswith("[") and len(token) > 1:
        inner = token[1:-1].replace("\\", "\\\\").replace("[", "\\[")
        negated = inner.startswith(("!", "^"))
        return f"[^/{inner[1:]}]" if negated else f"[{inner}]"
    return re.escape(token.removeprefix("\\") or token)
