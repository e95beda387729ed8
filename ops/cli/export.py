"""`ops export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ops.cli.call import Call, Outcome, command, commands
from ops.workflows import export as workflow
from ops.workflows.export_readme import README

app = commands()

SHOWN = 10

Named = Annotated[str, typer.Argument(help="ID, ID@VERSION or ID@ALIAS: see ops models list.")]
Format = Annotated[
    str,
    typer.Option(
        help="saved-model (TensorFlow), tflite (LiteRT, for phones), or tflite-int8 (trained with "
        "--int8 yes)."
    ),
]
To = Annotated[Path, typer.Option(help="The folder to make; not one that holds anything.")]


@command(
    app,
    "export",
    examples=(
        "ops export shop-shoes-custom --to shoes-model",
        "ops export shop-shoes-custom@2 --format tflite --to phone",
    ),
)
def export(call: Call, model: Named, to: To, format: Format = workflow.SAVED_MODEL) -> Outcome:
    """Copy a model's files to a folder of this machine."""
    workflow.check(format, to)
    plan = workflow.plan(call.ledger, model, format, to)
    done = workflow.run(call.ledger, plan, call.progress)
    return Outcome(done.as_json(), text(done))


def text(done: workflow.Exported) -> str:
    """What a person reads at the end."""
    files = f"{len(done.files)} file{'' if len(done.files) == 1 else 's'}"
    lines = [
        f"Model      {done.model}",
        f"Folder     {done.folder} ({files}, {done.size_bytes / 1e6:.1f} MB)",
    ]
    if done.card is None:
        return "\n".join(lines)
    whole = "image_bytes (batch,): each a whole JPEG, PNG, GIF, BMP or WebP file"
    fed = whole if done.format == workflow.SAVED_MODEL else done.card.words
    labels = done.card.labels
    more = f" and {len(labels) - SHOWN} more" if len(labels) > SHOWN else ""
    return "\n".join(
        [
            *lines,
            f"Input      {fed}",
            f"Scores     {', '.join(labels[:SHOWN])}{more} (the order of labels.txt)",
            f"How to     {done.folder / README}",
        ]
    )
