"""The pages made from the commands, and what every command's help has."""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ops.cli import app as program
from ops.cli import reference
from ops.errors import Code

DOCS = Path(reference.__file__).parents[2] / "docs"


def every_command() -> Iterator[tuple[str, Any]]:
    """Each command that does something, by its full name."""
    for name in program.COMMANDS:
        loaded = program.load(name)
        for inner, command in getattr(loaded, "commands", {"": loaded}).items():
            yield f"ops {name} {inner}".strip(), command


@pytest.mark.parametrize("name", ["commands.md", "errors.md"])
def test_the_generated_pages_are_current(name: str) -> None:
    """What lies in docs/ is what the code says now; `make docs` writes it."""
    assert (DOCS / name).read_text(encoding="utf-8") == reference.pages()[name]


def test_every_command_has_examples_of_itself() -> None:
    """The help of each command ends with lines to type that begin with its own name."""
    without = [
        name
        for name, command in every_command()
        if not any(name in line for line in (command.epilog or "").split("\n")[1:])
    ]

    assert without == []


def test_every_option_and_argument_says_what_it_is() -> None:
    """No option or argument is without its line of help."""
    silent = [
        f"{name} {one.opts[0]}"
        for name, command in every_command()
        for one in command.params
        if not one.help
    ]

    assert silent == []


def test_every_error_code_is_explained() -> None:
    """Each code has its sentence, and there is none for a code that is not."""
    told = tomllib.loads(reference.MEANINGS.read_text(encoding="utf-8"))

    assert set(told) == {str(code) for code in Code}
