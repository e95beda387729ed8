"""The filter language of list calls (google.aip.dev/160): text in, a test of a resource out.

AND binds weaker than OR; `NOT` and `-` negate; parentheses group; two terms side by side are both
wanted. Which fields there are, and what may be asked of them, is the schema's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from emulator.aiplatform.refusals import bad_field
from emulator.errors import ApiError

Body = Mapping[str, Any]
Test = Callable[[Body], bool]
MAX_CHARACTERS = 16_384
_NAME = re.compile(r"[A-Za-z_]\w*")
_MEMBER = re.compile(r"[\w/-]+")
_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"|\'((?:[^\'\\]|\\.)*)\'', re.DOTALL)
_OPERATOR = re.compile(r"<=|>=|!=|=|<|>|:")
_VALUE = re.compile(r"[^\s()\"',=<>!]+")
_SPACE = re.compile(r"\s*")


class Schema(Protocol):
    """What a collection lets clients ask."""

    @property
    def max_depth(self) -> int:
        """How deep parentheses may be."""
        ...

    def restriction(self, path: list[str], operator: str, value: str) -> Test:
        """The test of one comparison; ApiError where the field or the operator is not known."""
        ...

    def call(self, name: str, arguments: list[str]) -> Test:
        """The test of a function; ApiError where there is none of that name."""
        ...


def compiled(text: str, schema: Schema) -> Test:
    """Whether a resource passes the filter. INVALID_ARGUMENT for text that is no filter."""
    if len(text) > MAX_CHARACTERS:
        raise bad_field("filter", f"A filter has at most {MAX_CHARACTERS} characters.")
    if not text.strip():
        return lambda _: True
    return _Parser(text, schema).parse()


class _Parser:
    """One pass over the text; each method leaves the position behind what it took."""

    def __init__(self, text: str, schema: Schema) -> None:
        self._text = text
        self._schema = schema
        self._at = 0
        self._depth = 0

    def parse(self) -> Test:
        test = self._expression()
        if self._at < len(self._text):
            raise self._refused()
        return test

    def _refused(self) -> ApiError:
        rest = self._text[self._at : self._at + 40] or "its end"
        return bad_field("filter", f"Invalid filter: syntax error at '{rest}'.")

    def _skip(self) -> None:
        found = _SPACE.match(self._text, self._at)
        self._at = found.end() if found else self._at

    def _take(self, pattern: re.Pattern[str]) -> str | None:
        found = pattern.match(self._text, self._at)
        if found is None:
            return None
        self._at = found.end()
        return found.group(0)

    def _literal(self, text: str) -> bool:
        self._skip()
        if not self._text.startswith(text, self._at):
            return False
        self._at += len(text)
        return True

    def _word(self, word: str) -> bool:
        """Takes AND, OR or NOT where it stands as a word of its own."""
        self._skip()
        end = self._at + len(word)
        if not self._text.startswith(word, self._at) or self._text[end : end + 1].strip(" \t\n("):
            return False
        self._at = end
        return True

    def _expression(self) -> Test:
        tests = [self._factor()]
        while True:
            self._skip()
            ends = self._text[self._at : self._at + 1] in ("", ")")
            if ends:
                return tests[0] if len(tests) == 1 else lambda body: all(t(body) for t in tests)
            self._word("AND")
            tests.append(self._factor())

    def _factor(self) -> Test:
        tests = [self._term()]
        while self._word("OR"):
            tests.append(self._term())
        return tests[0] if len(tests) == 1 else lambda body: any(test(body) for test in tests)

    def _term(self) -> Test:
        if self._word("NOT") or self._literal("-"):
            test = self._simple()
            return lambda body: not test(body)
        return self._simple()

    def _simple(self) -> Test:
        if not self._literal("("):
            return self._restriction()
        self._depth += 1
        if self._depth > self._schema.max_depth:
            message = f"Filters are nested at most {self._schema.max_depth} deep."
            raise bad_field("filter", f"Invalid filter: {message}")
        test = self._expression()
        if not self._literal(")"):
            raise self._refused()
        self._depth -= 1
        return test

    def _restriction(self) -> Test:
        path = self._path()
        if self._text.startswith("(", self._at):
            return self._call(".".join(path))
        self._skip()
        operator = self._take(_OPERATOR)
        if operator is None:
            raise self._refused()
        if self._literal("("):
            return self._several(path, operator)
        tests = [self._schema.restriction(path, operator, self._value())]
        while operator == ":" and self._literal(","):  # the SDK joins parent contexts like this
            tests.append(self._schema.restriction(path, operator, self._value()))
        return tests[0] if len(tests) == 1 else lambda body: all(test(body) for test in tests)

    def _several(self, path: list[str], operator: str) -> Test:
        """`field=(a OR b)`, `field:(a AND b)`: one field against several values."""
        tests = [self._schema.restriction(path, operator, self._value())]
        joint = next((word for word in ("OR", "AND") if self._word(word)), "")
        while joint:
            tests.append(self._schema.restriction(path, operator, self._value()))
            if not self._word(joint):
                break
        if not self._literal(")"):
            raise self._refused()
        wanted = any if joint == "OR" else all
        return lambda body: wanted(test(body) for test in tests)

    def _path(self) -> list[str]:
        self._skip()
        first = self._take(_NAME)
        if first is None:
            raise self._refused()
        path = [first]
        while self._text.startswith(".", self._at):
            self._at += 1
            quoted = self._string()
            member = self._take(_MEMBER) if quoted is None else quoted
            if member is None:
                raise self._refused()
            path.append(member)
        return path

    def _string(self) -> str | None:
        found = _STRING.match(self._text, self._at)
        if found is None:
            return None
        self._at = found.end()
        inside = found.group(1) if found.group(1) is not None else found.group(2)
        return re.sub(r"\\(.)", r"\1", inside, flags=re.DOTALL)

    def _value(self) -> str:
        self._skip()
        quoted = self._string()
        if quoted is not None:
            return quoted
        value = self._take(_VALUE)
        if value is None:
            raise self._refused()
        if self._text.startswith("(", self._at):
            raise bad_field("filter", f"Invalid filter: unsupported function '{value}'.")
        return value

    def _call(self, name: str) -> Test:
        self._at += 1
        arguments: list[str] = []
        while not self._literal(")"):
            if arguments and not self._literal(","):
                raise self._refused()
            arguments.append(self._value())
        return self._schema.call(name, arguments)
