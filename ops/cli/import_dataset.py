"""`ops import-dataset`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ops.cli.call import Call, Outcome, command, commands
from ops.cli.render import table
from ops.data.split import SPLITS
from ops.workflows import import_dataset as workflow

app = commands()

SourceArgument = Annotated[
    Path, typer.Argument(help="A folder with a folder per class, or a CSV: [ML_USE,]path,label.")
]
NameOption = Annotated[
    str | None, typer.Option(help="The data set's name; else made of the source's.")
]
SkipBadOption = Annotated[
    bool, typer.Option("--skip-bad", help="Leave out photos that cannot be used, and say which.")
]


@command(app, "import-dataset")
def import_dataset(
    call: Call, source: SourceArgument, name: NameOption = None, skip_bad: SkipBadOption = False
) -> Outcome:
    """Check, upload and register photos with their labels."""
    found = workflow.look(source, name, skip_bad, call.progress, call.settings.state_dir)
    plan = workflow.plan(call.ledger, found)
    for remark in plan.remarks:
        call.say(remark)
    done = workflow.run(call.ledger, plan, call.progress)
    result = {"run": done.run, "already": done.already, **done.result}
    return Outcome({**result, "remarks": list(plan.remarks)}, _text(done))


def _text(done: workflow.Done) -> str:
    """The labels and splits as a table, under one line with the totals."""
    result = done.result
    rows = [
        (own, *(counts[split] for split in SPLITS), sum(counts.values()))
        for own, counts in sorted(result["labels"].items())
    ]
    total = ("all", *(result["splits"][split] for split in SPLITS), result["photos"])
    verb = "Already imported" if done.already else "Imported"
    return "\n".join(
        (
            f"{verb}: data set {result['name']}, {result['photos']:,} photos, "
            f"{len(rows)} labels, digest {result['digest'][:12]}.",
            table(
                ["label", *SPLITS, "photos"], [*rows, total], right=", ".join([*SPLITS, "photos"])
            ),
            f"{result['dataset']}",
            "Next: ops train --mode automl",
        )
    )
