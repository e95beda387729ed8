"""One call of a command: settings, session and progress, made the same way for every command.

    app = commands()

    @command(app, "evaluate")
    def evaluate(call: Call, model: Annotated[str, typer.Argument(help="…")]) -> Outcome:
        \"\"\"Precision, recall and the confusion matrix.\"\"\"
        found = workflow.run(call.session, model, call.progress)
        return Outcome(result=found.as_json(), text=evaluation_text(found))

`command` adds --target, --project, --stack, --region, --json (and --yes with `asks=True`).
"""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from ops.cli import failures, options, render
from ops.cli.progress import listener
from ops.errors import Code, ExitCode, OpsError

if TYPE_CHECKING:
    from ops.cli.progress import Listener
    from ops.cloud.session import Session
    from ops.ledger import Ledger
    from ops.pricing.estimate import Estimate
    from ops.settings import Settings


@dataclass(frozen=True)
class Outcome:
    """What a command found or did: `result` (plain JSON), `text` for people, and the exit code.

    `error` when what was found is itself one; its code gives the exit code then.
    """

    result: Mapping[str, Any]
    text: str
    exit_code: ExitCode = ExitCode.OK
    error: OpsError | None = None


@dataclass
class Call:
    """What a command is given. The session is opened when first asked for."""

    command: str
    settings: Settings
    json: bool = False
    yes: bool = False
    progress: Listener = field(default_factory=lambda: listener(sys.stderr))
    values: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def session(self) -> Session:
        """Google's clients for the target; on local the emulator is started if none runs."""
        from ops.cloud.session import connect
        from ops.workflows import preflight
        from ops.workflows.home import at_home

        session = at_home(connect(self.settings))
        preflight.check(session, self.command)
        if session.settings.region != self.settings.region:
            self.say(f"Region {session.settings.region}: the stack's bucket is there.")
            self.settings = session.settings
        return session

    @cached_property
    def ledger(self) -> Ledger:
        """The runs of the stack."""
        from ops.ledger import Ledger

        typed = {"command": self.command, "values": self.values, "folder": str(Path.cwd())}
        return Ledger(self.session, typed=typed)

    def say(self, line: str) -> None:
        """Print a line to standard error: prices and remarks, never results."""
        print(line, file=sys.stderr, flush=True)

    def price(self, estimate: Estimate) -> None:
        """Show what Google asks, and go on only if that is agreed to.

        On local nothing is billed and nothing is asked. NEEDS_YES when it would have to ask and
        nobody is at the terminal.
        """
        from ops.cloud.session import CAPABILITIES

        bills = CAPABILITIES[self.settings.target].bills
        for line in render.price_lines(estimate, bills=bills):
            self.say(line)
        if bills and (estimate.costs or estimate.hourly):
            self.confirm("Go on at this price?", "--yes")

    def confirm(self, question: str, agree: str) -> None:
        """Go on only if agreed: by --yes, or by an answer at the terminal."""
        if self.yes:
            return
        if not self._at_terminal():
            raise OpsError(
                Code.NEEDS_YES,
                f"{question} Nobody is at the terminal to answer.",
                f"Add {agree} to agree.",
            )
        if not typer.confirm(question, err=True):
            raise OpsError(Code.NOT_CONFIRMED, "Not agreed; nothing was done.", f"Add {agree}.")

    def confirm_deletion(self, what: str) -> None:
        """Go on only if agreed: on gcp by typing the project id, or --yes with --project."""
        settings = self.settings
        if not self.session.capabilities.bills:
            self.confirm(f"Delete {what}?", "--yes")
            return
        if self.yes and settings.sources["project"] == "--project":
            return
        agree = f"--yes --project {settings.project}"
        if self.yes or not self._at_terminal():
            raise OpsError(
                Code.NEEDS_YES, f"This deletes {what} on Google.", f"Add {agree} to agree."
            )
        if typer.prompt(f"Type the project id to delete {what}", err=True) != settings.project:
            raise OpsError(Code.NOT_CONFIRMED, "Not the project id; nothing was deleted.", "")

    def _at_terminal(self) -> bool:
        return sys.stdin.isatty() and sys.stderr.isatty()


def commands(help: str | None = None) -> typer.Typer:
    """The app of one command's module; `help` is for a group of commands (`ops emulator`)."""
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, no_args_is_help=True)
    if help is not None:
        app.callback(help=help)(lambda: None)
    return app


def command(
    app: typer.Typer, title: str, *, asks: bool = False, examples: Sequence[str] = ()
) -> Callable[[Callable[..., Outcome]], Callable[..., Outcome]]:
    """A decorator that registers a command; `title` is its full name (`emulator start`).

    `examples` are whole lines to type; `--help` ends with them.
    """

    def register(function: Callable[..., Outcome]) -> Callable[..., Outcome]:
        def wrapped(**values: Any) -> None:
            _run(title, function, values)

        wrapped.__doc__ = function.__doc__
        wrapped.__signature__ = _signature(function, asks)  # type: ignore[attr-defined]
        wrapped.__annotations__ = {}
        name, epilog = title.rpartition(" ")[2], _epilog(examples)
        app.command(name, help=inspect.getdoc(function), epilog=epilog)(wrapped)
        return function

    return register


def _epilog(examples: Sequence[str]) -> str | None:
    lines = (f"  {line}" for line in examples)
    return "\n".join(["Examples:", *lines]).replace("[", "\\[") if examples else None


def _signature(function: Callable[..., Outcome], asks: bool) -> inspect.Signature:
    own = list(inspect.signature(function, eval_str=True).parameters.values())[1:]
    shared: list[tuple[str, Any, Any]] = [(key, kind, None) for key, kind in options.WHERE.items()]
    shared.append(("json", options.JsonOption, False))
    if asks:
        shared.append(("yes", options.YesOption, False))
    keyword = inspect.Parameter.KEYWORD_ONLY
    added = [
        inspect.Parameter(name, keyword, default=default, annotation=kind)
        for name, kind, default in shared
    ]
    return inspect.Signature([p.replace(kind=keyword) for p in own] + added)


def _run(title: str, function: Callable[..., Outcome], values: dict[str, Any]) -> None:
    flags = {key: values.pop(key) for key in options.WHERE}
    as_json, yes = values.pop("json"), values.pop("yes", False)
    call: Call | None = None
    try:
        call = Call(title, _settings(flags), as_json, yes, values=_plain(values))
        call.say(render.heading(call.settings))
        outcome = function(call, **values)
        render.show(call, outcome)
    except (typer.Exit, typer.TyperException):
        raise
    except (Exception, KeyboardInterrupt) as error:
        raise typer.Exit(failures.show(error, title, call, as_json)) from None
    exit_code = outcome.error.exit_code if outcome.error else outcome.exit_code
    if exit_code:
        raise typer.Exit(exit_code)


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """What was typed, as it can go on record; a command's options are words, numbers and paths."""
    return {key: str(one) if isinstance(one, Path) else one for key, one in values.items()}


def _settings(flags: Mapping[str, str | None]) -> Settings:
    from ops import settings
    from ops.pricing import regions

    found = settings.read(flags, os.environ, Path.cwd())
    regions.check(found.region)
    return found
