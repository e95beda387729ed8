"""What a deployment costs: an hour, its time to live, and the job of its check; capped."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from ops.cloud.models import Model
from ops.errors import Code, OpsError
from ops.ledger import Ledger
from ops.pricing import estimate, machines
from ops.pricing.estimate import Cost, Estimate
from ops.workflows import served_reference
from ops.workflows.served_reference import BatchPlan


def check(
    region: str,
    ttl: timedelta,
    max_cost_usd: float | None = None,
    machine: str = "",
    job: Cost | None = None,
) -> Estimate:
    """What an hour costs, and the whole time to live; OVER_CAP when that is too much.

    AutoML's nodes where `machine` is empty. `job` is the least that a batch prediction job needs
    beside it.
    """
    hours = ttl / timedelta(hours=1)
    lives = estimate.deployed(hours, machine, region)
    together = lives.usd + (job.usd if job else 0.0)
    if max_cost_usd is not None and estimate.over(together, max_cost_usd):
        enough = f"{estimate.cents_up(together):.2f}"
        beside = (
            f" and the batch prediction job of --check ${estimate.cents_up(job.usd):.2f} "
            f"({job.quantity:g} node hour at ${job.rate.usd:g}), together ${enough}"
            if job
            else ""
        )
        raise OpsError(
            Code.OVER_CAP,
            f"The time to live costs ${estimate.cents_up(lives.usd):.2f} ({hours:.4g} hours at "
            f"${lives.rate.usd:g}){beside}, more than the cap of ${max_cost_usd:.2f}.",
            f"Type a shorter --ttl, or --max-cost {enough}"
            + (", or leave out --check" if job else ""),
        )
    return Estimate(costs=(lives,), hourly=(hour(region, machine),))


def of(
    ledger: Ledger,
    model: Model,
    ttl: timedelta,
    machine: str,
    max_cost_usd: float | None,
    asks: bool,
) -> tuple[Estimate, BatchPlan | None]:
    """The price of a deployment and, if it asks one, of its batch prediction job."""
    region = ledger.session.settings.region
    least = estimate.automl_batch(served_reference.NODE_HOURS, region) if asks else None
    price = check(region, ttl, max_cost_usd, machine, least)
    if not asks:
        return price, None
    left = None if max_cost_usd is None else max_cost_usd - price.usd
    batch = served_reference.plan(ledger, model, left)
    return replace(price, costs=(*price.costs, batch.most)), batch


def machine_for(model: Model, machine: str | None) -> str:
    """The machine that serves the model: the one asked for or the default; empty for AutoML's.

    USAGE for a machine asked for with an AutoML model; UNKNOWN_PRICE for one without a price.
    """
    if model.kind == "custom":
        return machines.check_serving(machine or machines.DEFAULT_SERVING_MACHINE)
    if machine is None:
        return ""
    raise OpsError(
        Code.USAGE,
        f"Model {model.short} is AutoML's, which is served on AutoML's own nodes. "
        f"Received: --machine {machine}.",
        "Leave out --machine",
    )


def hour(region: str, machine: str) -> Cost:
    """What an hour costs, on a machine or on AutoML's nodes."""
    return estimate.deployed(1.0, machine, region)
