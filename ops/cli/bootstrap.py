"""`ops bootstrap`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from ops.cli.call import Call, Outcome, command, commands
from ops.cli.render import usd
from ops.errors import OpsError
from ops.pricing.at_rest import AtRest
from ops.workflows import bootstrap as workflow
from ops.workflows import bootstrap_alone, bootstrap_folder, bootstrap_taken_over, bootstrap_words

app = commands()

ReadOnly = Annotated[
    bool,
    typer.Option(
        "--read-only",
        help="Take over what somebody else bootstrapped, from its state; change nothing, and need "
        "neither Terraform nor rights to change anything.",
    ),
]
Unlock = Annotated[
    int | None,
    typer.Option(
        "--unlock", help="Release the state's lock of this generation first, if its holder is dead."
    ),
]
EXAMPLES = (
    "ops bootstrap",
    "ops bootstrap --target gcp --project my-project",
    "ops bootstrap --target gcp --project my-project --read-only",
)
# The outputs that a person looks for, in this order.
SHOWN = {
    "bucket": "Bucket",
    "runner_email": "Runner",
    "trainer_email": "Trainer",
    "predictor_email": "Predictor",
    "repository": "Images",
    "github_provider": "GitHub",
}


@command(app, "bootstrap", asks=True, examples=EXAMPLES)
def bootstrap(call: Call, read_only: ReadOnly = False, unlock: Unlock = None) -> Outcome:
    """Make what the stack needs with Terraform, plan first.

    Bucket, accounts, permissions, image repository and, if ops.toml asks for them, GPU quota, a
    budget and GitHub's keyless sign-in. Killed or interrupted, it is typed again: nothing is made
    twice.
    """
    if read_only:
        taken = bootstrap_taken_over.run(call.session)
        return Outcome(taken.as_json(), _outputs_text(taken.outputs, f"Read {taken.source}."))
    with bootstrap_folder.alone(call.session.settings, call.progress) as folder:
        try:
            todo = workflow.plan(call.session, folder, call.progress, unlock)
        except OpsError as error:
            return _alone(bootstrap_alone.run(call.session, error))
        _agree(call, todo)
        done = workflow.run(todo, call.progress)
    return Outcome(done.as_json(), _text(done))


def _agree(call: Call, todo: workflow.Plan) -> None:
    """Show the plan, and ask where it is billed or something would be lost."""
    for line in (*todo.remarks, *bootstrap_words.lines(todo.changes)):
        call.say(line)
    if not todo.changes:
        return
    for line in at_rest_lines(todo.at_rest, bills=call.session.capabilities.bills):
        call.say(line)
    if call.session.capabilities.bills or todo.loses:
        call.confirm(f"Do this in project {call.settings.project}?", "--yes")


def at_rest_lines(cost: AtRest, *, bills: bool) -> list[str]:
    """What it costs a month while nothing runs, and what will be stored."""
    where = "" if bills else " on Google; here $0.00"
    dated = ", ".join(dict.fromkeys(one.rate.read for one in (*cost.now, *cost.stored)))
    rates = f" (rates of {dated})" if dated else ""
    lines = [f"At rest: {usd(cost.usd)} a month{where}{rates}"]
    lines += [f"  {one.what}: {usd(one.usd)} a month" for one in cost.stored]
    lines += [f"  {what}: the price in this region is not known" for what in cost.unknown]
    return lines


def _alone(prepared: bootstrap_alone.Prepared) -> Outcome:
    line = (
        f"Without Terraform: {prepared.reason} The local cloud needs only its bucket, "
        f"gs://{prepared.bucket}, which is there. {prepared.hint}"
    )
    return Outcome(prepared.as_json(), line)


def _text(done: workflow.Done) -> str:
    stack = done.plan.session.settings.stack
    if not done.plan.changes:
        return f"Nothing to change: stack {stack} is as infra/ describes it."
    said = f"Stack {stack}: {bootstrap_words.summary(done.plan.changes)}."
    return _outputs_text(done.outputs, said)


def _outputs_text(outputs: Mapping[str, Any], first: str) -> str:
    shown = [f"{title:<10} {outputs[name]}" for name, title in SHOWN.items() if outputs.get(name)]
    return "\n".join([first, *shown])
