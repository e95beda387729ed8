"""`ops explain`."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from ops.cli import failures
from ops.cli.call import Call, Outcome, command, commands
from ops.cli.predict import EndpointOption, Photos
from ops.cli.render import error_text, table
from ops.cloud.explanations import METHODS, Asked
from ops.errors import Code, ExitCode, OpsError
from ops.workflows import explain as workflow
from ops.workflows import explanation_page as page

app = commands()

Label = Annotated[
    list[str] | None,
    typer.Option("--label", help="Explain this label's score, not the best one's; repeatable."),
]
Method = Annotated[
    str, typer.Option("--method", help="xrai: regions; ig: pixels, by integrated gradients.")
]
Steps = Annotated[
    int | None,
    typer.Option("--steps", min=1, max=100, help="Gradients of the integral; more are exacter."),
]
To = Annotated[
    Path | None,
    typer.Option("--to", help="Folder of pictures and page (.ops/STACK/explanations if none)."),
]
EXAMPLES = (
    "ops explain rose.jpg",
    "ops explain holiday/*.jpg --to why",
    "ops explain outfit.jpg --label dress --label hat --method ig",
)


@command(app, "explain", examples=EXAMPLES)
def explain(
    call: Call,
    photos: Photos,
    label: Label = None,
    method: Method = METHODS[0],
    steps: Steps = None,
    to: To = None,
    endpoint: EndpointOption = None,
) -> Outcome:
    """Show which parts of a photo made the deployed model answer as it does."""
    asked = Asked(checked(method), steps, tuple(label or ()))
    folder = to or workflow.default_folder(call.settings)
    of_any = partial(failures.explain, call=call)
    done = workflow.run(
        call.ledger, photos, folder, call.progress, of_any, asked, endpoint=endpoint
    )
    for remark in remarks(done):
        call.say(remark)
    done = page.write(done, folder, call.settings)
    exit_code = ExitCode.BAD_DATA if done.failed else ExitCode.OK
    return Outcome(done.as_json(), text(done), exit_code)


def checked(method: str) -> str:
    """The method. USAGE for one that there is not."""
    if method not in METHODS:
        raise OpsError(
            Code.USAGE,
            f"--method is {' or '.join(METHODS)}. Received: {method}.",
            f"Type --method {METHODS[0]}",
        )
    return method


def remarks(done: workflow.Explanations) -> list[str]:
    """What was done to photos, and why some have no explanation."""
    notes = dict.fromkeys(f"{one.key}: {one.note}" for one in done.explained if one.note)
    return [*notes, *(error_text(error) for _, error in done.failed)]


def text(done: workflow.Explanations) -> str:
    """A row for each explanation: the heaviest place and its share, and where the picture lies."""
    rows = [
        (one.key, one.label, f"{one.found.score:.3f}", _heaviest(one), str(one.picture or "–"))
        for one in done.explained
    ]
    shown = table(["photo", "label", "score", "heaviest place", "picture"], rows)
    return f"{shown}\n\nPage  {done.page}"


def _heaviest(one: workflow.Explained) -> str:
    """`41% in 7% of the area at 120,80–310,260`; a dash where the service gives no places."""
    if not one.found.regions:
        return "–"
    best = one.found.regions[0]
    corners = f"{best['left']:g},{best['top']:g}–{best['right']:g},{best['bottom']:g}"
    return f"{best['share']:.0%} in {best['area']:.0%} of the area at {corners}"
