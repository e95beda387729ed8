"""`ops evaluate`."""

from __future__ import annotations

from typing import Annotated

import typer

from ops.cli.call import Call, Outcome, command, commands
from ops.cli.render import table
from ops.workflows import evaluate as workflow

app = commands()

ModelOption = Annotated[str | None, typer.Option("--model", help="Model id; the newest if none.")]
RunOption = Annotated[str | None, typer.Option("--run", help="The run that trained the model.")]
Threshold = Annotated[
    float, typer.Option(help="Score from which a label counts as predicted, 0 to 1.")
]


@command(app, "evaluate")
def evaluate(
    call: Call,
    model: ModelOption = None,
    run: RunOption = None,
    threshold: Threshold = workflow.DEFAULT_THRESHOLD,
) -> Outcome:
    """Precision, recall and the confusion matrix of a model."""
    found = workflow.run(call.ledger, model=model, run=run, threshold=threshold)
    return Outcome(found.as_json(), text(found))


def text(found: workflow.Evaluated) -> str:
    """The tables that a person reads."""
    at = found.overall
    lines = [f"Model {found.model} ({found.display_name})"]
    confusion = found.confusion
    if confusion is not None and confusion.accuracy is not None:
        lines.append(f"{confusion.accuracy:.1%} of {confusion.photos} test photos right")
    lines.append(f"Area under precision-recall {_share(found.au_prc)}")
    lines.append(
        f"At score {at.threshold:g}: precision {_share(at.precision)}, recall {_share(at.recall)}"
    )
    parts = ["\n".join(lines), _labels(found)]
    if confusion is not None:
        parts.append(_matrix(confusion))
    return "\n\n".join(part for part in parts if part)


def _labels(found: workflow.Evaluated) -> str:
    rows = [
        (
            one.label,
            "-" if one.photos is None else one.photos,
            *map(_share, (one.at.precision, one.at.recall, one.au_prc)),
        )
        for one in found.labels
    ]
    headers = ["label", "photos", "precision", "recall", "auPrc"]
    return table(headers, rows, right="photos,precision,recall,auPrc") if rows else ""


def _matrix(confusion: workflow.Confusion) -> str:
    headers = ["true \\ predicted", *confusion.labels]
    rows = [
        [label, *(count or "." for count in row)]
        for label, row in zip(confusion.labels, confusion.rows, strict=True)
    ]
    return table(headers, rows, right=",".join(confusion.labels))


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
