"""What a command prints: text for people on standard output, or one versioned JSON document."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ops.cli.call import Call, Outcome
    from ops.errors import OpsError
    from ops.pricing.estimate import Cost, Estimate
    from ops.settings import Settings

ENVELOPE_VERSION = 1
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
    """Columns under headers; those named in `right` (comma separated) are aligned to the right."""
    cells = [list(headers), *([str(cell) for cell in row] for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(headers))]
    to_right = {name.strip() for name in right.split(",")}
    lines = []
    for row in cells:
        padded = [
            cell.rjust(width) if header in to_right else cell.ljust(width)
            for cell, width, header in zip(row, widths, headers, strict=True)
        ]
        lines.append("  ".join(padded).rstrip())
    return "\n".join(lines)


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
    lines = [_cost_line(cost) for cost in estimate.costs]
    lines += [_hour_line(cost) for cost in estimate.hourly]
    if not lines:
        return []
    if bills:
        return [f"Price: {line}" for line in lines]
    return [f"Google would ask: {line}" for line in lines] + ["Here: $0.00"]


def _cost_line(cost: Cost) -> str:
    quantity = f"{number(cost.quantity)} {cost.rate.unit}{'' if cost.quantity == 1 else 's'}"
    sum_ = f"{usd_rate(cost.rate.usd)} = {usd(cost.usd)}"
    return f"{cost.what}: at most {quantity} x {sum_} (rate of {cost.rate.read})"


def _hour_line(cost: Cost) -> str:
    return f"{cost.what}: {usd_rate(cost.usd)} for every hour (rate of {cost.rate.read})"
