"""Commands by task or image: the default table, and what `--engine` adds or overrides."""

import importlib.util
import re
import shlex
import sys
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

KINDS = ("train", "serve")
DEFAULT_TABLE = Path(__file__).with_name("engines.toml")


@dataclass(frozen=True)
class Engine:
    """One row: kind (`train` or `serve`), pattern, and the command as an argument list."""

    kind: str
    pattern: str
    command: tuple[str, ...]


def parse(text: str) -> Engine:
    """The row that `KIND:PATTERN=COMMAND` stands for; ValueError says what is wrong with it."""
    found = re.fullmatch(r"([^:]*):([^=]+)=(.*)", text, re.DOTALL)
    if found is None or found.group(1) not in KINDS:
        raise ValueError(
            "An engine is train:PATTERN=COMMAND or serve:PATTERN=COMMAND, for example "
            f"'train:automl_image_classification=python my_trainer.py'. Received: {text!r}."
        )
    command = tuple(shlex.split(found.group(3)))
    if not command:
        raise ValueError(f"An engine needs a command after the equals sign. Received: {text!r}.")
    return Engine(found.group(1), found.group(2), command)


def defaults() -> list[Engine]:
    """The rows of `engines.toml` whose module can be found here."""
    table = tomllib.loads(DEFAULT_TABLE.read_text())
    return [
        Engine(kind, row["pattern"], (sys.executable, "-m", row["module"]))
        for kind in KINDS
        for row in table[kind]
        if importlib.util.find_spec(row["module"].partition(".")[0]) is not None
    ]


def find(given: Iterable[str], kind: str, subject: str) -> tuple[str, ...] | None:
    """The command for a task name or image, or None; the last `--engine` that fits wins."""
    name = without_tag(subject)
    for engine in [*reversed([parse(text) for text in given]), *defaults()]:
        if engine.kind == kind and fnmatchcase(name, engine.pattern):
            return engine.command
    return None


def without_tag(image: str) -> str:
    """An image's name without `:tag` and `@digest`; a task name as it is."""
    name = image.partition("@")[0]
    head, slash, last = name.rpartition("/")
    return head + slash + last.partition(":")[0]
