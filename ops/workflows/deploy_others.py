"""What a stack serves already when another model is about to be deployed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ops import ledger as runs
from ops import names
from ops.cloud import endpoints
from ops.ledger import Ledger
from ops.pricing import estimate


@dataclass(frozen=True)
class Other:
    """A model that is served beside the new one; `expires` is empty when nothing says so."""

    endpoint: str
    model: str
    usd_per_hour: float
    expires: str


def find(ledger: Ledger, plan: runs.Plan) -> tuple[Other, ...]:
    """The stack's served models that are not of this deployment, oldest endpoint first."""
    session = ledger.session
    stem, region = ledger.stem(plan), session.settings.region
    stack = {names.LABEL_STACK: names.label_value(session.settings.stack)}
    return tuple(
        Other(
            endpoint=names.resource_id(endpoint.name),
            model=names.short_model(model.model_name),
            usd_per_hour=estimate.deployed(model.replicas, model.machine_type, region).usd,
            expires=f"{endpoint.expires:%Y-%m-%d %H:%M} UTC" if endpoint.expires else "",
        )
        for endpoint in endpoints.find(session, stack)
        if not endpoint.labels.get(names.LABEL_RUN, "").startswith(stem)
        for model in endpoint.deployed
    )


def remarks(others: Sequence[Other], usd_per_hour: float) -> list[str]:
    """What to say before another model is deployed; empty when nothing is served."""
    if not others:
        return []
    lines = [
        f"Served already: {one.model} on endpoint {one.endpoint}, ${one.usd_per_hour:.4g} an hour"
        + (f", until {one.expires}" if one.expires else "")
        for one in others
    ]
    together = usd_per_hour + sum(one.usd_per_hour for one in others)
    return [
        *lines,
        f"This makes another endpoint: together ${together:.4g} an hour on Google. "
        f"To end the other: ops undeploy --endpoint {others[0].endpoint}",
    ]
