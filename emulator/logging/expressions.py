"""Regular expressions of filters: those that RE2 has too, and that cannot take for ever here.

Cloud Logging's are RE2's (https://cloud.google.com/logging/docs/view/logging-query-language),
whose time grows with the text alone; Python's grows exponentially where repeats are nested.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import import_module
from typing import Any

from emulator.errors import ApiError

LONGEST = 1_000  # characters
# Each may double the time: `a?a?a?aaa` is the well-known one.
MOST_CHOICES = 12
CHOICE = ""
INSIDE = "repeats and alternatives inside a repeat are not taken here"
REPEATS = frozenset({"MAX_REPEAT", "MIN_REPEAT"})
# What RE2 has not (https://github.com/google/re2/wiki/Syntax).
FOREIGN = frozenset({
    "ASSERT", "ASSERT_NOT", "GROUPREF", "GROUPREF_EXISTS", "ATOMIC_GROUP", "POSSESSIVE_REPEAT",
})  # fmt: skip


def expression(pattern: str) -> re.Pattern[str]:
    """The compiled pattern. INVALID_ARGUMENT for one that is none, or could take for ever."""
    if len(pattern) > LONGEST:
        raise _refused(pattern, f"it has more than {LONGEST} characters")
    try:
        compiled = re.compile(pattern)
        tree: Any = import_module("re._parser").parse(pattern)
        found = list(_problems(tree, is_repeated=False))
    except (re.error, OverflowError, RecursionError) as error:
        raise _refused(pattern, str(error)) from None
    problems = [one for one in found if one != CHOICE]
    if problems:
        raise _refused(pattern, problems[0])
    if len(found) > MOST_CHOICES:
        raise _refused(pattern, f"it has more than {MOST_CHOICES} repeats and alternatives")
    return compiled


def _problems(tree: Any, *, is_repeated: bool) -> Iterator[str]:
    """What is wrong in a parsed pattern, and its choices; `is_repeated`: it stands in a repeat."""
    if isinstance(tree, list | tuple) or hasattr(tree, "data"):
        code = tree[0] if isinstance(tree, tuple) and tree else None
        name = str(code) if hasattr(code, "name") else ""
        if name in FOREIGN:
            yield f"RE2 has no {name}"
        varies = name == "BRANCH" or (name in REPEATS and tree[1][0] != tree[1][1])
        if varies:
            yield INSIDE if is_repeated else CHOICE
        repeats = name in REPEATS and tree[1][1] > 1
        for part in tree:
            yield from _problems(part, is_repeated=is_repeated or repeats)


def _refused(pattern: str, why: str) -> ApiError:
    message = f"Unparseable filter: regular expression {pattern[:100]!r}: {why}."
    return ApiError("INVALID_ARGUMENT", message)
