"""`ops logs`."""

from __future__ import annotations

from typing import Annotated

import typer

from ops.cli import render
from ops.cli.call import Call, Outcome, command, commands
from ops.cli.log_text import line
from ops.cloud.logs import Entry
from ops.workflows import logs as workflow

app = commands()

Run = Annotated[str, typer.Argument(metavar="RUN", help="The run of a custom training.")]
Follow = Annotated[bool, typer.Option("--follow", "-f", help="Go on until the training has ended.")]
Severity = Annotated[
    str, typer.Option("--severity", help="The least severity: debug, info, warning, error, …")
]
EXAMPLES = ("ops logs RUN", "ops logs RUN --follow", "ops logs RUN --severity error --json")


@command(app, "logs", examples=EXAMPLES)
def logs(call: Call, run: Run, follow: Follow = False, severity: Severity = "default") -> Outcome:
    """What a custom training says, as it says it."""
    least = workflow.severity(severity)
    log = workflow.find(call.ledger, run)
    if not follow:
        found = workflow.read(call.ledger, log, least)
        text = "\n".join(line(entry) for entry in found)
        return Outcome(_json(log, found), text or "Nothing was said yet.")
    call.progress.goes_on(f"The training {run} goes on.")
    said: list[Entry] = []
    for entry in workflow.follow(call.ledger, log, least):
        said.append(entry)
        if not call.json:
            render.put(line(entry))
    return Outcome(_json(log, said), "")


def _json(log: workflow.Log, found: list[Entry]) -> dict[str, object]:
    entries = [entry.as_json() for entry in found]
    return {"run": log.run, "pipeline": log.pipeline, "entries": entries}
