"""What ran in this stack."""

from __future__ import annotations

from string import Formatter
from typing import Any

from ops.ledger import Ledger, Record


def run(ledger: Ledger) -> list[Record]:
    """Every run on record, oldest first."""
    return ledger.records()


# By kind, what is said of a result that has all of these: the first that fits.
OUTCOMES: dict[str, tuple[str, ...]] = {
    "import": ("{photos:,} photos, {dataset}",),
    "train": (
        "{model}, {node_hours:.3g} node hours",
        "{model}, {seconds:.0f} s on its machine",
        "{folder}, on this machine only",
    ),
    "deploy": ("{endpoint}, until {expires}",),
}


def outcome(record: Record) -> str:
    """What came of a run, in a few words; empty while it is not known."""
    for form in OUTCOMES.get(record.kind, ()):
        needed = [name for _, name, _, _ in Formatter().parse(form) if name]
        known = {key: record.result[key] for key in needed if record.result.get(key)}
        if len(known) == len(needed):
            return form.format(**known)
    return ""


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
