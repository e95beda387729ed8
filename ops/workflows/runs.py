"""What ran in this stack."""

from __future__ import annotations

from typing import Any

from ops.ledger import Ledger, Record


def run(ledger: Ledger) -> list[Record]:
    """Every run on record, oldest first."""
    return ledger.records()


def outcome(record: Record) -> str:
    """What came of a run, in a few words; empty while it is not known."""
    result = record.result
    words = {
        "import": ("{photos:,} photos, {dataset}", ("photos", "dataset")),
        "train": ("{model}, {node_hours:.3g} node hours", ("model", "node_hours")),
        "deploy": ("{endpoint}, until {expires}", ("endpoint", "expires")),
    }
    form, needed = words.get(record.kind, ("", ()))
    known = {key: result[key] for key in needed if result.get(key) not in (None, "")}
    return form.format(**known) if len(known) == len(needed) else ""


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
