"""Cloud Logging's query language: comparisons joined by AND, OR and NOT, and words to search for.

As https://cloud.google.com/logging/docs/view/logging-query-language has it: OR binds closer than
AND, AND may be left out, comparisons of text ignore case (regular expressions do not), a field
that an entry lacks fails every comparison. Functions (`sample`, `ip_in_net`, …) are not here.
"""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from emulator.errors import ApiError
from emulator.logging.expressions import expression
from emulator.logging.severities import RANKS, severity

Entry = Mapping[str, Any]
Test = Callable[[Entry], bool]
_SPACE = re.compile(r"(?:\s|--[^\n]*(?:\n|$))*")
_WORD = re.compile(r'(?:"(?:[^"\\]|\\.)*"|[^\s()=<>!:~"])+')
_VALUE = re.compile(r'"(?:[^"\\]|\\.)*"|[^\s()"]+')
_OPERATOR = re.compile(r"!=|>=|<=|=~|!~|=|>|<|:")
_SEGMENT = re.compile(r'"((?:[^"\\]|\\.)*)"|([^."]+)')
_ORDERED: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
    ">=": operator.ge,
    "<=": operator.le,
}
TIMES = ("timestamp", "receiveTimestamp")


@dataclass(frozen=True)
class Filter:
    """A test of entries, and what every entry that passes must have, to find them faster."""

    test: Test
    job: str = ""
    since: str = ""


def parse(text: str) -> Filter:
    """The filter that a text stands for. INVALID_ARGUMENT for text that is none."""
    parser = _Parser(text)
    test = parser.expression() if not parser.is_at_end() else lambda _entry: True
    if not parser.is_at_end():
        raise parser.refused()
    return Filter(test, parser.job, parser.since)


