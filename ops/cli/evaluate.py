"""`ops evaluate`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from ops.cli import evaluation_text as texts
from ops.cli.call import Call, Outcome, command, commands
from ops.workflows import compare as comparison
from ops.workflows import comparison_page
from ops.workflows import evaluate as workflow
from ops.workflows import evaluation_page as page

app = commands()

ModelOption = Annotated[
    str | None, typer.Option("--model", help="Model id, ID@VERSION; the newest if none.")
]
RunOption = Annotated[str | None, typer.Option("--run", help="The run that trained the model.")]
Threshold = Annotated[
    float, typer.Option(help="Score from which a label counts as predicted, 0 to 1.")
]
Compare = Annotated[
    str | None,
    typer.Option("--compare", help="Another model or run, judged on the same test photos."),
]
Thresholds = Annotated[
    bool, typer.Option("--thresholds", help="Show the figures at every threshold.")
]
Html = Annotated[
    Path | None,
    typer.Option("--html", help="Where to write the page (.ops/STACK/evaluations/ if not said)."),
]
EXAMPLES = (
    "ops evaluate",
    "ops evaluate --threshold 0.8 --html report.html",
    "ops evaluate --model default-photos-custom@2 --compare default-photos-custom@1",
    "ops evaluate --run RUN --json",
)


@command(app, "evaluate", examples=EXAMPLES)
def evaluate(
    call: Call,
    model: ModelOption = None,
    run: RunOption = None,
    compare: Compare = None,
    threshold: Threshold = workflow.DEFAULT_THRESHOLD,
    thresholds: Thresholds = False,
    html: Html = None,
) -> Outcome:
    """Precision, recall and the confusion matrix of a model."""
    page.check(html)
    chosen: dict[str, Any] = {"model": model, "run": run, "threshold": threshold}
    if compare is not None:
        both = comparison.run(call.ledger, compare, **chosen)
        written = _write(call, comparison_page.write, both, html, both.a, both.b)
        return _outcome(both.as_json(), texts.compared(both), written)
    found = workflow.run(call.ledger, **chosen)
    written = _write(call, page.write, found, html, found)
    return _outcome(found.as_json(), texts.text(found, thresholds=thresholds), written)


def _outcome(result: dict[str, Any], text: str, written: page.Written | None) -> Outcome:
    lines = f"{text}\n\n{texts.page(written)}" if written else text
    return Outcome({**result, "page": str(written.path) if written else None}, lines)


def _write(
    call: Call,
    write: Callable[..., page.Written],
    found: Any,
    html: Path | None,
    *models: workflow.Evaluated,
) -> page.Written | None:
    """The page; None, and said so, when its usual place cannot be written."""
    path = html or page.default_path(call.settings, *models)
    try:
        return write(call.ledger, found, path, call.progress)
    except OSError as error:
        if html is not None:
            raise
        call.say(texts.unwritable(path, error))
        return None
