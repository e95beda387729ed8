"""`ops models list|show|promote|rollback|delete`."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from ops.cli.call import Call, Outcome, command, commands
from ops.cli.render import table
from ops.names import resource_id
from ops.workflows import models as workflow

app = commands("List, show, promote, roll back or delete models and their versions.")

Named = Annotated[str, typer.Argument(help="ID, ID@VERSION or ID@ALIAS: see ops models list.")]
Id = Annotated[str | None, typer.Argument(help="Model id; the stack's newest if none.")]


@command(app, "models list", examples=("ops models list", "ops models list --json"))
def list_models(call: Call) -> Outcome:
    """Every model of the stack with its versions, newest first."""
    found = [workflow.as_json(one) for one in workflow.listed(call.ledger)]
    return Outcome({"models": found}, list_text(found))


@command(app, "models show", examples=("ops models show shop-shoes-automl@2",))
def show(call: Call, model: Named) -> Outcome:
    """One version: where it came from, where its files are, where it is served."""
    found = workflow.as_json(workflow.shown(call.ledger, model))
    return Outcome(found, show_text(found))


@command(
    app,
    "models promote",
    examples=("ops models promote shop-shoes-custom@3", "ops models promote shop-shoes-custom"),
)
def promote(call: Call, model: Named) -> Outcome:
    """Make a version the default, which ops deploy takes; of a plain id the newest."""
    moved = workflow.promote(call.ledger, model)
    return Outcome(moved.as_json(), moved_text(moved))


@command(app, "models rollback", examples=("ops models rollback shop-shoes-custom",))
def rollback(call: Call, model: Id = None) -> Outcome:
    """Make the version the default that was it before."""
    moved = workflow.rollback(call.ledger, model)
    return Outcome(moved.as_json(), moved_text(moved))


@command(
    app,
    "models delete",
    asks=True,
    examples=("ops models delete shop-shoes-custom@1", "ops models delete shop-shoes-custom --yes"),
)
def delete(call: Call, model: Named) -> Outcome:
    """Delete a version, or with a plain id the model; not what is served."""
    plan = workflow.plan_deletion(call.ledger, model)
    call.confirm_deletion(plan.what)
    workflow.delete(call.ledger, plan)
    return Outcome(plan.as_json(), deleted_text(plan))


def list_text(found: list[dict[str, Any]]) -> str:
    """The table that a person reads, a row a version."""
    if not found:
        return "No models. Type: ops train"
    rows = [
        (
            f"{one['model']}@{one['version']}",
            ", ".join(one["aliases"]) or "-",
            one["kind"],
            (one["created"] or "-")[:16].replace("T", " "),
            ", ".join(map(resource_id, one["endpoints"])) or "-",
            one["run"] or "-",
        )
        for one in found
    ]
    return table(["model", "aliases", "kind", "made (UTC)", "served on", "run"], rows)


def show_text(found: dict[str, Any]) -> str:
    """A line for each thing that is known."""
    lines = [f"Model      {found['model']}@{found['version']} ({found['display_name']})"]
    said = {
        "Aliases": ", ".join(found["aliases"]),
        "Kind": found["kind"],
        "Made": (found["created"] or "")[:19].replace("T", " "),
        "Run": found["run"],
        "Data set": found["dataset"],
        "Pipeline": found["pipeline"],
        "Files": found["artifacts"],
        "Image": found["image"],
        "Served on": ", ".join(found["endpoints"]),
        "Exports": ", ".join(found["export_formats"]),
    }
    return "\n".join([*lines, *(f"{key:<10} {value}" for key, value in said.items() if value)])


def moved_text(moved: workflow.Moved) -> str:
    """What a person reads after a promotion or a rollback."""
    if not moved.moved:
        return f"{moved.now.short} is the default already."
    lines = [f"Default    {moved.now.short}", f"Before     {moved.before.short}"]
    if moved.served:
        lines.append(
            f"Served     {moved.before.short} goes on being served. Type: ops undeploy   and: "
            "ops deploy"
        )
    return "\n".join(lines)


def deleted_text(plan: workflow.Deletion) -> str:
    """What a person reads after a deletion."""
    lines = [f"Deleted    {one.short}" for one in plan.versions]
    return "\n".join([*lines, *(f"Files stay {uri}" for uri in plan.as_json()["files"])])
