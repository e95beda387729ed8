"""The options that many commands share, each declared once."""

from __future__ import annotations

from typing import Annotated

import typer

TargetOption = Annotated[
    str | None,
    typer.Option("--target", help="local (default) or gcp.", rich_help_panel="Where"),
]
ProjectOption = Annotated[
    str | None, typer.Option("--project", help="Project id.", rich_help_panel="Where")
]
StackOption = Annotated[
    str | None,
    typer.Option("--stack", help="Name of the deployment.", rich_help_panel="Where"),
]
RegionOption = Annotated[
    str | None,
    typer.Option("--region", help="Region of everything made.", rich_help_panel="Where"),
]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Agree to the price; never ask.")]

WHERE = {
    "target": TargetOption,
    "project": ProjectOption,
    "stack": StackOption,
    "region": RegionOption,
}
