"""`ops train`."""

from __future__ import annotations

from typing import Annotated

import typer

from ops.cli.call import Call, Outcome, command, commands
from ops.cli.render import usd
from ops.workflows import train as workflow
from ops.workflows.train_options import MIN_NODE_HOURS, Options
from ops.workflows.train_result import Trained

app = commands()

Mode = Annotated[str, typer.Option(help="automl, or custom (not built yet).")]
Dataset = Annotated[str | None, typer.Option(help="Name of the data set; the newest unless given.")]
Budget = Annotated[
    float, typer.Option("--budget-node-hours", help="AutoML's budget, 8 to 800 node hours.")
]
MaxCost = Annotated[
    float | None, typer.Option("--max-cost", help="Refuse if it can cost more, in dollars.")
]
Again = Annotated[bool, typer.Option("--again", help="Train anew what was trained already.")]
Wait = Annotated[bool, typer.Option("--wait/--no-wait", help="Watch it to its end.")]


@command(app, "train", asks=True)
def train(
    call: Call,
    mode: Mode = "automl",
    dataset: Dataset = None,
    budget: Budget = MIN_NODE_HOURS,
    max_cost: MaxCost = None,
    again: Again = False,
    wait: Wait = True,
) -> Outcome:
    """Train a model, price first."""
    options = Options(mode, dataset, budget, max_cost, again)
    workflow.check(call.settings, options)
    plan = workflow.plan(call.ledger, options)
    call.price(plan.estimate)
    done = workflow.run(call.ledger, plan, call.progress, wait=wait)
    return Outcome(done.as_json(), text(done, bills=call.session.capabilities.bills))


def text(done: Trained, *, bills: bool) -> str:
    """What a person reads at the end."""
    lines = [f"Run        {done.run}", f"Data set   {done.dataset} ({done.digest[:12]})"]
    if not done.model:
        return "\n".join([*lines, f"State      {done.state}", "Type: ops train   to watch it"])
    lines.append(f"Model      {done.model}")
    lines.append(f"Stopped    {done.stop_reason or 'no reason given'}{_used(done)}")
    if done.usd_on_google is not None:
        here = "" if bills else "$0.00 here, would be "
        lines.append(f"Cost       {here}{usd(done.usd_on_google)}{'' if bills else ' on Google'}")
    return "\n".join([*lines, *_evaluation(done), "Type: ops evaluate   or: ops deploy"])


def _used(done: Trained) -> str:
    used = f", {done.node_hours:g} node hours" if done.node_hours is not None else ""
    return used + (f" in {done.seconds:.0f} s" if done.seconds is not None else "")


def _evaluation(done: Trained) -> list[str]:
    figures = done.evaluation
    if figures.get("accuracy") is None:
        return []
    photos = f"{figures['accuracy']:.1%} of {figures['photos']} test photos right"
    return [f"Evaluation {photos}, area under precision-recall {figures['au_prc']:.3f}"]
