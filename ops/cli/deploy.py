"""`ops deploy`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from ops.cli.call import Call, Outcome, command, commands
from ops.cli.render import usd
from ops.workflows import deploy as workflow

app = commands()

ModelOption = Annotated[str | None, typer.Option("--model", help="Model id; the newest if none.")]
Ttl = Annotated[
    str,
    typer.Option(
        help="How long you mean to keep it: 90m, 2h, 1d. ops status says when that is over; "
        "nothing undeploys itself yet."
    ),
]
Machine = Annotated[
    str | None,
    typer.Option(help="Machine for a custom model (n1-standard-2 if none); AutoML's has none."),
]
MaxCost = Annotated[
    float | None,
    typer.Option(
        "--max-cost",
        help="Refuse if the time to live, with the job of --check, would cost more, in dollars. "
        "It ends nothing: the endpoint costs on until ops undeploy.",
    ),
]
CheckOption = Annotated[
    bool,
    typer.Option(
        "--check",
        help="Ask a batch prediction job what an AutoML model says of its test photos, price "
        "first, to compare with what is served. Custom models are compared without.",
    ),
]
UncheckedOption = Annotated[
    bool,
    typer.Option(
        "--unchecked",
        help="Deploy without comparing, where what the model said of its test photos is gone or "
        "broken. The risk: nobody knows whether it answers as it was evaluated.",
    ),
]
ExplainOption = Annotated[
    bool,
    typer.Option(
        "--explain",
        help="Let ops explain ask Google about an AutoML model (Google ends that on 2027-03-16); "
        "custom models explain their answers without.",
    ),
]
EXAMPLES = (
    "ops deploy --ttl 2h",
    "ops deploy --model default-photos-custom@2 --machine n1-standard-4 --ttl 90m",
    "ops deploy --check --max-cost 10",
)


@command(app, "deploy", asks=True, examples=EXAMPLES)
def deploy(
    call: Call,
    model: ModelOption = None,
    ttl: Ttl = "2h",
    machine: Machine = None,
    max_cost: MaxCost = None,
    check: CheckOption = False,
    unchecked: UncheckedOption = False,
    explain: ExplainOption = False,
) -> Outcome:
    """Put a model on an endpoint, dollars per hour first."""
    lives = workflow.time_to_live(ttl)
    chosen: dict[str, Any] = {"model": model, "machine": machine, "max_cost_usd": max_cost}
    checks: dict[str, Any] = {"with_check": check, "unchecked": unchecked, "explain": explain}
    plan = workflow.plan(call.ledger, lives, **chosen, **checks)
    for line in plan.remarks:
        call.say(line)
    call.say(f"Until: {workflow.until(lives):%Y-%m-%d %H:%M} UTC (--ttl {ttl})")
    call.price(plan.estimate)
    done = workflow.run(call.ledger, plan, call.progress)
    return Outcome(done.as_json(), text(done, bills=call.session.capabilities.bills))


def text(done: workflow.Deployment, *, bills: bool) -> str:
    """What a person reads at the end."""
    price = f"{usd(done.usd_per_hour)} an hour"
    already = [f"Deployed already; now until {done.expires}."] if done.extended else []
    lines = [
        *already,
        f"Run        {done.run}",
        f"Endpoint   {done.endpoint}",
        f"Model      {done.model}",
        f"Cost       {price if bills else f'$0.00 here, would be {price} on Google'}",
        f"Until      {done.expires}",
        f"Check      {checked(done.check)}",
        "Type: ops predict PHOTO   and when you are done: ops undeploy",
    ]
    return "\n".join(lines)


def checked(check: Mapping[str, Any]) -> str:
    """Whether the served answers were compared with the evaluation, and how that went."""
    if check["state"] != "passed":
        return f"{check['state']}: {check['why']}"
    difference, all_ = check["mean_difference"], check["reference_photos"]
    right = "have all labels right" if check.get("multi_label") else "are right"
    evaluated = check["evaluated_accuracy"]
    beside = f", {evaluated:.1%} by the evaluation" if evaluated is not None else ""
    return (
        f"passed: {check['photos']} photos answered as in {check['reference']} "
        f"(scores differ by {difference:.2g} on average; "
        f"{check['reference_accuracy']:.1%} of its {all_} photos {right}{beside})"
    )
