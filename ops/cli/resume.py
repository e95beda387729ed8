"""`ops resume`."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from ops.cli import train as train_command
from ops.cli.call import Call, Outcome, command, commands
from ops.cli.render import short_names, table
from ops.ledger import Record, RunState
from ops.workflows import resume as workflow
from ops.workflows import runs, train

app = commands()

RunArgument = Annotated[
    str | None, typer.Argument(help="Run id, or teardown; without it, what can be taken up.")
]


@command(
    app, "resume", asks=True, examples=("ops resume", "ops resume train-1a2b3c4d5e6f-0a1b2c3d-1")
)
def resume(call: Call, run: RunArgument = None) -> Outcome:
    """Take up a run that was cut off, by its id."""
    if run is None:
        return _listed(workflow.unfinished(call.ledger))
    if run == workflow.TEARDOWN:
        from ops.cli.teardown import teardown

        return teardown(call)
    record = call.ledger.get(run)
    if record.state is not RunState.UNFINISHED:
        return _shown(record)
    return _trained(call, record) if record.kind == "train" else _typed_again(call, record)


def _listed(found: list[Record]) -> Outcome:
    rows = [(one.id, f"{one.planned_at:%Y-%m-%d %H:%M}") for one in found]
    text = table(["run", "planned (UTC)"], rows) if rows else "Every run has ended."
    hint = "\nType: ops resume RUN   (a teardown has no run: type ops teardown again)"
    return Outcome({"runs": [runs.as_json(one) for one in found]}, text + (hint if rows else ""))


def _shown(record: Record) -> Outcome:
    came = short_names(runs.outcome(record)) or str(record.result.get("error", ""))
    anew = "" if record.state is RunState.SUCCEEDED else "\nThe command that began it begins anew."
    said = f"Run {record.id} has ended already, {record.state}{f': {came}' if came else ''}."
    return Outcome(runs.as_json(record), said + anew)


def _trained(call: Call, record: Record) -> Outcome:
    found = workflow.training(call.ledger, record)
    call.price(found.estimate)
    done = train.go_on(call.ledger, found.run, found.data, call.progress)
    text = train_command.text(done, bills=call.session.capabilities.bills)
    return Outcome(done.as_json(), text)


def _typed_again(call: Call, record: Record) -> Outcome:
    from ops.cli.deploy import deploy
    from ops.cli.import_dataset import import_dataset

    typed = workflow.typed(record)
    call.ledger.only = record.id
    if record.kind == "deploy":
        return deploy(call, **typed.values)
    os.chdir(typed.folder)
    return import_dataset(call, **typed.values)
