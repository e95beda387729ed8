"""`ops cost-report`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from ops.cli.call import Call, Outcome, command, commands
from ops.cli.render import table, usd
from ops.workflows import cost_report as workflow
from ops.workflows import kept_reports

app = commands()

TORN_DOWN = "Nothing of this stack is left: $0.00 from now on."


@command(app, "cost-report", examples=("ops cost-report", "ops cost-report --json > cost.json"))
def cost_report(call: Call) -> Outcome:
    """What each run and endpoint cost."""
    report = workflow.run(call.ledger, datetime.now(UTC))
    kept = kept_reports.newest_first(call.settings)
    result = {**report.as_json(), "kept": [one.as_json() for one in kept]}
    told = [report_text(report)] if report.lines or not kept else [TORN_DOWN]
    return Outcome(result, "\n".join([*told, *kept_text(kept)]))


def report_text(report: workflow.Report) -> str:
    """The report as a table and its sum."""
    if not report.lines:
        return "Nothing ran yet: $0.00."
    rows = [_row(line) for line in report.lines]
    heads = ["run", "state", "used", "rate", "cost", "estimate", "note"]
    return f"{table(heads, rows, right='used, rate, cost, estimate')}\n{_total(report)}"


def kept_text(kept: Sequence[kept_reports.Kept]) -> list[str]:
    """What teardowns of this stack cost before, the newest, and where its report lies."""
    if not kept:
        return []
    newest, more = kept[0], len(kept) - 1
    at = f"{datetime.fromisoformat(newest.at):%Y-%m-%d %H:%M} UTC"
    least = "at least " if newest.at_least else ""
    here = "" if newest.billed_usd else " ($0.00 here)"
    cost = f"{least}{usd(newest.google_usd)} on Google{here}"
    lines = [f"Torn down on {at}, it had cost {cost}: {newest.path}"]
    older = f"{more} older report{'' if more == 1 else 's'}"
    return [*lines, f"And {older} in {newest.path.parent.parent}"] if more else lines


def _row(line: workflow.Line) -> tuple[str, ...]:
    cost = line.cost
    return (
        line.run,
        line.state,
        f"{_quantity(cost.quantity)} {cost.rate.unit}s" if cost else "",
        f"${cost.rate.usd:g} ({cost.rate.read})" if cost else "",
        usd(cost.usd) if cost else "",
        usd(line.estimate_usd) if line.estimate_usd is not None else "",
        line.note,
    )


def _quantity(quantity: float) -> str:
    return "<0.001" if 0 < quantity < 0.0005 else f"{quantity:,.3f}"


def sum_text(report: workflow.Report) -> str:
    """The sum at Google's rates; `at least` when the use of a run is not on record."""
    return f"at least {usd(report.usd)}" if report.at_least else usd(report.usd)


def _total(report: workflow.Report) -> str:
    if report.billed:
        return f"{sum_text(report)} on Google, at the rates above."
    return (
        f"$0.00 here; it would be {sum_text(report)} on Google, at the rates above. "
        "Seconds on this machine foretell no node hours there."
    )
