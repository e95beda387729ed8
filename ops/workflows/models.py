"""The stack's models and their versions: listed, shown, promoted, rolled back, deleted.

The version with the alias `default` is what `ops deploy` takes; the one with `previous` is what was
the default before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ops import names
from ops.cloud import models, training
from ops.cloud.models import Model
from ops.errors import Code, OpsError
from ops.ledger import Ledger
from ops.workflows import registry

PREVIOUS = "previous"
DELETE_SECONDS = 600.0


@dataclass(frozen=True)
class Moved:
    """What the alias `default` is on now, and what it was on before; the same if it did not move.

    `served` are the endpoints of the version that was the default.
    """

    now: Model
    before: Model
    served: tuple[str, ...]

    @property
    def moved(self) -> bool:
        """Whether another version became the default."""
        return self.now.version != self.before.version

    def as_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "default": self.now.full,
            "before": self.before.full,
            "moved": self.moved,
            "served_before": list(self.served),
        }


@dataclass(frozen=True)
class Deletion:
    """Which versions are going to be deleted; `whole` when none is left after it."""

    name: str
    versions: tuple[Model, ...]
    whole: bool

    @property
    def what(self) -> str:
        """In words, for the question."""
        id = names.resource_id(self.name)
        if not self.whole:
            return f"version {self.versions[0].version} of model {id}"
        count = len(self.versions)
        return f"model {id} with its {count} version{'' if count == 1 else 's'}"

    def as_json(self) -> dict[str, Any]:
        """Plain JSON; `files` are left where they are."""
        files = [one.artifact_uri for one in self.versions if one.artifact_uri]
        return {"deleted": [one.full for one in self.versions], "files": files}


def listed(ledger: Ledger) -> list[Model]:
    """Every version of every model of the stack: models newest first, versions too."""
    found = registry.of_stack(ledger)
    return [version for model in found for version in models.versions(ledger.session, model.name)]


def as_json(model: Model) -> dict[str, Any]:
    """A version as plain JSON."""
    return {
        "model": names.resource_id(model.name),
        "version": model.version,
        "full_name": model.full,
        "aliases": list(model.aliases),
        "kind": model.kind,
        "display_name": model.display_name,
        "created": model.created.isoformat() if model.created else None,
        "run": model.labels.get(names.LABEL_RUN, ""),
        "dataset": model.labels.get(names.LABEL_DATASET, ""),
        "pipeline": model.pipeline_name,
        "artifacts": model.artifact_uri,
        "image": model.image_uri,
        "endpoints": list(model.deployed),
        "export_formats": list(model.export_formats),
    }


def shown(ledger: Ledger, model: str) -> Model:
    """The version that a name means, with its endpoints."""
    return registry.choose_model(ledger, model=model)


def promote(ledger: Ledger, model: str) -> Moved:
    """The version, now the default; of a plain id the newest. What was it before is `previous`.

    May be repeated: a version that is the default already stays it.
    """
    with ledger.lock(registry.LOCK):
        target = registry.choose_model(ledger, model=model)
        versions = models.versions(ledger.session, target.name)
        if "@" not in model:
            target = versions[0]
        before = _default(versions)
        if target.version != before.version:
            models.set_alias(ledger.session, before.full, PREVIOUS)
            models.set_alias(ledger.session, target.full, models.DEFAULT)
        return _moved(ledger, target, before)


def rollback(ledger: Ledger, model: str | None) -> Moved:
    """The version that was the default before, now it again; what was it until now is `previous`.

    NOT_FOUND when there is none to go back to.
    """
    with ledger.lock(registry.LOCK):
        name = registry.choose_model(ledger, model=model).name
        versions = models.versions(ledger.session, name)
        before = _default(versions)
        target = next((one for one in versions if PREVIOUS in one.aliases), before)
        if target.version == before.version:
            raise _nothing_before(versions, before)
        # In this order: cut off between the two, the way back is gone but the default is right.
        models.set_alias(ledger.session, target.full, models.DEFAULT)
        models.set_alias(ledger.session, before.full, PREVIOUS)
        return _moved(ledger, target, before)


def plan_deletion(ledger: Ledger, model: str) -> Deletion:
    """The version named, or with a plain id the whole model; REFUSED while it is in use."""
    chosen = registry.choose_model(ledger, model=model)
    _refuse_strangers(ledger, chosen)
    versions = models.versions(ledger.session, chosen.name)
    if "@" not in model:
        _refuse_trained(ledger, chosen)
        _refuse_served([_seen(ledger, one) for one in versions])
        return Deletion(chosen.name, tuple(versions), whole=True)
    others = [one for one in versions if one.version != chosen.version]
    if not others:
        id = names.resource_id(chosen.name)
        raise OpsError(
            Code.REFUSED,
            f"{chosen.short} is the only version of model {id}; a model has at least one.",
            f"To delete the model, type: ops models delete {id}",
        )
    if chosen.is_default:
        raise OpsError(
            Code.REFUSED,
            f"{chosen.short} is the default version, the one that ops deploy takes.",
            f"Type: ops models promote {others[0].short}   and then delete it",
        )
    _refuse_served([_seen(ledger, chosen)])
    return Deletion(chosen.name, (chosen,), whole=False)


def delete(ledger: Ledger, plan: Deletion) -> None:
    """Nothing of what was planned is left; what is gone already is fine."""
    from google.api_core.exceptions import NotFound

    session = ledger.session
    try:
        if plan.whole:
            session.wait(models.delete(session, plan.name), DELETE_SECONDS)
        else:
            session.wait(models.delete_version(session, plan.versions[0].full), DELETE_SECONDS)
    except NotFound:
        return


def _default(versions: Sequence[Model]) -> Model:
    return next(one for one in versions if one.is_default)


def _seen(ledger: Ledger, version: Model) -> Model:
    """The version with its endpoints, which lists need not carry."""
    return models.get(ledger.session, version.full) or version


def _moved(ledger: Ledger, target: Model, before: Model) -> Moved:
    return Moved(_seen(ledger, target), before, _seen(ledger, before).deployed)


def _nothing_before(versions: Sequence[Model], default: Model) -> OpsError:
    others = [one.short for one in versions if not one.is_default]
    hint = f"Type: ops models promote {others[0]}" if others else "Type: ops models list"
    return OpsError(
        Code.NOT_FOUND,
        f"{default.short} is the default, and nothing is on record as the default before it.",
        hint,
    )


def _refuse_strangers(ledger: Ledger, chosen: Model) -> None:
    stack = names.label_value(ledger.session.settings.stack)
    owner = chosen.labels.get(names.LABEL_STACK)
    if owner == stack:
        return
    whose = f"It is stack {owner}'s" if owner else f"It has no label {names.LABEL_STACK}"
    raise OpsError(
        Code.REFUSED,
        f"Model {names.resource_id(chosen.name)} is not stack {stack}'s. {whose}.",
        f"Type --stack {owner}" if owner else "Delete it in the console if you are sure.",
    )


def _refuse_trained(ledger: Ledger, model: Model) -> None:
    stack = {names.LABEL_STACK: names.label_value(ledger.session.settings.stack)}
    for one in training.find(ledger.session, stack):
        if not one.is_ended and one.parent_model == model.name:
            run = one.labels.get(names.LABEL_RUN, one.display_name)
            raise OpsError(
                Code.REFUSED,
                f"The training {run} is making the next version of model "
                f"{names.resource_id(model.name)}, and would fail without it.",
                f"Wait for it (ops train), or type: ops cancel {run}",
            )


def _refuse_served(versions: Sequence[Model]) -> None:
    for one in versions:
        if one.deployed:
            endpoints = [names.resource_id(name) for name in one.deployed]
            raise OpsError(
                Code.REFUSED,
                f"{one.short} is served on endpoint {', '.join(endpoints)}.",
                f"Type: ops undeploy --endpoint {endpoints[0]}",
            )
