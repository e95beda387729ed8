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
    """What was ended; `state` is how it ended, `had_ended` when that was before, by itself."""

    run: str
    state: str
    pipelines: tuple[str, ...] = ()
    used: dict[str, Any] = field(default_factory=dict)
    billed: str = ""
    had_ended: bool = False

    def as_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return {**vars(self), **self.used}


def run(ledger: Ledger, run_id: str, progress: Progress) -> Cancelled:
    """The run, ended and on record; of one that has ended already, how it did.

    USAGE for an import, a deployment, or a training on this machine.
    """
    run = ledger.open(run_id)
    _check_kind(run)
    if run.state is not RunState.UNFINISHED:
        return Cancelled(run.id, str(run.state), had_ended=True)
    _check_place(run)
    found = train.pipelines(ledger, run.id)
    for one in found:
        if not one.is_ended:
            _ask(ledger, one.name)
    with progress.step("Cancelling"):
        ended = [_ended(ledger, one.name) for one in found]
    if any(one.succeeded for one in ended):
        return Cancelled(run.id, "succeeded; ops resume shows it", had_ended=True)
    used = train.way(run).used(ledger, run, ended[0]) if ended else {}
    run.finish({"error": "cancelled by ops cancel", **used}, RunState.CANCELLED)
    names = tuple(one.name for one in ended)
    billed = train_failures.BILLED[str(run.plan["inputs"]["mode"]), True] if ended else ""
    return Cancelled(run.id, "cancelled", names, used, billed)


def _check_kind(run: Run) -> None:
    kind = str(run.plan["kind"])
    other = {
        "deploy": "Type: ops undeploy",
        "import": "An import ends by itself; ops teardown deletes what it made.",
    }
    if kind != train.KIND:
        raise _cannot(run, other.get(kind, "Type: ops runs"))


def _check_place(run: Run) -> None:
    if local_training.is_local(run.plan["inputs"]):
        raise _cannot(run, "Press Ctrl-C where it runs.")


def _cannot(run: Run, hint: str) -> OpsError:
    message = f"Only a training on Vertex AI can be cancelled. Received: {run.id}."
    return OpsError(Code.USAGE, message, hint)


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
