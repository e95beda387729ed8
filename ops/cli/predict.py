"""`ops predict`."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from ops.cli import failures
from ops.cli.call import Call, Outcome, command, commands
from ops.cli.render import error_text, table
from ops.errors import ExitCode
from ops.workflows import predict as workflow

app = commands()

Photos = Annotated[list[Path], typer.Argument(help="Photos, of any size and common format.")]
EndpointOption = Annotated[
    str | None, typer.Option("--endpoint", help="Endpoint id; the newest that serves if none.")
]
Threshold = Annotated[
    float | None,
    typer.Option(
        "--threshold",
        min=0.0,
        max=1.0,
        help="Say every label with at least this score (0.5 for a model of several labels).",
    ),
]
EXAMPLES = (
    "ops predict rose.jpg",
    "ops predict holiday/*.jpg --json",
    "ops predict outfit.jpg --threshold 0.3",
)


@command(app, "predict", examples=EXAMPLES)
def predict(
    call: Call, photos: Photos, endpoint: EndpointOption = None, threshold: Threshold = None
) -> Outcome:
    """Classify photos with the deployed model."""
    explain = partial(failures.explain, call=call)
    done = workflow.run(
        call.ledger, photos, call.progress, explain, endpoint=endpoint, threshold=threshold
    )
    for answer in done.answers:
        if answer.note:
            call.say(f"{answer.key}: {answer.note}")
        if answer.error:
            call.say(error_text(answer.error))
    exit_code = ExitCode.BAD_DATA if done.failed else ExitCode.OK
    return Outcome(done.as_json(), text(done), exit_code)


def text(done: workflow.Predicted) -> str:
    """The table that a person reads, a row a photo that was answered."""
    answered = [one for one in done.answers if one.error is None]
    if not answered:
        return ""
    if done.threshold is not None:
        return table(["photo", "labels"], [(one.key, _several(one)) for one in answered])
    rows = [(one.key, one.prediction, f"{one.score:.3f}") for one in answered]
    return table(["photo", "label", "score"], rows, right="score")


def _several(answer: workflow.Answer) -> str:
    """`dress 0.912, hat 0.671`; where none is likely, that, and the best."""
    said = [f"{label} {answer.scores[label]:.3f}" for label in answer.predictions or ()]
    return ", ".join(said) or f"none; best is {answer.prediction} {answer.score:.3f}"
