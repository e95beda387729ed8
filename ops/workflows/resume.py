"""A run taken up by its id: which command began it, and with what, is on record with its plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ops.errors import Code, OpsError
from ops.ledger import Ledger, Record, Run, RunState
from ops.pricing.estimate import Estimate
from ops.workflows import imported, train
from ops.workflows.imported import Imported

TEARDOWN = "teardown"


@dataclass(frozen=True)
class Typed:
    """A command as it was typed: its name, its options by name, and in which folder."""

    command: str
    values: Mapping[str, Any]
    folder: Path


@dataclass(frozen=True)
class Training:
    """A training to go on with: `estimate` is what that can still cost."""

    run: Run
    data: Imported
    estimate: Estimate


def unfinished(ledger: Ledger) -> list[Record]:
    """The runs that have no result yet, oldest first."""
    return [one for one in ledger.records() if one.state is RunState.UNFINISHED]


def training(ledger: Ledger, record: Record) -> Training:
    """An unfinished training, with the very version of the data set that it was planned with."""
    name = str(record.plan["inputs"]["dataset"])
    data = imported.version(ledger, name, str(record.plan["data_digest"]))
    run = ledger.open(record.id)
    return Training(run, data, train.left(ledger, run))


def typed(record: Record) -> Typed:
    """The command that began an unfinished import or deployment.

    NOT_FOUND when it is not on record, or was typed in a folder that is not on this machine.
    """
    found = record.plan.get("typed")
    if not found:
        raise OpsError(
            Code.NOT_FOUND,
            f"How run {record.id} was begun is not on record.",
            f"Type the same command again (ops {COMMANDS[record.kind]} …): it takes the run up.",
        )
    values = {**found["values"], **_decided(record)}
    command = Typed(str(found["command"]), values, Path(found["folder"]))
    if record.kind == "import" and not command.folder.is_dir():
        raise OpsError(
            Code.NOT_FOUND,
            f"Run {record.id} was begun in {command.folder}, which is not on this machine.",
            "Type the same ops import-dataset where the photos are: it takes the run up.",
        )
    return command


COMMANDS = {"import": "import-dataset", "train": "train", "deploy": "deploy"}


def _decided(record: Record) -> dict[str, Any]:
    """What was chosen when the run was planned, in place of "the newest"."""
    inputs = record.plan["inputs"]
    if record.kind != "deploy":
        return {}
    return {key: inputs[key] for key in ("model", "machine") if key in inputs}
