"""Which model is meant, by id, version, alias or run; and where a training puts its own.

The trainings of one data set in one mode are the versions of one model. What the plain id means is
the version with the alias `default`: the first one, until `ops models promote` says otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches

from ops import names
from ops.cloud import models, training
from ops.cloud.models import Model
from ops.errors import Code, OpsError
from ops.ledger import Ledger, RunState

LOCK = "models"


@dataclass(frozen=True)
class Place:
    """Where a training puts its model: a new one of `model_id`, or a version of `parent_model`."""

    model_id: str = ""
    parent_model: str = ""

    @property
    def fields(self) -> dict[str, str]:
        """The one field of a training pipeline that says so."""
        if self.parent_model:
            return {"parent_model": self.parent_model}
        return {"model_id": self.model_id}


@contextmanager
def placing(ledger: Ledger, dataset: str, mode: str, run_id: str) -> Iterator[Place]:
    """The place of a run's model, while no other training of the stack can choose one.

    Submit the training inside the block: the next one to choose then finds its pipeline.
    """
    with ledger.lock(LOCK):
        yield place_for(ledger, dataset, mode, run_id)


def place_for(ledger: Ledger, dataset: str, mode: str, run_id: str) -> Place:
    """A version of the data set's model, or that model itself if it is the first; see `placing`.

    A model of its own where the first training is still under way, or the id is another stack's.
    """
    settings = ledger.session.settings
    id = names.registry_model_id(settings.stack, dataset, mode)
    stack = names.label_value(settings.stack)
    for one in (id, names.other_model_id(id, run_id)):
        name = names.resource(settings.project, settings.region, "models", one)
        found = models.get(ledger.session, name)
        if found is None and not _is_being_trained(ledger, one):
            return Place(model_id=one)
        if found is not None and found.labels.get(names.LABEL_STACK) == stack:
            return Place(parent_model=name)
    return Place(model_id=names.model_id(run_id))


def _is_being_trained(ledger: Ledger, model_id: str) -> bool:
    stack = {names.LABEL_STACK: names.label_value(ledger.session.settings.stack)}
    pipelines = training.find(ledger.session, stack)
    return any(one.model_id == model_id and not one.is_ended for one in pipelines)


def choose_model(
    ledger: Ledger, *, model: str | None = None, run: str | None = None, newest: bool = False
) -> Model:
    """The version that `ID`, `ID@VERSION`, `ID@ALIAS` or a full name means, or that of a run.

    With neither: the stack's newest version, or without `newest` the default one of its model.
    """
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
    found = newest_version(ledger)
    return found if newest else models.get(ledger.session, found.name) or found


def _named(ledger: Ledger, model: str) -> Model:
    settings = ledger.session.settings
    full = model
    if not model.startswith("projects/"):
        full = names.resource(settings.project, settings.region, "models", model)
    found = models.get(ledger.session, full)
    if found is not None:
        return found
    if any(record.id == model for record in ledger.records("train")):
        return _of_run(ledger, model)
    raise OpsError(
        Code.NOT_FOUND,
        f"There is no model {model} in {settings.project}, {settings.region}.",
        _meant(ledger, full),
    )


def _meant(ledger: Ledger, full: str) -> str:
    """What the user may have meant by a name that is not there, as it would have to be typed."""
    name, at, _ = full.partition("@")
    versions = models.versions(ledger.session, name) if at else []
    if versions:
        known = [" ".join([one.short, *_aliases(one)]) for one in versions]
        return f"The model's versions: {', '.join(known)}."
    own = [names.resource_id(one.name) for one in of_stack(ledger)]
    near = get_close_matches(names.resource_id(name), own, n=3) if own else []
    if near:
        return f"Did you mean: {', '.join(near)}?"
    return f"The stack's models: {', '.join(own)}." if own else "Type: ops train --mode automl"


def _aliases(model: Model) -> list[str]:
    """Other names of the same version, in brackets: `(@default)`."""
    return [f"({', '.join(f'@{one}' for one in model.aliases)})"] if model.aliases else []


def _of_run(ledger: Ledger, run: str) -> Model:
    record = ledger.get(run)
    if record.result.get("folder"):
        raise OpsError(
            Code.NOT_FOUND,
            f"Run {run} was trained with --local: its model is the folder "
            f"{record.result['folder']}, and in no registry.",
            f"Type: ops evaluate --run {run}   or train without --local",
        )
    if record.state is not RunState.SUCCEEDED or not record.result.get("model"):
        raise OpsError(
            Code.NOT_FOUND, f"Run {run} is {record.state} and has no model.", "Type: ops runs"
        )
    return _named(ledger, str(record.result["model"]))


def newest_version(ledger: Ledger) -> Model:
    """The version of the stack that was made last; NOT_FOUND when there is no model."""
    session = ledger.session
    found = [one for model in of_stack(ledger) for one in models.versions(session, model.name)]
    if found:
        return max(found, key=lambda one: one.created or models.BEGINNING)
    raise OpsError(
        Code.NOT_FOUND,
        f"Stack {ledger.session.settings.stack} has no model.",
        "Type: ops train --mode automl",
    )


def newer_version(ledger: Ledger, model: Model) -> Model | None:
    """The newest version of a model, if that is another; None if the model itself is."""
    versions = models.versions(ledger.session, model.name)
    return versions[0] if versions and versions[0].version != model.version else None


def of_stack(ledger: Ledger) -> list[Model]:
    """The default version of every model of the stack, newest first."""
    return models.find(ledger.session, {names.LABEL_STACK: ledger.session.settings.stack})
