"""What Terraform is to destroy of a stack: what its state has, and what stands and is in none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ops.cloud import granted, standing, terraform
from ops.cloud.session import Session
from ops.cloud.standing import Standing, Wanted
from ops.cloud.terraform import Resource, Terraform
from ops.errors import OpsError
from ops.workflows import bootstrap_imports, bootstrap_words
from ops.workflows.bootstrap_words import BUCKET, QUOTA, SERVICE, Action, Change

POOL = "google_iam_workload_identity_pool"
# What a destroy obeys as it is in the state; the resource and its attribute.
OBEYED = {BUCKET: "force_destroy", SERVICE: "disable_on_destroy"}


@dataclass(frozen=True)
class Infrastructure:
    """What Terraform has to do: `there` is in its state, `lost` exists and is in no state.

    `sought` is all that may not be left afterwards, `held` the addresses that are to be brought
    into the state, or whose protection is to be taken off there, before the destroy. `missing`
    says why there is no Terraform to do it.
    """

    terraform: Terraform | None = None
    there: tuple[Resource, ...] = ()
    lost: tuple[Standing, ...] = ()
    sought: tuple[Wanted, ...] = ()
    held: tuple[str, ...] = ()
    missing: OpsError | None = None

    @property
    def going(self) -> list[Change]:
        """What will be deleted; quota preferences stay, and so do APIs unless asked otherwise."""
        found = [_change(Action.DELETE, one) for one in self.there if not _stays(one)]
        return [*found, *self._unrecorded]

    @property
    def staying(self) -> list[Change]:
        """What Terraform only forgets: it stays, and costs nothing."""
        return [_change(Action.FORGET, one) for one in self.there if _stays(one)]

    @property
    def given_by_somebody(self) -> list[Change]:
        """Permissions that no state has: a killed bootstrap gave them, or somebody by hand."""
        return [one for one in self._unrecorded if one.type in granted.PLACES]

    @property
    def _unrecorded(self) -> list[Change]:
        values = {one.address: one.values for one in self.sought}
        return [
            _change(Action.DELETE, Resource(one.address, one.type, values.get(one.address, {})))
            for one in self.lost
        ]

    @property
    def has_pool(self) -> bool:
        """Whether an identity pool goes, whose name Google keeps for 30 days."""
        return any(one.type == POOL for one in self.going)

    def as_json(self) -> list[dict[str, Any]]:
        """Plain JSON."""
        return [one.as_json() for one in self.going]


def read(session: Session, found: Terraform, plan: Mapping[str, Any]) -> Infrastructure:
    """What a plan without refresh tells: it has the state, and what the state does not have."""
    held = _held(plan)
    there = [
        replace(one, values={**one.values, **held.get(one.address, {})})
        for one in terraform.resources_of(plan.get("prior_state", {}))
    ]
    unmade = [one for one in bootstrap_imports.wanted(plan) if one.type != QUOTA]
    lost = standing_of(session, unmade)
    in_state = [Wanted(one.address, one.type, one.values) for one in there if one.type != QUOTA]
    return Infrastructure(
        terraform=found,
        there=tuple(there),
        lost=tuple(lost),
        sought=(*unmade, *in_state),
        held=(*held, *(one.address for one in lost)),
    )


def standing_of(session: Session, wanted: Iterable[Wanted]) -> list[Standing]:
    """Those of the wanted that are there, permissions that would outlive the stack among them."""
    sought = list(wanted)
    return [*standing.find(session, sought, restore=False), *granted.find(session, sought)]


def _held(plan: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """What the state says otherwise than it is to say: the attribute's new value by address."""
    found = {}
    for one in plan.get("resource_changes", []):
        before, after = one["change"].get("before") or {}, one["change"].get("after") or {}
        obeyed = OBEYED.get(one["type"])
        if obeyed and before and after and before.get(obeyed) != after.get(obeyed):
            found[str(one["address"])] = {obeyed: after.get(obeyed)}
    return found


def _change(action: Action, one: Resource) -> Change:
    name = bootstrap_words.name_of(one.type, one.values, one.address)
    return Change(action, one.type, one.address, name)


def _stays(one: Resource) -> bool:
    return bootstrap_words.stays(one.type, one.values)
