"""Put a model on an endpoint with a time to live: priced first, deployed once, taken up if cut off.

A deployment is a run; it ends when `ops undeploy` (or anybody) takes the model off.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from ops import ledger as runs
from ops import names
from ops.cloud import endpoints
from ops.cloud.endpoints import DeployedModel, Endpoint
from ops.cloud.models import Model
from ops.errors import Code, OpsError
from ops.ledger import Ledger, Run, RunState
from ops.pricing.estimate import Estimate
from ops.progress import Progress
from ops.workflows import (
    deploy_check,
    deploy_others,
    deploy_price,
    deploy_reference,
    served_reference,
    serving,
)
from ops.workflows.deploy_others import Other
from ops.workflows.deploy_reference import Reference
from ops.workflows.registry import choose_model, newer_version
from ops.workflows.served_reference import BatchPlan

KIND = "deploy"
DEPLOYED, EXTENDED = deploy_check.DEPLOYED, "extended"
UNDEPLOYED = deploy_check.UNDEPLOYED
SHORTEST, LONGEST = timedelta(minutes=5), timedelta(days=30)
TTL_SHAPE = re.compile(r"([0-9]{1,5})(m|h|d)")
TTL_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
Now = Callable[[], datetime]


@dataclass(frozen=True)
class DeployPlan:
    """What is going to happen; the estimate is per hour, and for the time to live."""

    model: Model
    run_plan: runs.Plan
    estimate: Estimate
    ttl: timedelta
    machine: str
    batch: BatchPlan | None
    reference: Reference
    others: tuple[Other, ...]
    newer: Model | None = None

    @property
    def remarks(self) -> list[str]:
        """What is newer, cannot be checked, or is served too, and what all of it costs."""
        return (
            self._newer()
            + self._problem()
            + deploy_others.remarks(self.others, self.estimate.usd_per_hour)
        )

    def _newer(self) -> list[str]:
        if self.newer is None:
            return []
        return [
            f"This deploys {self.model.short}, the default; {self.newer.short} is newer. "
            f"To take that one: ops models promote {self.newer.short}"
        ]

    def _problem(self) -> list[str]:
        problem = self.reference.problem
        if problem is None:
            return []
        return [
            problem.message,
            "What an earlier deployment left unchecked is going to be undeployed.",
        ]


@dataclass(frozen=True)
class Deployment:
    """A model that is served, and billed on Google, until it is undeployed.

    `extended` when it was served before, so that only its end was moved.
    """

    run: str
    endpoint: str
    deployed_model: str
    model: str
    expires: str
    usd_per_hour: float
    machine: str = ""
    extended: bool = False
    check: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return dict(vars(self))


def time_to_live(text: str) -> timedelta:
    """`90m`, `2h` or `1d` as a time; USAGE for any other form, under 5 minutes or over 30 days."""
    found = TTL_SHAPE.fullmatch(text)
    ttl = timedelta(**{TTL_UNITS[found[2]]: int(found[1])}) if found else None
    if ttl is not None and SHORTEST <= ttl <= LONGEST:
        return ttl
    raise OpsError(
        Code.USAGE,
        "--ttl is a number of minutes, hours or days (90m, 2h, 1d), from 5m to 30d. "
        f"Received: {text}.",
        "Type --ttl 2h",
    )


def until(ttl: timedelta, now: Now = lambda: datetime.now(UTC)) -> datetime:
    """When a time to live that begins now ends."""
    return now() + ttl


def plan(
    ledger: Ledger,
    ttl: timedelta,
    *,
    model: str | None = None,
    machine: str | None = None,
    max_cost_usd: float | None = None,
    with_check: bool = False,
    unchecked: bool = False,
    explain: bool = False,
) -> DeployPlan:
    """The deployment of a model (the newest unless named), with its price; nothing is made yet.

    `with_check` asks a batch prediction job first where nobody kept what the model says of single
    photos; the cap is for both. With `explain` Google is asked to explain an AutoML model's
    answers; a custom model does without. BAD_DATA, REFUSED or NOT_FOUND when what it must be
    compared with is broken or gone, unless `unchecked`.
    """
    chosen = choose_model(ledger, model=model)
    on = deploy_price.machine_for(chosen, machine)
    reference = _reference(ledger, chosen, with_check, unchecked)
    asks = with_check and chosen.kind == "automl" and reference.photos is None
    price, batch = deploy_price.of(ledger, chosen, ttl, on, max_cost_usd, asks)
    digest = chosen.labels.get(names.LABEL_DATASET, "stranger")
    inputs: dict[str, Any] = {"model": chosen.short, **({"machine": on} if on else {})}
    if explain and chosen.kind == "automl":
        inputs["explain"] = True
    run_plan = runs.Plan(KIND, digest, inputs, price.as_json())
    if asks:
        reference = Reference()
    deploy_check.refuse_early(ledger, run_plan, reference.problem)
    others = deploy_others.find(ledger, run_plan)
    newer = newer_version(ledger, chosen) if model is None else None
    return DeployPlan(chosen, run_plan, price, ttl, on, batch, reference, others, newer)


def _reference(ledger: Ledger, model: Model, with_check: bool, unchecked: bool) -> Reference:
    if with_check and unchecked:
        raise OpsError(
            Code.USAGE, "Both --check and --unchecked were given.", "Type one of the two."
        )
    return deploy_reference.find(ledger, model, unchecked)


def run(
    ledger: Ledger,
    plan: DeployPlan,
    progress: Progress,
    *,
    now: Now = lambda: datetime.now(UTC),
) -> Deployment:
    """The served model, checked; the one that is served already, with a new end, if there is one.

    SERVED_DIFFERS, and nothing is served, when it does not answer as it was evaluated; nor when
    that cannot be found out.
    """
    run = _begin(ledger, plan)
    reference = plan.reference
    if plan.batch is not None:
        served_reference.ensure(ledger, run, plan.model, plan.batch, progress)
        reference = deploy_reference.find(ledger, plan.model)
    deploy_check.require(ledger, run, reference.problem)
    expires = until(plan.ttl, now)
    endpoint = serving.endpoint_of(ledger, run, progress)
    endpoint = serving.relabel(ledger, endpoint, run, expires)
    _say_what_goes_on(progress, run, _usd_per_hour(ledger, plan))
    with deploy_check.saying(_what_stays(endpoint.name, _usd_per_hour(ledger, plan))):
        done = _serve(ledger, run, plan, endpoint, expires, progress)
        checked = deploy_check.settle(ledger, run, plan.model, endpoint, reference, progress)
        done = replace(done, check=checked)
        run.finish(done.as_json())
    return done


def _serve(
    ledger: Ledger,
    run: Run,
    plan: DeployPlan,
    endpoint: Endpoint,
    expires: datetime,
    progress: Progress,
) -> Deployment:
    """The model, served and on record, not checked yet."""
    extended = any(event.event == DEPLOYED for event in run.events())
    found = serving.deploy_once(ledger, run, plan.model, endpoint, progress)
    done = Deployment(
        run=run.id,
        endpoint=endpoint.name,
        deployed_model=found.id,
        model=plan.model.full,
        expires=expires.isoformat(timespec="seconds"),
        usd_per_hour=_usd_per_hour(ledger, plan),
        machine=plan.machine,
        extended=extended,
    )
    _record(run, done, found)
    return done


def _begin(ledger: Ledger, plan: DeployPlan) -> Run:
    """The run to go on with; one whose model was taken off by others is ended first."""
    run = ledger.begin(plan.run_plan)
    deploy_check.take_up_refusal(ledger, run)
    if run.state is not RunState.SUCCEEDED:
        return run
    endpoint = endpoints.get(ledger.session, str(run.result["endpoint"]))
    if endpoint is not None and serving.served(endpoint, run):
        return run
    end(run, str(run.result["endpoint"]))
    return ledger.begin(plan.run_plan)


def end(run: Run, endpoint_name: str) -> None:
    """Put on record that the run's model is served no more."""
    if not any(event.event == UNDEPLOYED for event in run.events()):
        deployed = names.deployed_model_id(run.id)
        run.event(UNDEPLOYED, endpoint=endpoint_name, deployed_model=deployed)
    run.finish(run.result, RunState.ENDED)


def _say_what_goes_on(progress: Progress, run: Run, usd_per_hour: float) -> None:
    progress.goes_on(
        f"The deployment {run.id} goes on, and costs ${usd_per_hour:g} an hour on "
        "Google once it is served; ops undeploy ends it."
    )


def _what_stays(endpoint: str, usd_per_hour: float) -> str:
    return (
        f"The check was not finished: endpoint {names.resource_id(endpoint)} serves the model (or "
        f"is about to) and costs ${usd_per_hour:g} an hour on Google. The same command again "
        "finishes the check; ops undeploy ends what it costs."
    )


def _usd_per_hour(ledger: Ledger, plan: DeployPlan) -> float:
    return deploy_price.hour(ledger.session.settings.region, plan.machine).usd


def _record(run: Run, done: Deployment, found: DeployedModel) -> None:
    run.event(
        EXTENDED if done.extended else DEPLOYED,
        endpoint=done.endpoint,
        deployed_model=done.deployed_model,
        model=done.model,
        nodes=found.replicas,
        machine=done.machine,
        since=found.created.isoformat() if found.created else "",
        expires=done.expires,
    )
