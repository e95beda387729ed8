"""Train a model on an imported data set: priced first, submitted once, watched to its end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from ops import ledger as runs
from ops import names
from ops.cloud import models, training
from ops.cloud.training import Pipeline
from ops.errors import Code, OpsError
from ops.ledger import Ledger, Run, RunState
from ops.pricing import estimate, regions
from ops.pricing.estimate import Estimate
from ops.progress import Progress
from ops.settings import Settings
from ops.workflows import evaluate, imported
from ops.workflows.imported import Imported

KIND = "train"
# AutoML image classification in the cloud: aiplatform_v1 PROTO, read 2026-08-22.
MIN_NODE_HOURS, MAX_NODE_HOURS = 8.0, 800.0
WATCH_SECONDS = 14 * 24 * 3600.0
SUBMITTED = "submitted"
BILLED_AFTER = {
    "PIPELINE_STATE_FAILED": "Google does not bill a training that failed.",
    "PIPELINE_STATE_CANCELLED": "Google bills what a cancelled training used.",
}


@dataclass(frozen=True)
class Options:
    """What the user asked for."""

    mode: str
    dataset: str | None = None
    budget_node_hours: float = MIN_NODE_HOURS
    max_cost_usd: float | None = None
    again: bool = False


@dataclass(frozen=True)
class TrainPlan:
    """What is going to happen; `estimate` is empty when nothing more will be spent."""

    data: Imported
    run_plan: runs.Plan
    again: bool
    estimate: Estimate


@dataclass(frozen=True)
class Trained:
    """Where a training stands or how it ended; `model` and `evaluation` once it succeeded."""

    run: str
    dataset: str
    digest: str
    pipeline: str
    state: str
    model: str = ""
    stop_reason: str = ""
    node_hours: float | None = None
    usd_on_google: float | None = None
    evaluation: Mapping[str, Any] = field(default_factory=dict)
    seconds: float | None = None

    def as_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return {**vars(self), "evaluation": dict(self.evaluation)}


def check(settings: Settings, options: Options) -> Estimate:
    """The most that this training can cost; USAGE, REGION_WITHOUT_AUTOML or OVER_CAP if refused.

    Looks at nothing but the options: a refusal costs no call.
    """
    _check_mode(options.mode)
    regions.check_automl(settings.region)
    _check_budget(options.budget_node_hours)
    most = Estimate((estimate.automl_training(options.budget_node_hours, settings.region),))
    _check_cap(most, options)
    return most


def plan(ledger: Ledger, options: Options) -> TrainPlan:
    """The training that `options` ask for, with its price; nothing is made or spent yet."""
    most = check(ledger.session.settings, options)
    data = imported.latest(ledger, options.dataset)
    inputs = {
        "mode": options.mode,
        "dataset": data.name,
        "budget_node_hours": options.budget_node_hours,
    }
    run_plan = runs.Plan(KIND, data.digest, inputs, most.as_json())
    is_new = _standing(ledger, run_plan, options.again) is RunState.NEW
    return TrainPlan(data, run_plan, again=is_new, estimate=most if is_new else Estimate())


def run(
    ledger: Ledger,
    plan: TrainPlan,
    progress: Progress,
    *,
    wait: bool = True,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Trained:
    """How the training ended, or with `wait` off how it stands.

    JOB_FAILED when it failed or was cancelled; it is on record then, and the same call begins anew.
    """
    run = ledger.begin(plan.run_plan, again=plan.again)
    if run.state is RunState.SUCCEEDED:
        progress.note("Trained already; --again trains anew.")
        return Trained(**run.result)
    progress.goes_on(f"The training {run.id} goes on if it was submitted, within its budget.")
    pipeline = _submit_once(ledger, run, plan.data)
    progress.goes_on(f"The training {run.id} goes on, within its budget.")
    if not wait and not pipeline.is_ended:
        return _trained(run, plan.data, pipeline)
    ended = _watch(ledger, pipeline, run, progress, now)
    return _settle(ledger, run, plan.data, ended)


def _check_mode(mode: str) -> None:
    if mode == "automl":
        return
    if mode == "custom":
        raise OpsError(
            Code.USAGE,
            "--mode custom is not built yet: it comes with custom training.",
            "Type: ops train --mode automl",
        )
    raise OpsError(
        Code.USAGE,
        f"--mode is automl or custom. Received: {mode}.",
        "Type: ops train --mode automl",
    )


def _check_budget(node_hours: float) -> None:
    if MIN_NODE_HOURS <= node_hours <= MAX_NODE_HOURS:
        return
    raise OpsError(
        Code.USAGE,
        f"AutoML takes a budget of {MIN_NODE_HOURS:g} to {MAX_NODE_HOURS:g} node hours. "
        f"Received: {node_hours:g}.",
        f"Type --budget-node-hours {MIN_NODE_HOURS:g}",
    )


def _check_cap(most: Estimate, options: Options) -> None:
    cap = options.max_cost_usd
    if cap is None or not estimate.over(most.usd, cap):
        return
    dollars = estimate.cents_up(most.usd)
    rate = most.costs[0].rate.usd
    affordable = int(cap / rate)
    fits = f"--budget-node-hours {affordable}, or " if affordable >= MIN_NODE_HOURS else ""
    raise OpsError(
        Code.OVER_CAP,
        f"The training can cost ${dollars:.2f} ({options.budget_node_hours:g} node hours at "
        f"${rate:g}), more than the cap of ${cap:.2f}.",
        f"Type {fits}--max-cost {dollars:.2f}",
    )


def _standing(ledger: Ledger, plan: runs.Plan, again: bool) -> RunState:
    """What `begin` is going to find; UNFINISHED only if the training was really submitted."""
    stem = ledger.stem(plan)
    found = [record for record in ledger.records(KIND) if record.id.startswith(stem)]
    if not found:
        return RunState.NEW
    last = max(found, key=lambda record: names.run_ordinal(record.id))
    if last.state is RunState.UNFINISHED:
        return RunState.UNFINISHED if _pipelines(ledger, last.id) else RunState.NEW
    if last.state is not RunState.SUCCEEDED or again:
        return RunState.NEW
    model_is_there = models.get(ledger.session, str(last.result["model"])) is not None
    return RunState.SUCCEEDED if model_is_there else RunState.NEW


def _pipelines(ledger: Ledger, run_id: str) -> list[Pipeline]:
    labels = {names.LABEL_STACK: ledger.session.settings.stack, names.LABEL_RUN: run_id}
    return training.find(ledger.session, labels)


def _submit_once(ledger: Ledger, run: Run, data: Imported) -> Pipeline:
    """The run's one pipeline, found by its label or submitted; never a second."""
    with ledger.lock(run.id):
        found = _pipelines(ledger, run.id)
        pipeline = found[0] if found else training.submit(ledger.session, _spec(run, data))
        if not any(event.event == SUBMITTED for event in run.events()):
            run.event(SUBMITTED, pipeline=pipeline.name)
    return pipeline


