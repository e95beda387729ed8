"""The table [infra] of ops.toml: what each option is, checked before Terraform sees it.

Terraform drops the attributes of an object that it does not know, and converts what it can: a
misspelt address would be left out without a word.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ops.errors import Code, OpsError

TABLE = "infra"


@dataclass(frozen=True)
class Shape:
    """What a value is: `kind` of KINDS; `of` each member's; `keys` a table's, with those needed."""

    kind: str
    of: Shape | None = None
    keys: Mapping[str, Shape] = field(default_factory=dict)
    needed: tuple[str, ...] = ()


STRING, NUMBER, BOOL = Shape("string"), Shape("number"), Shape("bool")
# How a value of each kind is written, for who wrote another.
KINDS = {
    "string": "a string in quotation marks",
    "number": "a number, without quotation marks",
    "bool": "true or false, without quotation marks",
    "list": "a list in square brackets",
    "map": "a table in braces",
    "object": "a table in braces",
}
BUDGET = {"billing_account": STRING, "amount": NUMBER, "email": STRING}
GPU = {"gpu": STRING, "use": STRING, "count": NUMBER, "region": STRING}
# The variables of infra/ that `ops` does not fill in by itself; a test holds them equal to
# infra/variables.tf.
OPTIONS: Mapping[str, Shape] = {
    "automl_members": Shape("list", of=STRING),
    "bucket_soft_delete_days": NUMBER,
    "bucket_versioning": BOOL,
    "budget": Shape(
        "object",
        keys={**BUDGET, "thresholds": Shape("list", of=NUMBER)},
        needed=("billing_account", "amount"),
    ),
    "contact_email": STRING,
    "deletion_protection": BOOL,
    "disable_services_on_destroy": BOOL,
    "github": Shape(
        "object",
        keys={"owner_id": STRING, "repository_id": STRING, "environment": STRING},
        needed=("owner_id", "repository_id"),
    ),
    "gpu_quota": Shape("map", of=Shape("object", keys=GPU, needed=("gpu", "use", "count"))),
    "labels": Shape("map", of=STRING),
    "runner_may_bootstrap": BOOL,
}


def check(file: str, table: Any) -> dict[str, Any]:
    """The table as it is. SETTINGS, with everything that is wrong, when something is."""
    known = f"Known in [{TABLE}]: {', '.join(OPTIONS)}."
    if not isinstance(table, dict):
        message = f"{file} has {TABLE} = {table!r}, which is not a table."
        raise OpsError(Code.SETTINGS, message, f"Write [{TABLE}] on a line of its own. {known}")
    unknown = sorted(set(table) - set(OPTIONS))
    if unknown:
        message = f"{file} has variables in [{TABLE}] that are not known: {', '.join(unknown)}."
        raise OpsError(Code.SETTINGS, message, known)
    wrong = [one for key in table for one in _problems(key, table[key], OPTIONS[key])]
    if wrong:
        options = dict.fromkeys(one.partition(" ")[0].partition(".")[0] for one in wrong)
        raise OpsError(
            Code.SETTINGS,
            f"{file} has in [{TABLE}] what infra/ does not take: {'; '.join(wrong)}.",
            f"Correct {', '.join(options)} in {file}; ops.example.toml shows each.",
        )
    return table


def _problems(where: str, value: Any, shape: Shape) -> Iterator[str]:
    """What is wrong with a value, a phrase each that begins with where it is."""
    if not ISES[shape.kind](value):
        yield f"{where} must be {KINDS[shape.kind]}; received: {_shown(value)}"
    elif shape.kind == "list" and shape.of:
        for number, one in enumerate(value, 1):
            yield from _problems(f"{where} (number {number})", one, shape.of)
    elif shape.kind == "map" and shape.of:
        for key, one in value.items():
            yield from _problems(f"{where}.{key}", one, shape.of)
    elif shape.kind == "object":
        yield from _of_table(where, value, shape)


def _of_table(where: str, value: Mapping[str, Any], shape: Shape) -> Iterator[str]:
    for key, one in value.items():
        if key in shape.keys:
            yield from _problems(f"{where}.{key}", one, shape.keys[key])
        else:
            yield f"{where}.{key} is not known; allowed: {', '.join(shape.keys)}"
    for key in shape.needed:
        if key not in value:
            yield f"{where} has no {key}; received: {', '.join(value) or 'nothing'}"


def _shown(value: Any) -> str:
    """A value as TOML has it."""
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(value)


def _is_number(value: Any) -> bool:
    is_one = isinstance(value, int | float) and not isinstance(value, bool)
    return is_one and math.isfinite(value)


ISES: dict[str, Callable[[Any], bool]] = {
    "string": lambda value: isinstance(value, str),
    "number": _is_number,
    "bool": lambda value: isinstance(value, bool),
    "list": lambda value: isinstance(value, list),
    "map": lambda value: isinstance(value, dict),
    "object": lambda value: isinstance(value, dict),
}