class _Parser:
    """Reads a filter from left to right; what every entry must have is noted on the way."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self.job = ""
        self.since = ""
        self._skip()

    def is_at_end(self) -> bool:
        """Whether everything has been read."""
        return self._at >= len(self._text)

    def refused(self) -> ApiError:
        """What is wrong, and where."""
        rest = self._text[self._at : self._at + 40]
        return ApiError("INVALID_ARGUMENT", f"Unparseable filter: syntax error at {rest!r}.")

    def expression(self) -> Test:
        """Factors that must all hold."""
        factors = [self._factor()]
        while not self.is_at_end() and self._text[self._at] != ")":
            self._keyword("AND")
            factors.append(self._factor())
        return factors[0] if len(factors) == 1 else lambda entry: all(t(entry) for t in factors)

    def _factor(self) -> Test:
        """Terms of which one must hold."""
        before = (self.job, self.since)
        terms = [self._term()]
        while self._keyword("OR"):
            terms.append(self._term())
        if len(terms) == 1:
            return terms[0]
        self.job, self.since = before
        return lambda entry: any(term(entry) for term in terms)

    def _term(self) -> Test:
        if self._keyword("NOT") or self._mark("-"):
            before = (self.job, self.since)
            test = self._term()
            self.job, self.since = before
            return lambda entry: not test(entry)
        if self._mark("("):
            test = self.expression()
            if not self._mark(")"):
                raise self.refused()
            return test
        return self._restriction()

    def _restriction(self) -> Test:
        word = self._take(_WORD)
        comparison = _OPERATOR.match(self._text, self._at)
        if comparison is None:
            return _search(_unquoted(word))
        self._at = comparison.end()
        self._skip()
        path = tuple(_unescaped(a) if a else b for a, b in _SEGMENT.findall(word))
        if self._mark("("):
            values = [_unquoted(self._take(_VALUE))]
            while self._keyword("OR"):
                values.append(_unquoted(self._take(_VALUE)))
            if not self._mark(")"):
                raise self.refused()
            tests = [_compare(path, comparison.group(), value) for value in values]
            return lambda entry: any(test(entry) for test in tests)
        value = _unquoted(self._take(_VALUE))
        self._note(path, comparison.group(), value)
        return _compare(path, comparison.group(), value)

    def _note(self, path: tuple[str, ...], sign: str, value: str) -> None:
        if path == ("resource", "labels", "job_id") and sign == "=":
            self.job = value
        if path == ("timestamp",) and sign in (">", ">=") and (moment := _time(value)):
            self.since = max(self.since, moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ"))

    def _take(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self._text, self._at)
        if found is None:
            raise self.refused()
        self._at = found.end()
        self._skip()
        return found.group()

    def _mark(self, character: str) -> bool:
        if not self._text.startswith(character, self._at):
            return False
        self._at += 1
        self._skip()
        return True

    def _keyword(self, word: str) -> bool:
        found = re.compile(rf"{word}(?=[\s(])").match(self._text, self._at)
        if found is None:
            return False
        self._at = found.end()
        self._skip()
        return True

    def _skip(self) -> None:
        found = _SPACE.match(self._text, self._at)
        self._at = found.end() if found else self._at


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)


def _unquoted(text: str) -> str:
    is_quoted = len(text) >= 2 and text[0] == text[-1] == '"'
    return _unescaped(text[1:-1]) if is_quoted else text


def _search(word: str) -> Test:
    """Entries that have the word anywhere."""
    wanted = word.lower()
    return lambda entry: wanted in json.dumps(entry, ensure_ascii=False).lower()


def _camel(name: str) -> str:
    return re.sub(r"_([a-z])", lambda found: found.group(1).upper(), name)


def _lookup(entry: Entry, path: tuple[str, ...]) -> Any:
    value: Any = entry
    for place, key in enumerate(path):
        if not isinstance(value, Mapping):
            return None
        value = value.get(key, value.get(_camel(key)) if place == 0 else None)
    return value


def _compare(path: tuple[str, ...], sign: str, wanted: str) -> Test:
    """The test of one comparison. INVALID_ARGUMENT for a time, severity or pattern that is none."""
    if sign in ("=~", "!~"):
        return _matches(path, wanted, is_wanted=sign == "=~")
    if sign == ":":
        return lambda entry: _has(_lookup(entry, path), wanted)
    compare = _ORDERED[sign]
    if path == ("severity",):
        name = severity(wanted)
        if name is None:
            raise ApiError("INVALID_ARGUMENT", f"Unparseable filter: no severity {wanted!r}.")
        return lambda entry: compare(RANKS[entry.get("severity", "DEFAULT")], RANKS[name])
    if path[0] in TIMES:
        moment = _time(wanted)
        if moment is None:
            raise ApiError("INVALID_ARGUMENT", f"Unparseable filter: no time {wanted!r}.")
        return lambda entry: (
            (have := _time(str(_lookup(entry, path)))) is not None and compare(have, moment)
        )
    return lambda entry: _is(compare, _lookup(entry, path), wanted)


def _is(compare: Callable[[Any, Any], bool], have: Any, wanted: str) -> bool:
    if have is None:
        return False
    if isinstance(have, (int, float)) and not isinstance(have, bool):
        try:
            return compare(float(have), float(wanted))
        except ValueError:
            return False
    text = json.dumps(have) if isinstance(have, (bool, list, Mapping)) else str(have)
    return compare(text.lower(), wanted.lower())


def _has(have: Any, wanted: str) -> bool:
    """`field:text`, `field:*`, and keys of an object."""
    if have is None:
        return False
    if wanted == "*" or (isinstance(have, Mapping) and wanted in have):
        return True
    return wanted.lower() in (have if isinstance(have, str) else json.dumps(have)).lower()


def _matches(path: tuple[str, ...], pattern: str, *, is_wanted: bool) -> Test:
    wanted = expression(pattern)

    def test(entry: Entry) -> bool:
        have = _lookup(entry, path)
        return have is not None and (wanted.search(str(have)) is not None) is is_wanted

    return test


def _time(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
