"""The flags of `python -m trainer.task`: read from `flags.toml`, checked, explained."""

from __future__ import annotations

import difflib
import math
import textwrap
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trainer.errors import UsageError

TABLE = Path(__file__).with_name("flags.toml")
MODEL_TYPE = "model-type"
HELP = ("--help", "-h")

Value = int | float | str | tuple[int, ...] | tuple[str, ...]


@dataclass(frozen=True)
class Flag:
    """One row of the table; `range` and `length` include both ends.

    `chosen` says what decides when there is no default and the flag is not given.
    """

    name: str
    type: str
    help: str
    default: Value | None = None
    chosen: str = ""
    required: bool = False
    range: tuple[float, float] = (-math.inf, math.inf)
    length: tuple[int, int] = (1, 1)
    choices: tuple[str, ...] = ()
    alone: tuple[str, ...] = ()
    renamed: Mapping[str, str] = field(default_factory=dict)
    model_types: tuple[str, ...] = ()

    def value(self, text: str) -> Value:
        """What a text means. Raises UsageError saying what is allowed."""
        try:
            return _READERS[self.type](self, text)
        except ValueError:
            instead = self.renamed.get(text)
            raise UsageError(
                f"--{self.name} must be {self.allowed()}. Received: {text!r}"
                + (f". Type --{self.name} {instead}." if instead else "")
            ) from None

    def allowed(self) -> str:
        """The values that the flag takes, as words."""
        if self.type == "choice":
            return "one of " + ", ".join(self.choices)
        if self.type == "text":
            return "a text that is not empty"
        if self.type == "names":
            return f"{', '.join(self.alone)}, or names by commas: {', '.join(self.choices)}"
        low, high = (f"{bound:g}" for bound in self.range)
        if self.type == "numbers":
            fewest, most = self.length
            return f"{fewest} to {most} whole numbers from {low} to {high}, with commas"
        words = f"{', '.join(self.choices)} or " if self.choices else ""
        kind = "number" if self.type == "float" else "whole number"
        return f"{words}a {kind} from {_plain(self.range[0])} to {_plain(self.range[1])}"


def read_table(path: Path = TABLE) -> dict[str, Flag]:
    """Every flag by its name, in the table's order."""
    rows = tomllib.loads(path.read_text("utf-8"))
    return {name: Flag(name, **_frozen(row)) for name, row in rows.items()}


def parse(arguments: Sequence[str], table: Mapping[str, Flag]) -> dict[str, Value]:
    """The flags that were given, by name; the last of a repeated one.

    Raises UsageError for a name or value that the table does not have, with the nearest ones; for
    a flag that the model type does not have; and when a required one is missing.
    """
    given: dict[str, Value] = {}
    rest = list(arguments)
    while rest:
        name, equals, text = rest.pop(0).partition("=")
        flag = _named(name, table)
        if not equals:
            if not rest:
                raise UsageError(f"--{flag.name} needs a value: {flag.allowed()}.")
            text = rest.pop(0)
        given[flag.name] = _checked(flag, text)
    _complete(given, table)
    return given


def settled(given: Mapping[str, Value], table: Mapping[str, Flag]) -> dict[str, Value | None]:
    """Every flag of the given model type: as given, else its default, else None."""
    model_type = given[MODEL_TYPE]
    return {
        name: given.get(name, flag.default)
        for name, flag in table.items()
        if not flag.model_types or model_type in flag.model_types
    }


def explained(table: Mapping[str, Flag]) -> str:
    """The text of `--help`."""
    lines = [
        "Trains one image classifier, evaluates and exports it.",
        "",
        "  python -m trainer.task --manifest gs://BUCKET/datasets/NAME/DIGEST/manifest.jsonl \\",
        "      --model-type cnn --epochs 20",
        "",
        "  … --model-type transfer --backbone lite2 --unfreeze tail",
        "  … --model-type transfer --backbone ResNet50 --weights gs://BUCKET/resnet50_notop.h5",
        "",
        "The model goes to AIP_MODEL_DIR, a gs:// URI or a folder.",
        "",
    ]
    for flag in table.values():
        takes = textwrap.wrap(f"  --{flag.name}  {flag.allowed()}", 100, subsequent_indent=" " * 6)
        lines += [*takes, f"      {flag.help} {_otherwise(flag)}"]
        if flag.model_types:
            lines.append(f"      Only for {', '.join(flag.model_types)}.")
    return "\n".join(lines)


def nearest(word: str, known: Sequence[str]) -> str:
    """A sentence with the known names that look like `word`; all of them if none does."""
    close = difflib.get_close_matches(word, known, n=3, cutoff=0.5)
    return f"Nearest: {', '.join(close)}." if close else f"There are: {', '.join(known)}."


def _frozen(row: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in row.items()}


def _named(word: str, table: Mapping[str, Flag]) -> Flag:
    name = word.removeprefix("--")
    if word.startswith("--") and name in table:
        return table[name]
    known = [f"--{known}" for known in table]
    raise UsageError(f"There is no flag {word!r}. {nearest(word.replace('_', '-'), known)}")


def _checked(flag: Flag, text: str) -> Value:
    if flag.type == "choice" and text not in flag.choices:
        what = "model type" if flag.name == MODEL_TYPE else f"--{flag.name}"
        raise UsageError(f"There is no {what} {text!r}. {nearest(text, flag.choices)}")
    return flag.value(text)


def _complete(given: Mapping[str, Value], table: Mapping[str, Flag]) -> None:
    for flag in table.values():
        if flag.required and flag.name not in given:
            raise UsageError(f"--{flag.name} is missing. It takes {flag.allowed()}.")
    for name in given:
        types = table[name].model_types
        if types and given[MODEL_TYPE] not in types:
            raise UsageError(
                f"--{name} is only for {', '.join(types)}. Received: --{MODEL_TYPE} "
                f"{given[MODEL_TYPE]}"
            )


def _otherwise(flag: Flag) -> str:
    if flag.required:
        return "Needed."
    if flag.default is None:
        return f"Without it: by {flag.chosen}."
    return f"Without it: {flag.default}."


def _plain(bound: float) -> str:
    return str(int(bound)) if float(bound).is_integer() else f"{bound:g}"


def _within(flag: Flag, number: float) -> float:
    if not flag.range[0] <= number <= flag.range[1]:
        raise ValueError
    return number


def _whole(flag: Flag, text: str) -> int:
    return int(_within(flag, int(text)))


def _amount(flag: Flag, text: str) -> Value:
    return text if text in flag.choices else _whole(flag, text)


def _number(flag: Flag, text: str) -> float:
    return float(_within(flag, float(text)))


def _text(_: Flag, text: str) -> str:
    if not text:
        raise ValueError
    return text


def _numbers(flag: Flag, text: str) -> tuple[int, ...]:
    numbers = tuple(_whole(flag, part) for part in text.split(","))
    if not flag.length[0] <= len(numbers) <= flag.length[1]:
        raise ValueError
    return numbers


def _names(flag: Flag, text: str) -> Value:
    """A word that stands alone, or the names in the table's order, each once."""
    if text in flag.alone:
        return text
    named = {part.strip() for part in text.split(",")}
    if not named <= set(flag.choices):
        raise ValueError
    return tuple(name for name in flag.choices if name in named)


_READERS: dict[str, Callable[[Flag, str], Value]] = {
    "int": _whole,
    "float": _number,
    "text": _text,
    "choice": _text,
    "amount": _amount,
    "names": _names,
    "numbers": _numbers,
}
