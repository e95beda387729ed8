"""Which model is meant: by id, by the run that made it, or the newest of the stack."""

from __future__ import annotations

from ops import names
from ops.cloud import models
from ops.cloud.models import Model
from ops.errors import Code, OpsError
from ops.ledger import Ledger, RunState


def choose_model(ledger: Ledger, *, model: str | None = None, run: str | None = None) -> Model:
    """The model with this id or full name, that of this run, or the stack's newest."""
    if model is not None and run is not None:
        raise OpsError(
            Code.USAGE,
            f"Both --model {model} and --run {run} were given.",
            "Type one of the two.",
        )
    if run is not None:
        return _of_run(ledger, run)
    if model is not None:
        return _named(ledger, model)
    return _newest(ledger)


def _named(ledger: Ledger, model: str) -> Model:
    settings = ledger.session.settings
    full = model
    if not model.startswith("projects/"):
        full = names.resource(settings.project, settings.region, "models", model)
    found = models.get(ledger.session, full)
    if found is not None:
        return found
    known = [names.resource_id(one.name) for one in _of_stack(ledger)]
    raise OpsError(
        Code.NOT_FOUND,
        f"There is no model {model} in {settings.project}, {settings.region}.",
        f"The stack's models: {', '.join(known)}." if known else "Type: ops train --mode automl",
    )


def _of_run(ledger: Ledger, run: str) -> Model:
    record = ledger.get(run)
    if record.state is not RunState.SUCCEEDED or not record.result.get("model"):
        raise OpsError(
            Code.NOT_FOUND, f"Run {run} is {record.state} and has no model.", "Type: ops runs"
        )
    return _named(ledger, str(record.result["model"]))


def _newest(ledger: Ledger) -> Model:
    found = _of_stack(ledger)
    if found:
        return found[0]
    raise OpsError(
        Code.NOT_FOUND,
        f"Stack {ledger.session.settings.stack} has no model.",
        "Type: ops train --mode automl",
    )


def _of_stack(ledger: Ledger) -> list[Model]:
    return models.find(ledger.session, {names.LABEL_STACK: ledger.session.settings.stack})
