"""What a list method lets clients ask, by `lists.toml` and the descriptor of its resource."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from emulator.aiplatform import comparisons
from emulator.aiplatform.filters import Test
from emulator.aiplatform.masks import camel
from emulator.aiplatform.messages import PREFIX, vertex_types
from emulator.aiplatform.refusals import bad_field

FILE = Path(__file__).parent / "lists.toml"
MAX_DEPTH = 32
DEFAULT_PAGE, LARGEST_PAGE = 100, 1000
Function = Callable[[list[str]], Test]
Relation = Callable[[str], Test]


@cache
def _tables() -> Mapping[str, Mapping[str, Any]]:
    return tomllib.loads(FILE.read_text())


@dataclass(frozen=True)
class ListSchema:
    """One collection: its message, fields, order, and what a handler adds of its own.

    `functions` take a function's arguments, `relations` what stands behind `field:`; both give
    a test.
    """

    key: str
    functions: Mapping[str, Function] = field(default_factory=dict)
    relations: Mapping[str, Relation] = field(default_factory=dict)

    @property
    def _table(self) -> Mapping[str, Any]:
        return _tables()[self.key]

    @property
    def max_depth(self) -> int:
        """How deep parentheses may be."""
        return int(self._table.get("depth", MAX_DEPTH))

    @property
    def default_order(self) -> str:
        """The orderBy of a request without one."""
        return str(self._table.get("default", ""))

    @property
    def page_sizes(self) -> tuple[int, int]:
        """The default and the largest size of a page."""
        default, largest = self._table.get("page", (DEFAULT_PAGE, LARGEST_PAGE))
        return int(default), int(largest)

    def restriction(self, path: list[str], operator: str, value: str) -> Test:
        """The test of one comparison; INVALID_ARGUMENT for what cannot be asked of the field."""
        name, allowed = self._allowed(path)
        shown = ".".join(path)
        if operator not in allowed:
            message = f"Operator '{operator}' is not supported for field '{shown}'."
            raise bad_field("filter", f"Invalid filter: {message}")
        if name in self.relations:
            test = self.relations[name](value)
            return (lambda body: not test(body)) if operator == "!=" else test
        if "id" in allowed:
            return comparisons.of_id(operator, value)
        if kept := self._table.get("paths", {}).get(name):
            return comparisons.of_text(kept.split("."), operator, value)
        kinds = self._kinds(path)
        if kinds is None:
            return comparisons.of_text([camel(part) for part in path], operator, value)
        return comparisons.test(kinds, operator, value)

    def _allowed(self, path: list[str]) -> tuple[str, list[str]]:
        """The field of the table that a path is of, and its operators."""
        fields = self._table.get("fields")
        if fields is None:
            if self._kinds(path) is None:
                raise _unknown(path)
            return path[0], list(comparisons.OPERATORS)
        shown = camel(".".join(path))
        for name, operators in fields.items():
            if shown == camel(name) or camel(path[0]) == camel(name):
                return name, operators.split()
        raise _unknown(path)

    def call(self, name: str, arguments: list[str]) -> Test:
        """The test of a function. INVALID_ARGUMENT where the collection has none of that name."""
        if name not in self.functions:
            raise bad_field("filter", f"Invalid filter: unsupported function '{name}'.")
        return self.functions[name](arguments)

    def _kinds(self, path: list[str]) -> list[comparisons.Step] | None:
        """The keys and kinds along a path of the message, or None where it has no such field."""
        descriptor = vertex_types().pool.FindMessageTypeByName(PREFIX + self._table["message"])
        return comparisons.steps(descriptor, path)

    def check_order(self, path: str) -> bool:
        """Whether a field is ordered as a number.

        INVALID_ARGUMENT for one that the collection cannot be ordered by.
        """
        kinds = self._kinds(path.split("."))
        allowed = self._table.get("order")
        if allowed is not None and camel(path) not in {camel(one) for one in allowed}:
            message = f"Unsupported field '{path}'. Supported: {', '.join(allowed)}."
            raise bad_field("order_by", f"Invalid order by: {message}")
        if kinds is None:
            raise bad_field("order_by", f"Invalid order by: unknown field '{path}'.")
        return kinds[-1].kind == "number"

    def check_mask(self, path: list[str]) -> None:
        """Raises INVALID_ARGUMENT for a path that the resource has not."""
        if self._kinds(path) is None:
            raise bad_field("read_mask", f"Invalid field mask path: {'.'.join(path)}.")


def _unknown(path: list[str]) -> Exception:
    return bad_field("filter", f"Invalid filter: unsupported field '{'.'.join(path)}'.")
