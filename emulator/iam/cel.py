"""The part of CEL that IAM conditions use: read once, evaluated for each request.

Literals, lists, `!`, `&&`, `||`, comparison, `in`, member access and calls; no arithmetic, macros
or ternaries. cloud.google.com/iam/docs/conditions-attribute-reference, as of 2026-05-30.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from emulator.iam.cel_functions import CelError, call, compared

Value = Any
Node = Callable[[Mapping[str, Value]], Value]

TOKEN = re.compile(
    r"""\s*(?:(?P<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(?P<number>-?\d+(?:\.\d+)?)"""
    r"""|(?P<name>[A-Za-z_]\w*)|(?P<sign>&&|\|\||==|!=|<=|>=|[<>!()\[\].,]))"""
)
COMPARISONS = ("==", "!=", "<", "<=", ">", ">=", "in")
LITERALS = {"true": True, "false": False, "null": None}
ESCAPE = re.compile(r"\\(.)")
LONGEST = 5_000  # characters; Google allows 12 logical operators
DEEPEST = 50
LONGEST_NUMBER = 40


@lru_cache(maxsize=256)
def compiled(text: str) -> Node:
    """What evaluates an expression. CelError for what is not understood."""
    if len(text) > LONGEST:
        raise CelError(f"The expression has more than {LONGEST} characters.")
    parser = _Parser(_tokens(text))
    node = parser.either()
    parser.expect_end()
    return node


def _tokens(text: str) -> list[tuple[str, str]]:
    found, position = [], 0
    text = text.rstrip()
    while position < len(text):
        match = TOKEN.match(text, position)
        if match is None:
            raise CelError(f"Not understood from here: {text[position:][:40]}")
        kind = str(match.lastgroup)
        found.append((kind, match[kind]))
        position = match.end()
    return found


class _Parser:
    """Recursive descent, a method for each rank of operators."""

    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self._tokens = tokens
        self._at = 0
        self._depth = 0

    def either(self) -> Node:
        """`a || b`, where a true side makes up for one that cannot be told."""
        node = self._both()
        while self._take("||"):
            node = _joined(node, self._both(), decides=True)
        return node

    def expect_end(self) -> None:
        """Nothing is left."""
        if self._at < len(self._tokens):
            raise CelError(f"Not understood: {self._tokens[self._at][1]}")

    def _both(self) -> Node:
        node = self._comparison()
        while self._take("&&"):
            node = _joined(node, self._comparison(), decides=False)
        return node

    def _comparison(self) -> Node:
        left = self._unary()
        sign = self._peek()[1]
        if sign not in COMPARISONS:
            return left
        self._at += 1
        right = self._unary()
        return lambda facts: compared(sign, left(facts), right(facts))

    def _unary(self) -> Node:
        self._depth += 1
        if self._depth > DEEPEST:
            raise CelError(f"The expression is nested more than {DEEPEST} deep.")
        if self._take("!"):
            node = self._unary()
            self._depth -= 1
            return lambda facts: not _truth(node(facts))
        node = self._member()
        self._depth -= 1
        return node

    def _member(self) -> Node:
        node = self._primary()
        while self._take("."):
            name = self._name()
            is_call = self._take("(")
            node = _call(name, [node, *self._list(")")]) if is_call else _field(node, name)
        return node

    def _primary(self) -> Node:
        kind, text = self._next()
        if kind == "string":
            value = ESCAPE.sub(r"\1", text[1:-1])
            return lambda _: value
        if kind == "number":
            if len(text) > LONGEST_NUMBER:
                raise CelError(f"A number has more than {LONGEST_NUMBER} characters.")
            number = float(text) if "." in text else int(text)
            return lambda _: number
        if text == "(":
            node = self.either()
            self._expect(")")
            return node
        if text == "[":
            items = self._list("]")
            return lambda facts: [item(facts) for item in items]
        if kind != "name":
            raise CelError(f"Not understood: {text}")
        return self._named(text)

    def _named(self, name: str) -> Node:
        if name in LITERALS:
            return lambda _: LITERALS[name]
        if self._take("("):
            return _call(name, self._list(")"))
        return lambda facts: _looked_up(facts, name)

    def _list(self, end: str) -> list[Node]:
        items: list[Node] = []
        while not self._take(end):
            if items:
                self._expect(",")
            items.append(self.either())
        return items

    def _name(self) -> str:
        kind, text = self._next()
        if kind != "name":
            raise CelError(f"A name was expected. Received: {text}")
        return text

    def _peek(self) -> tuple[str, str]:
        return self._tokens[self._at] if self._at < len(self._tokens) else ("end", "")

    def _next(self) -> tuple[str, str]:
        token = self._peek()
        if token[0] == "end":
            raise CelError("The expression ends too early.")
        self._at += 1
        return token

    def _take(self, sign: str) -> bool:
        is_there = self._peek() == ("sign", sign)
        self._at += is_there
        return is_there

    def _expect(self, sign: str) -> None:
        if not self._take(sign):
            raise CelError(f"{sign} was expected. Received: {self._peek()[1] or 'the end'}")


def _joined(left: Node, right: Node, *, decides: bool) -> Node:
    """`||` (true decides) or `&&` (false decides), in any order, as CEL has it."""

    def node(facts: Mapping[str, Value]) -> Value:
        problem: CelError | None = None
        for side in (left, right):
            try:
                if _truth(side(facts)) is decides:
                    return decides
            except CelError as error:
                problem = error
        if problem is not None:
            raise problem
        return not decides

    return node


def _call(name: str, arguments: list[Node]) -> Node:
    return lambda facts: call(name, [argument(facts) for argument in arguments])


def _field(owner: Node, name: str) -> Node:
    return lambda facts: _looked_up(owner(facts), name)


def _looked_up(owner: Value, name: str) -> Value:
    if not isinstance(owner, Mapping) or name not in owner:
        raise CelError(f"There is no attribute {name} here.")
    return owner[name]


def _truth(value: Value) -> bool:
    if not isinstance(value, bool):
        raise CelError(f"Not a truth value: {value!r}")
    return value
