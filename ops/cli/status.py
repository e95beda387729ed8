"""`ops status`."""

from __future__ import annotations

from ops.cli.call import Call, Outcome, command, commands
from ops.cli.render import table, usd_rate
from ops.workflows import status as workflow

app = commands()


@command(app, "status")
def status(call: Call) -> Outcome:
    """What exists, what it costs per hour, and until when."""
    items = workflow.run(call.session)
    hourly = workflow.usd_per_hour(items)
    result = {"items": [item.as_json() for item in items], "usd_per_hour": round(hourly, 6)}
    if not items:
        return Outcome(result, f"Stack {call.settings.stack} has nothing.")
    return Outcome(result, f"{_table(items)}\n{_total(hourly, call.session.capabilities.bills)}")


def _table(items: list[workflow.Item]) -> str:
    rows = [
        (item.what, item.name, item.state, _hourly(item), _until(item), item.note) for item in items
    ]
    return table(["what", "name", "state", "per hour", "until", "note"], rows, right="per hour")


def _hourly(item: workflow.Item) -> str:
    return usd_rate(item.hourly.usd) if item.hourly else ""


def _until(item: workflow.Item) -> str:
    return f"{item.until:%Y-%m-%d %H:%M} UTC" if item.until else ""


def _total(usd_per_hour: float, bills: bool) -> str:
    if bills:
        return f"Together {usd_rate(usd_per_hour)} per hour."
    return f"Together $0.00 per hour here; on Google it would be {usd_rate(usd_per_hour)}."
