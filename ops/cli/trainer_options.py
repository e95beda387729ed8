"""The trainer's flags as options of a command: made from one table, not typed again."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Annotated, Any

import typer

from ops.cli.call import Outcome
from ops.workflows import trainer_flags
from ops.workflows.trainer_flags import Flag

PANEL = "The trainer's own flags (--mode custom)"
METAVARS = {"int": "N", "float": "X", "numbers": "N,N,…", "text": "TEXT", "names": "NAME,…"}
MOST_WORDS = 10


def with_trainer_flags(function: Callable[..., Outcome]) -> Callable[..., Outcome]:
    """A command whose parameter `flags` is every trainer flag that was given, by name, as typed."""
    known = {flag.name.replace("-", "_"): flag for flag in trainer_flags.offered()}

    def wrapped(*args: Any, **values: Any) -> Outcome:
        given = {known[key].name: values.pop(key) for key in known}
        flags = {name: value for name, value in given.items() if value is not None}
        return function(*args, **values, flags=flags)

    wrapped.__doc__ = function.__doc__
    own = [one for one in _parameters(function) if one.name != "flags"]
    more = [_parameter(key, flag) for key, flag in known.items()]
    wrapped.__signature__ = inspect.Signature([*own, *more])  # type: ignore[attr-defined]
    return wrapped


def _parameters(function: Callable[..., Outcome]) -> list[inspect.Parameter]:
    return list(inspect.signature(function, eval_str=True).parameters.values())


def _parameter(key: str, flag: Flag) -> inspect.Parameter:
    only = f" For {', '.join(flag.model_types)}." if flag.model_types else ""
    option = typer.Option(
        f"--{flag.name}",
        metavar=METAVARS.get(flag.type) or _words(flag),
        help=f"{flag.help} ({_range(flag)}{flag.without}.){_names(flag)}{only}",
        rich_help_panel=PANEL,
    )
    kind = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(key, kind, default=None, annotation=Annotated[str | None, option])


def _words(flag: Flag) -> str:
    if len(flag.choices) > MOST_WORDS:
        return METAVARS["text"]
    return "|".join([*flag.choices, "N"] if flag.type == "amount" else flag.choices)


def _names(flag: Flag) -> str:
    many = flag.type == "names" or len(flag.choices) > MOST_WORDS
    return f" It takes {flag.takes}." if many else ""


def _range(flag: Flag) -> str:
    if flag.low is None or flag.high is None:
        return ""
    return f"{flag.low:g} to {flag.high:g}; "
