"""`ops tensorboard`."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from ops.cli.call import Call, Outcome, command, commands
from ops.cli.render import number, table
from ops.workflows import curves
from ops.workflows import tensorboard as workflow
from ops.workflows.curves import Curve, Place

app = commands()

Run = Annotated[str, typer.Argument(metavar="RUN", help="The run of a custom training.")]
Serve = Annotated[
    bool, typer.Option("--serve/--no-serve", help="Show them in a browser, or only fetch them.")
]
Text = Annotated[bool, typer.Option("--text", help="Print the curves as a table instead.")]
Port = Annotated[
    int, typer.Option("--port", min=0, max=65535, help="Port on 127.0.0.1; 0 takes a free one.")
]
EXAMPLES = (
    "ops tensorboard RUN",
    "ops tensorboard RUN --text",
    "ops tensorboard RUN --no-serve --json",
)


@command(app, "tensorboard", examples=EXAMPLES)
def tensorboard(
    call: Call, run: Run, serve: Serve = True, text: Text = False, port: Port = 0
) -> Outcome:
    """The curves of a custom training, in TensorBoard or as a table."""
    place = curves.find(call.ledger, run)
    new = curves.fetch(call.ledger, place)
    where = {"run": run, "folder": str(place.folder)}
    if text or call.json:
        found = curves.read(place.folder)
        shown = _table(found) if found else _nothing(place)
        return Outcome({**where, "curves": [curve.as_json() for curve in found]}, shown)
    if serve:
        _serve(call, place, port)
        return Outcome(where, "")
    return Outcome(where, f"{place.folder}: {new} files are new.")


def _serve(call: Call, place: Place, port: int) -> None:
    """TensorBoard until Ctrl-C, which is its ordinary end."""
    with workflow.served(place, port) as address:
        call.say(f"TensorBoard: {address}   (Ctrl-C ends it)")
        try:
            workflow.keep_fresh(call.ledger, place, lambda n: call.say(f"{n} files are new."))
        except KeyboardInterrupt:
            call.say("TensorBoard has ended; the files stay.")


def _table(found: list[Curve]) -> str:
    rows = [_row(curve) for curve in found]
    headers = ["curve", "part", "steps", "first", "best", "last"]
    return table(headers, rows, right="steps, first, best, last")


def _row(curve: Curve) -> tuple[Any, ...]:
    is_loss = "loss" in curve.name.lower()
    best = min(curve.values) if is_loss else max(curve.values)
    figures = [number(value) for value in (curve.values[0], best, curve.values[-1])]
    return (curve.name, curve.part, len(curve.steps), *figures)


def _nothing(place: Place) -> str:
    return (
        f"{place.run} has written no curves yet. Type it again later: ops tensorboard {place.run}"
    )
