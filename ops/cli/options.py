"""The options that many commands share, each declared once."""

from __future__ import annotations

from typing import Annotated

import typer

TargetOption = Annotated[
    str | None,
    typer.Option("--target", help="local or gcp (OPS_TARGET; local).", rich_help_panel="Where"),
]
ProjectOption = Annotated[
    str | None,
    typer.Option(
        "--project",
        help="Project id (OPS_PROJECT; local-project on local).",
        rich_help_panel="Where",
    ),
]
StackOption = Annotated[
    str | None,
    typer.Option(
        "--stack",
        help="Name of all that belongs together (OPS_STACK; default).",
        rich_help_panel="Where",
    ),
]
RegionOption = Annotated[
    str | None,
    typer.Option(
        "--region",
        help="Region of everything made (OPS_REGION; us-central1).",
        rich_help_panel="Where",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]
YesOption = Annotated[
    bool, typer.Option("--yes", "-y", help="Agree to what it would ask; never ask.")
]

WHERE = {
    "target": TargetOption,
    "project": ProjectOption,
    "stack": StackOption,
    "region": RegionOption,
}