def _spec(run: Run, data: Imported) -> training.AutoMlSpec:
    return training.AutoMlSpec(
        display_name=run.id,
        dataset_id=names.resource_id(data.resource),
        model_id=names.model_id(run.id),
        model_display_name=f"{data.name}-automl",
        budget_node_hours=float(run.plan["inputs"]["budget_node_hours"]),
        multi_label=data.multi_label,
        labels=run.labels,
    )


def _watch(
    ledger: Ledger,
    pipeline: Pipeline,
    run: Run,
    progress: Progress,
    now: Callable[[], datetime],
) -> Pipeline:
    budget = f"budget {run.plan['inputs']['budget_node_hours']:g} node hours"
    seen = [pipeline]

    def look() -> Pipeline | None:
        seen[0] = training.get(ledger.session, pipeline.name)
        return seen[0] if seen[0].is_ended else None

    with progress.step("Training") as step:

        def tell(_: Any) -> None:
            seconds = _seconds_so_far(seen[0], now())
            step.reach(seconds, f"{_word(seen[0].state)}, {_minutes(seconds)} so far, {budget}")

        ended = ledger.session.poll(look, WATCH_SECONDS, on_poll=tell, what=f"Training {run.id}")
    assert isinstance(ended, Pipeline)
    return ended


def _settle(ledger: Ledger, run: Run, data: Imported, ended: Pipeline) -> Trained:
    if not ended.succeeded:
        return _failed(run, ended)
    trained = _trained(run, data, ended)
    headline = evaluate.headline(ledger, ended.model_name)
    region = ledger.session.settings.region
    usd = None
    if ended.node_hours is not None:
        usd = round(estimate.automl_training(ended.node_hours, region).usd, 6)
    result = Trained(**{**vars(trained), "evaluation": headline, "usd_on_google": usd})
    run.finish(result.as_json())
    return result


def _failed(run: Run, ended: Pipeline) -> Trained:
    cancelled = ended.state == "PIPELINE_STATE_CANCELLED"
    state = RunState.CANCELLED if cancelled else RunState.FAILED
    run.finish({"pipeline": ended.name, "error": ended.error}, state)
    why = f": {ended.error.rstrip('.')}." if ended.error else "."
    raise OpsError(
        Code.JOB_FAILED,
        f"The training {run.id} {'was cancelled' if cancelled else 'failed'}{why} "
        f"{BILLED_AFTER[ended.state]}",
        "Type the same command again to train anew.",
    )


def _trained(run: Run, data: Imported, pipeline: Pipeline) -> Trained:
    seconds = None
    if pipeline.started and pipeline.ended:
        seconds = round((pipeline.ended - pipeline.started).total_seconds(), 1)
    return Trained(
        run=run.id,
        dataset=data.name,
        digest=data.digest,
        pipeline=pipeline.name,
        state=_word(pipeline.state),
        model=pipeline.model_name,
        stop_reason=pipeline.stop_reason,
        node_hours=pipeline.node_hours,
        seconds=seconds,
    )


def _seconds_so_far(pipeline: Pipeline, now: datetime) -> float:
    since = pipeline.started or pipeline.created
    return (now - since).total_seconds() if since else 0.0


def _word(state: str) -> str:
    return state.removeprefix("PIPELINE_STATE_").lower()


def _minutes(seconds: float) -> str:
    return f"{seconds // 60:.0f}:{seconds % 60:02.0f}"
