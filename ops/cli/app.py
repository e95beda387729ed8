"""Assembles the command line; a command's own module is imported when that command runs."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

# Name, and the line that `ops --help` shows; the module is ops.cli.<name with underscores>.
COMMANDS: dict[str, str] = {
    "doctor": "Check everything that the other commands need.",
    "bootstrap": "Make what the stack needs with Terraform, plan first.",
    "import-dataset": "Check, upload and register photos with their labels.",
    "datasets": "List, show, compare and delete data sets and their versions.",
    "train": "Train a model, price first.",
    "evaluate": "Precision, recall and the confusion matrix of a model.",
    "models": "List, show, promote, roll back or delete models and their versions.",
    "export": "Copy a model's files to a folder of this machine.",
    "deploy": "Put a model on an endpoint, dollars per hour first.",
    "predict": "Classify photos with the deployed model.",
    "explain": "Show which parts of a photo made the deployed model answer as it does.",
    "undeploy": "Take models off their endpoint.",
    "status": "What exists, what it costs per hour, and until when.",
    "runs": "What ran, and what came of it.",
    "resume": "Take up a run that was cut off, by its id.",
    "cancel": "End a training before its time.",
    "logs": "What a custom training says, as it says it.",
    "tensorboard": "The curves of a custom training, in TensorBoard or as a table.",
    "cost-report": "What each run and endpoint cost.",
    "teardown": "Delete everything of the stack and prove that nothing billable is left.",
    "emulator": "Start, stop, look at or empty the local Google Cloud.",
}


class LazyGroup(TyperGroup):
    """A group that knows its commands by name and help, and loads the one that is asked for."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        for name, line in COMMANDS.items():
            self.add_command(TyperCommand(name=name, help=line), name)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command named by the first argument, loaded."""
        if args and args[0] in COMMANDS:
            self.add_command(load(args[0]), args[0])
        return super().resolve_command(ctx, args)


def load(name: str) -> Any:
    """The real command of this name."""
    module = import_module(f"ops.cli.{name.replace('-', '_')}")
    command = typer.main.get_command(module.app)
    command.name = name
    return command


app = typer.Typer(
    name="ops",
    cls=LazyGroup,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"ops {version('ops')}")
        raise typer.Exit


@app.callback()
def ops(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """From a folder of photos to a served image classifier, on Google Cloud or a local one."""


def main() -> None:
    """Run the command line; every error ends in a message and its own exit code."""
    from ops.cli import failures

    as_json = "--json" in sys.argv
    try:
        sys.exit(app(standalone_mode=not as_json))
    except (Exception, KeyboardInterrupt) as error:
        sys.exit(failures.show(error, failures.command_of(error), None, as_json))


if __name__ == "__main__":
    main()
