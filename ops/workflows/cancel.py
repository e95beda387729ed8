"""End a training before its time: asked once, waited for, and put on record with what it cost."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ops.cloud import training
from ops.errors import Code, OpsError
from ops.ledger import Ledger, Run, RunState
from ops.progress import Progress
from ops.workflows import local_training, train, train_failures

END_SECONDS = 600.0


@dataclass(frozen=True)
class Cancelled:
    """What was ended; `state` is how it ended, which may be by itself a moment before."""

    run: str
    state: str
    pipelines: tuple[str, ...] = ()
    used: dict[str, Any] = field(default_factory=dict)
    billed: str = ""

    def as_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return {**vars(self), **self.used}


def run(ledger: Ledger, run_id: str, progress: Progress) -> Cancelled:
    """The run, ended and on record; one that has ended already is shown as it is.

    USAGE for an import, a deployment, or a training on this machine.
    """
    run = ledger.open(run_id)
    if run.state is not RunState.UNFINISHED:
        return Cancelled(run.id, str(run.state))
    _check(run)
    found = train.pipelines(ledger, run.id)
    for one in found:
        if not one.is_ended:
            _ask(ledger, one.name)
    with progress.step("Cancelling"):
        ended = [_ended(ledger, one.name) for one in found]
    if any(one.succeeded for one in ended):
        return Cancelled(run.id, "succeeded: it had ended; ops resume shows it")
    used = train.way(run).used(ledger, run, ended[0]) if ended else {}
    run.finish({"error": "cancelled by ops cancel", **used}, RunState.CANCELLED)
    names = tuple(one.name for one in ended)
    billed = train_failures.BILLED[str(run.plan["inputs"]["mode"]), True] if ended else ""
    return Cancelled(run.id, "cancelled", names, used, billed)


def _check(run: Run) -> None:
    kind = str(run.plan["kind"])
    if kind == "train" and not local_training.is_local(run.plan["inputs"]):
        return
    other = {
        "deploy": "Type: ops undeploy",
        "import": "An import ends by itself; ops teardown deletes what it made.",
        "train": "Press Ctrl-C where it runs.",
    }
    raise OpsError(
        Code.USAGE,
        f"Only a training on Vertex AI can be cancelled. Received: {run.id}.",
        other.get(kind, "Type: ops runs"),
    )


def _ask(ledger: Ledger, name: str) -> None:
    from google.api_core.exceptions import FailedPrecondition

    try:
        training.cancel(ledger.session, name)
    except FailedPrecondition:
        return  # it has just ended


def _ended(ledger: Ledger, name: str) -> training.Pipeline:
    def look() -> training.Pipeline | None:
        seen = training.get(ledger.session, name)
        return seen if seen.is_ended else None

    found = ledger.session.poll(look, END_SECONDS, what=name)
    assert isinstance(found, training.Pipeline)
    return found
