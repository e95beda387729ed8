"""`ops cost-report`."""

from __future__ import annotations

from datetime import UTC, datetime

from ops.cli.call import Call, Outcome, command, commands
from ops.cli.render import table, usd
from ops.workflows import cost_report as workflow

app = commands()


@command(app, "cost-report", examples=("ops cost-report", "ops cost-report --json > cost.json"))
def cost_report(call: Call) -> Outcome:
    """What each run and endpoint cost."""
    report = workflow.run(call.ledger, datetime.now(UTC))
    return Outcome(report.as_json(), report_text(report))


def report_text(report: workflow.Report) -> str:
    """The report as a table and its sum."""
    if not report.lines:
        return "Nothing ran yet: $0.00."
    rows = [_row(line) for line in report.lines]
    heads = ["run", "state", "used", "rate", "cost", "estimate", "note"]
    return f"{table(heads, rows, right='used, rate, cost, estimate')}\n{_total(report)}"


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
