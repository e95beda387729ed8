"""`ops undeploy`."""

from __future__ import annotations

from typing import Annotated

import typer

from ops.cli.call import Call, Outcome, command, commands
from ops.workflows import undeploy as workflow

app = commands()

EndpointOption = Annotated[
    str | None, typer.Option("--endpoint", help="Endpoint id; all of the stack's if none.")
]
Keep = Annotated[bool, typer.Option("--keep-endpoint", help="Keep the empty endpoint; it is free.")]


@command(app, "undeploy", examples=("ops undeploy", "ops undeploy --keep-endpoint"))
def undeploy(call: Call, endpoint: EndpointOption = None, keep: Keep = False) -> Outcome:
    """Take models off their endpoint."""
    done = workflow.run(call.ledger, call.progress, endpoint=endpoint, keep_endpoint=keep)
    return Outcome(done.as_json(), text(done))


def text(done: workflow.Undeployed) -> str:
    """What a person reads at the end."""
    lines = [f"Undeployed {name}" for name in done.models] or ["Nothing was deployed."]
    lines += [f"Deleted    {name}" for name in done.deleted]
    lines += [f"Kept       {name}" for name in done.kept]
    return "\n".join(lines)
