"""`ops runs`."""

from __future__ import annotations

from ops.cli.call import Call, Outcome, command, commands
from ops.cli.render import short_names, table
from ops.workflows import runs as workflow

app = commands()


@command(app, "runs", examples=("ops runs", "ops runs --json"))
def runs(call: Call) -> Outcome:
    """What ran, and what came of it."""
    rows = workflow.run(call.ledger)
    cells = [
        (r.id, r.state, f"{r.planned_at:%Y-%m-%d %H:%M}", short_names(workflow.outcome(r)))
        for r in rows
    ]
    text = table(["run", "state", "planned (UTC)", "result"], cells)
    return Outcome({"runs": [workflow.as_json(r) for r in rows]}, text if rows else "No runs yet.")
