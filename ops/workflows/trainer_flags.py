"""The trainer's flags, as `ops` offers them: checked before anything is spent (trainer_flags.toml).

`ops` and the trainer never import each other: a test holds this table and the trainer's equal.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from typing import Any

from ops.errors import Code, OpsError

MODEL_TYPE, MANIFEST, MAX_SECONDS = "model-type", "manifest", "max-seconds"
MULTI_LABEL = "multi-label"
# Set by `ops` itself, or an option of their own.
OWN = (MODEL_TYPE, MANIFEST)


@dataclass(frozen=True)
class Flag:
    """One flag: what it takes, what it is without it, and which model types have it (empty: all).

    `low` and `high` are included; `shortest` and `longest` count the numbers of a list.
    """

    name: str
    type: str
    help: str
    low: float | None
    high: float | None
    shortest: int
    longest: int
    choices: tuple[str, ...]
    alone: tuple[str, ...]
    renamed: Mapping[str, str]
    model_types: tuple[str, ...]
    default: str
    without: str

    @property
    def takes(self) -> str:
        """The allowed values in words: `from 1 to 1000`, `adam, sgd`."""
        if self.alone:
            return f"{', '.join(self.alone)}, or names by commas: {', '.join(self.choices)}"
        words = ", ".join(self.choices)
        if self.low is None or self.high is None:
            return words or "text"
        span = f"from {self.low:.10g} to {self.high:.10g}"
        if self.choices:
            return f"{words} or a whole number {span}"
        if self.type == "numbers":
            return f"{self.shortest} to {self.longest} whole numbers {span} with commas"
        return f"{'a whole number' if self.type == 'int' else 'a number'} {span}"


@cache
def table() -> dict[str, Flag]:
    """Every flag by name, in the order of the table."""
    text = files("ops.workflows").joinpath("trainer_flags.toml").read_text(encoding="utf-8")
    return {name: _flag(name, row) for name, row in tomllib.loads(text).items()}


def offered() -> list[Flag]:
    """The flags that are options of `ops train` as they are."""
    return [flag for flag in table().values() if flag.name not in OWN]


def model_types() -> tuple[str, ...]:
    """The families of models."""
    return table()[MODEL_TYPE].choices


def check_model_type(model_type: str) -> str:
    """The model type; USAGE, with the nearest names, for one that there is not."""
    known = model_types()
    if model_type in known:
        return model_type
    near = get_close_matches(model_type, known, n=2, cutoff=0.4) or ["cnn"]
    raise OpsError(
        Code.USAGE,
        f"There is no model type {model_type!r}; there are {', '.join(known)}.",
        f"Type --model-type {' or '.join(near)}",
    )


def checked(given: Mapping[str, str], model_type: str) -> dict[str, str]:
    """The given flags, by name; USAGE for a value or a model type that a flag does not take."""
    return {name: _checked(table()[name], given[name], model_type) for name in sorted(given)}


def arguments(flags: Mapping[str, str], *, multi_label: bool = False) -> list[str]:
    """The flags as the trainer takes them, `--name=value`: the model type, then by name.

    A multi-label data set is one even if no photo of it has two labels: that is said.
    """
    flags = {**({MULTI_LABEL: "yes"} if multi_label else {}), **flags}
    ordered = sorted(flags, key=lambda name: (name != MODEL_TYPE, name))
    return [f"--{name}={flags[name]}" for name in ordered]


def _checked(flag: Flag, value: str, model_type: str) -> str:
    if flag.model_types and model_type not in flag.model_types:
        raise OpsError(
            Code.USAGE,
            f"--{flag.name} is for {', '.join(flag.model_types)}. "
            f"Received: --model-type {model_type}.",
            f"Leave --{flag.name} out, or type --model-type {flag.model_types[0]}",
        )
    if _fits(flag, value.strip()):
        return value.strip()
    raise OpsError(
        Code.USAGE,
        f"--{flag.name} takes {flag.takes}. Received: {value}.",
        f"Type --{flag.name} {_nearest(flag, value)}" if flag.choices else _instead(flag, value),
    )


def _fits(flag: Flag, value: str) -> bool:
    if flag.alone:
        named = {part.strip() for part in value.split(",")}
        return value in flag.alone or named <= set(flag.choices)
    if value in flag.choices or flag.type == "choice":
        return value in flag.choices
    if flag.type == "numbers":
        parts = value.split(",")
        is_long_enough = flag.shortest <= len(parts) <= flag.longest
        return is_long_enough and all(_in_range(flag, part.strip(), int) for part in parts)
    kinds = {"int": int, "amount": int, "float": float}
    return _in_range(flag, value, kinds[flag.type]) if flag.type in kinds else bool(value)


def _in_range(flag: Flag, text: str, kind: type[int] | type[float]) -> bool:
    try:
        number = kind(text)
    except ValueError:
        return False
    assert flag.low is not None and flag.high is not None
    return flag.low <= number <= flag.high


def _nearest(flag: Flag, value: str) -> str:
    """What to type for a word that a flag does not have; of several names, those it has."""
    if value in flag.renamed:
        return flag.renamed[value]
    known = [part.strip() for part in value.split(",") if part.strip() in flag.choices]
    if flag.alone and known:
        return ",".join(known)
    near = get_close_matches(value, flag.choices, n=1)
    return near[0] if near else flag.default or flag.takes


def _instead(flag: Flag, value: str) -> str:
    """What to type: the nearest end for a whole number, else the default, or nothing at all."""
    if flag.type == "int" and re.fullmatch(r"[+-]?[0-9]{1,18}", value.strip()):
        assert flag.low is not None and flag.high is not None
        return f"Type --{flag.name} {min(max(int(value), flag.low), flag.high):.10g}"
    if flag.default:
        return f"Type --{flag.name} {flag.default}"
    return f"Leave --{flag.name} out: it is {flag.without}."


def _flag(name: str, row: Mapping[str, Any]) -> Flag:
    low, high = row.get("range", (None, None))
    shortest, longest = row.get("length", (1, 1))
    default = row.get("default")
    chosen = f"chosen by {row['chosen']}" if "chosen" in row else ""
    return Flag(
        name=name,
        type=str(row["type"]),
        help=str(row["help"]),
        low=low,
        high=high,
        shortest=shortest,
        longest=longest,
        choices=tuple(row.get("choices", ())),
        alone=tuple(row.get("alone", ())),
        renamed=dict(row.get("renamed", {})),
        model_types=tuple(row.get("model_types", ())),
        default="" if default is None else f"{default}",
        without=chosen if default is None else f"{default}",
    )
