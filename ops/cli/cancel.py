"""`ops cancel`."""

from __future__ import annotations

from typing import Annotated

import typer

from ops.cli.call import Call, Outcome, command, commands
from ops.cli.render import usd
from ops.workflows import cancel as workflow

app = commands()

RunArgument = Annotated[str, typer.Argument(help="Run id of a training, as in ops runs.")]


@command(app, "cancel", examples=("ops cancel train-1a2b3c4d5e6f-0a1b2c3d-1",))
def cancel(call: Call, run: RunArgument) -> Outcome:
    """End a training before its time."""
    done = workflow.run(call.ledger, run, call.progress)
    return Outcome(done.as_json(), _text(done, bills=call.session.capabilities.bills))


def _text(done: workflow.Cancelled, *, bills: bool) -> str:
    if done.had_ended:
        return f"Run {done.run} has ended ({done.state}): nothing to cancel."
    lines = [f"Run {done.run} is {done.state}.", *filter(None, [done.billed])]
    cost = done.used.get("usd_on_google")
    if cost is not None:
        here = "Cost: " if bills else "$0.00 here; at Google's rates it would be "
        most = "at most " if done.used.get("usd_is_most") else ""
        lines.append(f"{here}{most}{usd(cost)}.")
    return "\n".join(lines)
