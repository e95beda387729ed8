"""What ran in this stack."""

from __future__ import annotations

from typing import Any

from ops.ledger import Ledger, Record


def run(ledger: Ledger) -> list[Record]:
    """Every run on record, oldest first."""
    return ledger.records()


def as_json(record: Record) -> dict[str, Any]:
    """A record as plain JSON."""
    return {
        "run": record.id,
        "kind": record.kind,
        "state": record.state,
        "planned_at": record.planned_at.isoformat(),
        "inputs": record.plan["inputs"],
        "result": dict(record.result),
    }
