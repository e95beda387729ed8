"""What a command prints: text for people on standard output, or one versioned JSON document."""

from __future__ import annotations

import json
import os
import re
import sys
import unicodedata
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ops.cli.call import Call, Outcome
    from ops.errors import OpsError
    from ops.pricing.estimate import Cost, Estimate
    from ops.settings import Settings

ENVELOPE_VERSION = 1
# Columns whose cells are labels, as long as their users like; names to be typed are never cut.
LABELS = ("label", "is", "taken for", "A says", "B says", "surest mistakes", "true \\ predicted")
WIDEST_LABEL = 40
FULL_NAME = re.compile(r"projects/[^/\s]+/locations/[^/\s]+/[A-Za-z]+/")


def heading(settings: Settings) -> str:
    """The first line of every command: target, project and stack, and where each was set."""
    return ", ".join(
        f"{key} {getattr(settings, key)} ({settings.sources[key]})"
        for key in ("target", "project", "stack")
    )


def show(call: Call, outcome: Outcome) -> None:
    """Print the outcome: the envelope with --json, else the text; its error as every error."""
    if call.json:
        failed = {"error": error_json(outcome.error)} if outcome.error else {}
        put(envelope(call.command, call.settings, result=outcome.result, **failed))
    elif outcome.text:
        put(outcome.text)
    if outcome.error:
        print(error_text(outcome.error), file=sys.stderr, flush=True)


def put(text: str) -> None:
    """Write a line to standard output; whoever closed it (`ops runs | head`) wants no more."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        # Python flushes again at exit: docs.python.org/3/library/signal.html#note-on-sigpipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def envelope(command: str, settings: Settings | None, **body: Any) -> str:
    """The JSON document of a command; `body` is `result={…}`, `error={…}` or both."""
    where = {key: getattr(settings, key, None) for key in ("target", "project", "stack")}
    document = {"version": ENVELOPE_VERSION, "command": command, **where, **body}
    return json.dumps(document, indent=2, ensure_ascii=False, default=str)


def error_json(error: OpsError) -> dict[str, str]:
    """What the envelope carries under `error`."""
    return {"code": error.code, "message": error.message, "hint": error.hint}


def error_text(error: OpsError) -> str:
    """What a person reads: what happened and, on a line of its own, what to type."""
    return f"Error: {error.message}" + (f"\n{error.hint}" if error.hint else "")


def table(headers: Sequence[str], rows: Iterable[Sequence[object]], right: str = "") -> str:
    """Columns under headers; those named in `right` (comma separated) are aligned to the right.

    Headers, and labels in the columns of `LABELS`, are cut at 40 columns of the terminal.
    """
    to_right = {name.strip() for name in right.split(",")}
    cells = [[_cut(header) for header in headers]]
    for row in rows:
        named = zip(headers, map(str, row), strict=True)
        cells.append([_cut(cell) if header in LABELS else cell for header, cell in named])
    widths = [max(_width(row[column]) for row in cells) for column in range(len(headers))]
    lines = []
    for row in cells:
        blanks = [" " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True)]
        padded = [
            blank + cell if header in to_right else cell + blank
            for cell, blank, header in zip(row, blanks, headers, strict=True)
        ]
        lines.append("  ".join(padded).rstrip())
    return "\n".join(lines)


def _width(text: str) -> int:
    """How many columns of a terminal it takes: two for a wide character, none for an accent.

    Source: Unicode Standard Annex 11, East Asian Width, "recommendations".
    """
    return sum(map(_columns, text))


def _columns(char: str) -> int:
    if unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in ("W", "F") else 1


def _cut(text: str) -> str:
    if _width(text) <= WIDEST_LABEL:
        return text
    kept, left = "", WIDEST_LABEL - 1
    for char in text:
        left -= _columns(char)
        if left < 0:
            break
        kept += char
    return f"{kept}…"


def usd(amount: float) -> str:
    """Dollars and cents; what is under half a cent but not nothing is `<$0.01`."""
    return "<$0.01" if 0 < amount < 0.005 else f"${amount:,.2f}"


def usd_rate(amount: float) -> str:
    """Dollars of a rate, with as many digits as it has: $1.375."""
    return "<$0.01" if 0 < amount < 0.005 else f"${amount:.4g}"


def number(quantity: float) -> str:
    """A quantity under 100 with three significant digits (0.0833), others with up to six."""
    return f"{quantity:.3g}" if abs(quantity) < 100 else f"{quantity:g}"


def short_names(text: str) -> str:
    """`text` with the id in place of each full resource name (projects/P/locations/R/models/ID)."""
    return FULL_NAME.sub("", text)


def price_lines(estimate: Estimate, *, bills: bool) -> list[str]:
    """What Google asks, a line for each cost, and whether it is asked here."""
    hourly = {cost.what: cost for cost in estimate.hourly}
    lines = [_cost_line(cost, hourly.pop(cost.what, None)) for cost in estimate.costs]
    lines += [_hour_line(cost) for cost in hourly.values()]
    if not lines:
        return []
    if bills:
        return [f"Price: {line}" for line in lines]
    return [f"Google would ask: {line}" for line in lines] + ["Here: $0.00"]


def _cost_line(cost: Cost, hour: Cost | None) -> str:
    """A cost that ends by itself, at most; one that goes on at the price of an `hour`, truly."""
    quantity = f"{number(cost.quantity)} {cost.rate.unit}{'' if cost.quantity == 1 else 's'}"
    sum_ = f"{usd_rate(cost.rate.usd)} = {usd(cost.usd)}"
    rate = f"(rate of {cost.rate.read})"
    if hour is None:
        return f"{cost.what}: at most {quantity} x {sum_} {rate}"
    goes_on = f"it goes on costing {usd_rate(hour.usd)} an hour until ops undeploy"
    return f"{cost.what}: {quantity} x {sum_} for the time to live; {goes_on} {rate}"


def _hour_line(cost: Cost) -> str:
    return f"{cost.what}: {usd_rate(cost.usd)} for every hour (rate of {cost.rate.read})"
