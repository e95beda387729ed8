"""`ops train`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from ops import names
from ops.cli.call import Call, Outcome, command, commands
from ops.cli.render import usd
from ops.cli.trainer_options import with_trainer_flags
from ops.workflows import train as workflow
from ops.workflows.train_options import CustomOptions, Options
from ops.workflows.train_result import Trained

app = commands()

STOPPED = {
    "MODEL_CONVERGED": "all its epochs done, or no more gain",
    "BUDGET_REACHED": "at its limit",
    "LOSS_NOT_FINITE": "its loss was lost, the best epoch is kept",
    "LOSS_DIVERGED": "its loss only grew, the best epoch is kept",
}
CUSTOM = "Custom training (--mode custom)"
LOCAL = "On this machine, without the API (--mode custom --local)"

Mode = Annotated[str, typer.Option(help="automl, or custom: a model type of your choice.")]
Dataset = Annotated[
    str | None,
    typer.Option(
        metavar="NAME@N", help="A data set, or a version of it; else what was imported last."
    ),
]
MaxCost = Annotated[
    float | None,
    typer.Option(
        "--max-cost", help="In dollars. AutoML: refuse if it can cost more; custom: end it there."
    ),
]
Again = Annotated[bool, typer.Option("--again", help="Train anew what was trained already.")]
Wait = Annotated[bool, typer.Option("--wait/--no-wait", help="Watch it to its end.")]
Budget = Annotated[
    float | None,
    typer.Option(
        "--budget-node-hours",
        help="Its budget, 8 to 800 node hours; 8 unless given.",
        rich_help_panel="AutoML (--mode automl)",
    ),
]
ModelType = Annotated[
    str | None,
    typer.Option(
        help="linear, dnn, dnn_dropout, cnn, cnn_batch_norm or transfer.", rich_help_panel=CUSTOM
    ),
]
MachineType = Annotated[
    str | None, typer.Option("--machine", help="n1-standard-4 if none.", rich_help_panel=CUSTOM)
]
Accelerator = Annotated[
    str | None,
    typer.Option(help="NVIDIA_TESLA_T4, or two: NVIDIA_TESLA_T4:2.", rich_help_panel=CUSTOM),
]
Spot = Annotated[
    bool,
    typer.Option(
        "--spot",
        help="Spot machines: cheaper, may be taken away. Price, --max-cost and cost report: at the "
        "on-demand rate, the most it can cost (no spot price is on record).",
        rich_help_panel=CUSTOM,
    ),
]
Image = Annotated[
    str | None,
    typer.Option(
        help="Container image that trains and serves (OPS_TRAINER_IMAGE; the project's own).",
        rich_help_panel=CUSTOM,
    ),
]
Build = Annotated[
    str | None,
    typer.Option(
        metavar="cloud|docker|never",
        help="Who builds the trainer's image if it is not there: Cloud Build, Docker here, nobody.",
        rich_help_panel=CUSTOM,
    ),
]
MaxMinutes = Annotated[
    float | None,
    typer.Option(help="End it after this, 2 to 10080; 60 unless given.", rich_help_panel=CUSTOM),
]
Here = Annotated[
    bool, typer.Option("--local", help="Train right here; no job, no price.", rich_help_panel=LOCAL)
]
To = Annotated[
    Path | None,
    typer.Option(help="Folder for the model; else .ops/STACK/runs/RUN.", rich_help_panel=LOCAL),
]


@command(
    app,
    "train",
    asks=True,
    examples=(
        "ops train",
        "ops train --mode custom --model-type cnn --max-cost 0.50",
        "ops train --mode custom --model-type transfer --machine g2-standard-4 --spot",
        "ops train --mode custom --model-type dnn --hidden-units 256,128 --local",
    ),
)
@with_trainer_flags
def train(
    call: Call,
    mode: Mode = "automl",
    dataset: Dataset = None,
    max_cost: MaxCost = None,
    again: Again = False,
    wait: Wait = True,
    budget: Budget = None,
    model_type: ModelType = None,
    machine: MachineType = None,
    accelerator: Accelerator = None,
    spot: Spot = False,
    image: Image = None,
    build: Build = None,
    max_minutes: MaxMinutes = None,
    local: Here = False,
    to: To = None,
    *,
    flags: Mapping[str, str],
) -> Outcome:
    """Train a model, price first."""
    custom = CustomOptions(
        model_type, flags, machine, accelerator, spot, image, max_minutes, local, to, build
    )
    options = Options(mode, dataset, budget, max_cost, again, custom)
    workflow.check(call.settings, options)
    plan = workflow.plan(call.ledger, options)
    call.say(f"Data set: {plan.data.words}")
    call.price(plan.estimate)
    done = workflow.run(call.ledger, plan, call.progress, wait=wait)
    return Outcome(done.as_json(), text(done, bills=call.session.capabilities.bills))


def text(done: Trained, *, bills: bool) -> str:
    """What a person reads at the end."""
    lines = [f"Run        {done.run}", f"Data set   {done.dataset} ({done.digest[:12]})"]
    if done.folder:
        lines += [f"Model      {done.folder}", _stopped(done)]
        return "\n".join([*lines, *_evaluation(done), "On this machine only: no registry has it."])
    if not done.model:
        return "\n".join(
            [*lines, f"State      {done.state}", f"Type: ops resume {done.run}   to watch it"]
        )
    lines.append(f"Model      {done.model}")
    lines.append(_stopped(done))
    if done.usd_on_google is not None:
        here = "" if bills else "$0.00 here, would be "
        most = "at most " if done.usd_is_most else ""
        lines.append(
            f"Cost       {here}{most}{usd(done.usd_on_google)}{'' if bills else ' on Google'}"
        )
    return "\n".join([*lines, *_evaluation(done), _next(done.model)])


def _next(model: str) -> str:
    """What to type: the first version of a model is its default, a later one has to be made it."""
    if model.endswith("@1"):
        return "Type: ops evaluate   or: ops deploy"
    id = names.short_model(model)
    return f"Type: ops evaluate --model {id}   or, to serve it: ops models promote {id}"


def _stopped(done: Trained) -> str:
    """Why it ended, for people; the API's own word is in --json."""
    why = STOPPED.get(done.stop_reason, done.stop_reason) or "no reason given"
    return f"Stopped    {why}{_used(done)}"


def _used(done: Trained) -> str:
    used = [f"{done.node_hours:g} node hours"] if done.node_hours is not None else []
    used += [f"{done.seconds:.0f} s"] if done.seconds is not None else []
    return f" ({', '.join(used)})" if used else ""


def _evaluation(done: Trained) -> list[str]:
    from ops.cli.evaluation_text import share_right

    figures = done.evaluation
    said = []
    if figures.get("accuracy") is not None:
        photos, several = figures["photos"], bool(figures.get("multi_label"))
        said.append(share_right(round(figures["accuracy"] * photos), photos, several=several))
    if figures.get("au_prc") is not None:
        said.append(f"area under precision-recall {figures['au_prc']:.3f}")
    return [f"Evaluation {', '.join(said)}"] if said else []
