"""How a benchmark prints what it measured."""

from dataclasses import dataclass

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Figure:
    """One promise: what was measured, what came out, what was aimed at, and whether it holds."""

    what: str
    measured: str
    target: str
    holds: bool


def show(title: str, figures: list[Figure]) -> None:
    """Print the figures as one table."""
    table = Table(title=title, title_justify="left")
    for heading in ("what", "measured", "target", ""):
        table.add_column(heading)
    for figure in figures:
        table.add_row(
            figure.what, figure.measured, figure.target, "ok" if figure.holds else "SHORT"
        )
    Console(width=110).print(table)
