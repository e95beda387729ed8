"""`ops teardown`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from ops.cli import teardown_text
from ops.cli.call import Call, Outcome, command, commands
from ops.workflows import records, teardown_infrastructure
from ops.workflows import teardown as workflow

app = commands()

KeepOption = Annotated[
    bool,
    typer.Option(
        "--keep-infrastructure",
        help="Keep the bucket, empty, and what Terraform made: accounts, permissions, repository.",
    ),
]
UnprotectOption = Annotated[
    bool, typer.Option("--unprotect", help="Delete a stack whose deletion protection is on.")
]
UnlockOption = Annotated[
    int | None,
    typer.Option(metavar="GENERATION", help="Release this lock of Terraform's state first."),
]


@command(
    app,
    "teardown",
    asks=True,
    examples=(
        "ops teardown",
        "ops teardown --target gcp --project my-project --unprotect",
        "ops teardown --keep-infrastructure --yes --target gcp --project my-project",
    ),
)
def teardown(
    call: Call,
    keep_infrastructure: KeepOption = False,
    unprotect: UnprotectOption = False,
    unlock: UnlockOption = None,
) -> Outcome:
    """Delete everything of the stack and prove that nothing billable is left."""
    for living in records.elsewhere(call.settings):
        call.say(teardown_text.elsewhere(living))
    wanted = workflow.Wanted(keep_infrastructure, unprotect, unlock)
    with teardown_infrastructure.alone(call.session, keep_infrastructure, call.progress):
        return _torn_down(call, wanted)


def _torn_down(call: Call, wanted: workflow.Wanted) -> Outcome:
    stack = call.settings.stack
    todo = workflow.plan(call.session, wanted, call.progress)
    if todo.empty:
        workflow.forget(call.session, todo, datetime.now(UTC))
        return Outcome({"deleted": {}, "left": []}, teardown_text.nothing(stack, todo))
    for line in teardown_text.plan(todo):
        call.say(line)
    call.confirm_deletion(teardown_text.what(stack, todo))
    done = workflow.run(call.ledger, todo, call.progress, lambda: datetime.now(UTC))
    return Outcome(done.as_json(), teardown_text.done(stack, done))
