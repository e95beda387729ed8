"""`ops import-dataset`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ops.cli.call import Call, Outcome, command, commands
from ops.cli.render import table
from ops.data.split import SPLITS
from ops.workflows import import_dataset as workflow
from ops.workflows import import_sheet
from ops.workflows.import_source import Options, look, shares

app = commands()

SourceArgument = Annotated[
    str,
    typer.Argument(
        help="A folder with a folder per class, or a CSV: [ML_USE,]path,label…; either may be gs://…"
    ),
]
NameOption = Annotated[
    str | None, typer.Option(help="The data set's name; else made of the source's.")
]
SkipBadOption = Annotated[
    bool, typer.Option("--skip-bad", help="Leave out photos that cannot be used, and say which.")
]
SeveralOption = Annotated[
    bool | None,
    typer.Option(
        "--multi-label/--single-label",
        help="Whether a photo may have several labels; else it may if any has.",
    ),
]
SplitOption = Annotated[
    str | None,
    typer.Option(
        "--split",
        help="Percent for training, validation and test (80/10/10), or for training and test "
        "(90/10: for custom training only); else as the earlier version, or 80/10/10.",
    ),
]
SubsetOption = Annotated[
    int | None,
    typer.Option(help="Take about so many photos, of every label: the same ones every time."),
]
LabelsOption = Annotated[
    str | None,
    typer.Option(help="A file of the labels that may be, one a line; others are problems."),
]
SheetOption = Annotated[
    str | None,
    typer.Option(help="Where to write the contact sheet (HTML); else under .ops/STACK/sheets/."),
]
EXAMPLES = (
    "ops import-dataset photos/",
    "ops import-dataset list.csv --name shop --multi-label",
    "ops import-dataset gs://my-bucket/photos.csv",
    "ops import-dataset photos/ --split 70/15/15 --labels labels.txt",
    "ops import-dataset photos/ --subset 200",
)


@command(app, "import-dataset", examples=EXAMPLES)
def import_dataset(
    call: Call,
    source: SourceArgument,
    name: NameOption = None,
    skip_bad: SkipBadOption = False,
    multi_label: SeveralOption = None,
    split: SplitOption = None,
    subset: SubsetOption = None,
    labels: LabelsOption = None,
    sheet: SheetOption = None,
) -> Outcome:
    """Check, upload and register photos with their labels."""
    options = Options(name, skip_bad, multi_label, shares(split), subset, labels)
    found = look(source, options, call.progress, call.settings.state_dir, lambda: call.session)
    plan = workflow.plan(call.ledger, found, options.shares)
    for remark in plan.remarks:
        call.say(remark)
    done = workflow.run(call.ledger, plan, call.progress)
    page = _sheet(call, plan, sheet)
    known = {
        "run": done.run,
        "version": done.ref,
        "already": done.already,
        "remarks": list(plan.remarks),
    }
    text = _text(done) + (f"\nContact sheet: {page}" if page else "")
    return Outcome({**known, **done.result, "sheet": page}, text)


def _sheet(call: Call, plan: workflow.ImportPlan, asked: str | None) -> str | None:
    """Where the contact sheet lies; None, and why on standard error, when it cannot be written.

    The sheet of a data set does not change: one that is there stays, unless another is asked for.
    """
    path = Path(asked) if asked else import_sheet.default_path(call.settings, plan)
    if asked is None and path.is_file():
        return str(path)
    try:
        return str(import_sheet.write(plan, path, call.progress))
    except OSError as cause:
        call.say(f"Warning: the contact sheet {path} cannot be written ({cause.strerror}).")
        return None


def _text(done: workflow.Done) -> str:
    """The labels and splits as a table, under one line with the totals."""
    result = done.result
    rows = [
        (own, *(counts[split] for split in SPLITS), sum(counts.values()))
        for own, counts in sorted(result["labels"].items())
    ]
    splits, unlabelled = result["splits"], result.get("unlabelled", 0)
    if unlabelled:
        rows.append(("(no label)", 0, 0, 0, unlabelled))
    total = ("all", *(splits[split] for split in SPLITS), result["photos"])
    verb = "Already imported" if done.already else "Imported"
    kind = "multi-label data set" if result.get("multi_label") else "data set"
    headers = ["label", *SPLITS, "photos"]
    mode = "automl" if splits["validation"] else "custom --model-type cnn"
    return "\n".join(
        (
            f"{verb}: {kind} {done.ref}, {result['photos']:,} photos, "
            f"{len(result['labels'])} labels, digest {result['digest'][:12]}.",
            table(headers, [*rows, total], right=", ".join(headers[1:])),
            f"{result['dataset']}",
            f"Next: ops train --mode {mode} --dataset {done.ref}",
        )
    )
