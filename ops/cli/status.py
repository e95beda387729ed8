"""`ops status`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from ops.cli.call import Call, Outcome, command, commands
from ops.cli.render import short_names, table, usd_rate
from ops.workflows import status as workflow

app = commands()


@command(app, "status", examples=("ops status", "ops status --stack demo"))
def status(call: Call) -> Outcome:
    """What exists, what it costs per hour, and until when."""
    items = workflow.run(call.session)
    hourly = workflow.usd_per_hour(items)
    result = {"items": [item.as_json() for item in items], "usd_per_hour": round(hourly, 6)}
    if not items:
        return Outcome(result, f"Stack {call.settings.stack} has nothing.")
    text = items_text(items, datetime.now(UTC))
    return Outcome(result, f"{text}\n{_total(hourly, call.session.capabilities.bills)}")


def items_text(items: list[workflow.Item], now: datetime) -> str:
    """A row for each item: ids in place of full names, and what to type about the expired."""
    rows = [_row(item, now) for item in items]
    return table(["what", "id", "state", "per hour", "note", "until (UTC)"], rows, right="per hour")


def _row(item: workflow.Item, now: datetime) -> tuple[str, ...]:
    id = short_names(item.name)
    note = short_names(item.note).removeprefix(id)
    if item.expired and item.until is not None:
        note = f"expired {_age(now - item.until)} ago: type ops undeploy"
    return (item.what, id, item.state, _hourly(item), note, _until(item))


def _age(passed: timedelta) -> str:
    minutes = int(passed / timedelta(minutes=1))
    if minutes < 120:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 2880 else f"{minutes // 1440} days"


def _hourly(item: workflow.Item) -> str:
    return usd_rate(item.hourly.usd) if item.hourly else ""


def _until(item: workflow.Item) -> str:
    return f"{item.until:%Y-%m-%d %H:%M}" if item.until else ""


def _total(usd_per_hour: float, bills: bool) -> str:
    if bills:
        return f"Together {usd_rate(usd_per_hour)} per hour."
    return f"Together $0.00 per hour here; on Google it would be {usd_rate(usd_per_hour)}."
