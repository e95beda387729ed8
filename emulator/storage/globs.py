"""Glob patterns of `objects.list` (`matchGlob`), matched in a time that no pattern can stretch.

https://cloud.google.com/storage/docs/json_api/v1/objects/list#list-objects-and-prefixes-using-glob
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from emulator.storage.errors import invalid

TOKEN = re.compile(r"\*\*/|\*\*|\*|\?|\[[!^]?\]?[^\]]*\]|\{|\}|,|\\.|.", re.DOTALL)
# Folders of any depth, none too, are what two stars before a slash stand for.
MEANING = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
SPECIAL = re.compile(r"[*?\[{\\]")
# Up to so many stars and braces a regular expression tries at most the square of a name's length;
# beyond, all ways are followed at once, which is slower for most and fast for the worst.
CHOICES_LIMIT = 2


def literal_prefix(glob: str) -> str:
    """What every name that a glob matches starts with."""
    return SPECIAL.split(glob, maxsplit=1)[0]


def pattern(glob: str) -> Glob:
    """The names that a glob matches: `*` and `?` stay within a folder, `**` does not.

    Brackets are sets of characters, braces alternatives. 400 for what does not close.
    """
    tokens = TOKEN.findall(glob)
    depth = 0
    parts: list[str] = []
    for token in tokens:
        depth += (token == "{") - (token == "}")
        if depth < 0:
            break
        parts.append(_expression(token, depth))
    if depth != 0:
        raise invalid(f"Invalid glob pattern: '{glob}'. Its braces do not close.")
    try:
        expression = re.compile("".join(parts), re.DOTALL)
    except re.error as error:
        raise invalid(f"Invalid glob pattern: '{glob}'. {error}.") from None
    choices = sum(token in ("*", "**", "**/", "{") for token in tokens)
    return Glob(tuple(tokens), expression, choices <= CHOICES_LIMIT)


@dataclass(frozen=True)
class Glob:
    """A pattern by its tokens, and as a regular expression; `tame`: the latter is never slow."""

    tokens: tuple[str, ...]
    expression: re.Pattern[str]
    tame: bool

    def matches(self, name: str) -> bool:
        """Whether the whole name is as the pattern says."""
        if self.tame:
            return self.expression.fullmatch(name) is not None
        return Places(name).after(self.tokens)


class Places:
    """The places of a name that a pattern can have reached, as the bits of a number."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._end = 1 << len(name)
        self._slashes = self._where("/")
        self._inside = 0

    def after(self, tokens: tuple[str, ...]) -> bool:
        """Whether the tokens lead from the start of the name to its end."""
        reached, rest = self._through(1, list(tokens))
        assert not rest
        return bool(reached & self._end)

    def _through(self, reached: int, tokens: list[str]) -> tuple[int, list[str]]:
        """The places behind a sequence that ends with the tokens or before `,` or `}` of braces."""
        while tokens and (tokens[0] not in {",", "}"} or not self._inside):
            token, *tokens = tokens
            if token == "{":
                reached, tokens = self._either(reached, tokens)
            else:
                reached = self._step(reached, token)
        return reached, tokens

    def _either(self, reached: int, tokens: list[str]) -> tuple[int, list[str]]:
        """The places behind any of the alternatives, and what follows the closing brace."""
        self._inside += 1
        found = 0
        while True:
            places, tokens = self._through(reached, tokens)
            found |= places
            closing, *tokens = tokens
            if closing == "}":
                self._inside -= 1
                return found, tokens

    def _step(self, reached: int, token: str) -> int:
        if token == "?":
            return (reached & ~self._slashes & (self._end - 1)) << 1
        if token == "*":
            return self._within_folder(reached)
        if token in ("**", "**/"):
            behind = (2 * self._end - 1) & ~((reached & -reached) - 1) if reached else 0
            return behind if token == "**" else reached | (behind & self._slashes) << 1
        return (reached & self._where(token)) << 1

    def _within_folder(self, reached: int) -> int:
        """The places that any number of characters but slashes lead to."""
        free, distance = ~self._slashes & (self._end - 1), 1
        while free:
            reached |= (reached & free) << distance
            free &= free >> distance
            distance *= 2
        return reached

    def _where(self, token: str) -> int:
        """The places of the characters that a token stands for."""
        expression = re.compile(_expression(token, 0), re.DOTALL)
        return sum(1 << found.start() for found in expression.finditer(self._name))


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
