"""Train a model on an imported data set: priced first, submitted once, watched to its end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Protocol

from ops import ledger as runs
from ops import names
from ops.cloud import models, training
from ops.cloud.session import Session
from ops.cloud.training import Pipeline
from ops.ledger import Ledger, Run, RunState
from ops.pricing.estimate import Cost, Estimate
from ops.progress import Progress
from ops.settings import Settings
from ops.workflows import (
    imported,
    local_training,
    train_automl,
    train_custom,
    train_failures,
    train_options,
    train_result,
    train_watch,
    trainer_flags,
)
from ops.workflows.imported import Imported
from ops.workflows.train_options import AUTOML, CLOUD, CUSTOM, Options
from ops.workflows.train_result import Trained

KIND = "train"
SUBMITTED = "submitted"


class Way(Protocol):
    """What one mode of training has of its own: see `train_automl` and `train_custom`."""

    def check(self, settings: Settings, options: Options) -> Estimate:
        """The most that it can cost, or a refusal."""

    def inputs(self, settings: Settings, options: Options) -> dict[str, Any]:
        """What decides the outcome."""

    def most(self, inputs: Mapping[str, Any], region: str) -> Estimate:
        """The most that these inputs can cost."""

    def beforehand(self, session: Session, inputs: Mapping[str, Any], how: str) -> tuple[Cost, ...]:
        """What must be made before it, at its price; `how` is --build."""

    def prepare(self, ledger: Ledger, run: Run, how: str, progress: Progress) -> None:
        """Makes what must be there before it is submitted."""

    def submit(self, ledger: Ledger, run: Run, data: Imported) -> Pipeline:
        """The new pipeline."""

    def limit(self, run: Run) -> str:
        """What it may use, in words."""

    def listen(
        self, ledger: Ledger, pipeline: Pipeline, now: Callable[[], datetime]
    ) -> Callable[[], str]:
        """What gives the last that the training said of itself."""

    def last_words(self, ledger: Ledger, ended: Pipeline) -> str:
        """The last error that the training put into its log."""

    def outcome(self, ledger: Ledger, run: Run, ended: Pipeline) -> dict[str, Any]:
        """What is known of one that succeeded."""

    def used(self, ledger: Ledger, run: Run, ended: Pipeline) -> dict[str, Any]:
        """What one that failed or was cancelled cost."""


WAYS: dict[str, Way] = {AUTOML: train_automl, CUSTOM: train_custom}


@dataclass(frozen=True)
class TrainPlan:
    """What is going to happen; `estimate` is empty when nothing more will be spent."""

    data: Imported
    run_plan: runs.Plan
    again: bool
    estimate: Estimate
    build: str = ""


def check(settings: Settings, options: Options) -> Estimate:
    """The most that this training can cost; USAGE, REGION_WITHOUT_AUTOML or OVER_CAP if refused.

    Looks at nothing but the options: a refusal costs no call.
    """
    train_options.check_mode(options)
    train_options.check_amount(options)
    if options.custom.local:
        return local_training.check(settings, options)
    train_options.check_local(options)
    return WAYS[options.mode].check(settings, options)


def plan(ledger: Ledger, options: Options) -> TrainPlan:
    """The training that `options` ask for, with its price; nothing is made or spent yet."""
    most = check(ledger.session.settings, options)
    data = imported.latest(ledger, options.dataset)
    if options.mode == AUTOML:
        imported.check_automl(data)
    imported.check_single(data, options.custom.flags.get(trainer_flags.MULTI_LABEL, ""))
    asked = local_training if options.custom.local else WAYS[options.mode]
    own = asked.inputs(ledger.session.settings, options)
    inputs = {"mode": options.mode, "dataset": data.name, **own}
    run_plan = runs.Plan(KIND, data.digest, inputs, most.as_json())
    if options.custom.local:
        is_new = local_training.is_new(ledger, run_plan, options.again)
        return TrainPlan(data, run_plan, again=is_new, estimate=most)
    is_new = _standing(ledger, run_plan, options.again) is RunState.NEW
    build = options.custom.build or CLOUD
    cost = _with_beforehand(ledger.session, most, inputs, build) if is_new else Estimate()
    return TrainPlan(data, run_plan, again=is_new, estimate=cost, build=build)


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
    return go_on(
        ledger,
        ledger.begin(plan.run_plan, again=plan.again),
        plan.data,
        progress,
        wait=wait,
        now=now,
        build=plan.build,
    )


def go_on(
    ledger: Ledger,
    run: Run,
    data: Imported,
    progress: Progress,
    *,
    wait: bool = True,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    build: str = "",
) -> Trained:
    """How a run's training ended, taken up where it stands; see `run`."""
    if run.state is RunState.SUCCEEDED:
        progress.note("Trained already; --again trains anew.")
        return Trained(**run.result)
    if local_training.is_local(run.plan["inputs"]):
        return local_training.run(ledger, run, data, progress)
    if not any(event.event == SUBMITTED for event in run.events()):
        way(run).prepare(ledger, run, build or _build_typed(run), progress)
    progress.goes_on(f"The training {run.id} goes on if it was submitted, {ends_with(run.id)}")
    pipeline = _submit_once(ledger, run, data, progress)
    progress.goes_on(f"The training {run.id} goes on, {ends_with(run.id)}")
    if not wait and not pipeline.is_ended:
        return train_result.of(run, data, pipeline)
    said = way(run).listen(ledger, pipeline, now)
    ended = train_watch.watch(ledger, pipeline, run, progress, way(run).limit(run), now, said)
    return _settle(ledger, run, data, ended)


def left(ledger: Ledger, run: Run) -> Estimate:
    """The most that going on with a run can still cost; nothing once it was submitted."""
    inputs = run.plan["inputs"]
    if local_training.is_local(inputs) or pipelines(ledger, run.id):
        return Estimate()
    most = way(run).most(inputs, ledger.session.settings.region)
    return _with_beforehand(ledger.session, most, inputs, _build_typed(run))


def _with_beforehand(
    session: Session, most: Estimate, inputs: Mapping[str, Any], build: str
) -> Estimate:
    """The price with that of what must be made first."""
    before = WAYS[str(inputs["mode"])].beforehand(session, inputs, build)
    return replace(most, costs=(*before, *most.costs))


def _build_typed(run: Run) -> str:
    """The --build that the run was begun with."""
    return str(run.plan.get("typed", {}).get("values", {}).get("build") or CLOUD)


def ends_with(run_id: str) -> str:
    """What ends a training that goes on by itself."""
    return f"within its budget; ops cancel {run_id} ends it."


def way(run: Run) -> Way:
    """What the run's mode has of its own."""
    return WAYS[str(run.plan["inputs"]["mode"])]


def _standing(ledger: Ledger, plan: runs.Plan, again: bool) -> RunState:
    """What `begin` is going to find; UNFINISHED only if the training was really submitted."""
    stem = ledger.stem(plan)
    found = [record for record in ledger.records(KIND) if record.id.startswith(stem)]
    if not found:
        return RunState.NEW
    last = max(found, key=lambda record: names.run_ordinal(record.id))
    if last.state is RunState.UNFINISHED:
        return RunState.UNFINISHED if pipelines(ledger, last.id) else RunState.NEW
    if last.state is not RunState.SUCCEEDED or again:
        return RunState.NEW
    model_is_there = models.get(ledger.session, str(last.result["model"])) is not None
    return RunState.SUCCEEDED if model_is_there else RunState.NEW


def pipelines(ledger: Ledger, run_id: str) -> list[Pipeline]:
    """The training pipelines that carry a run's label: one, or none yet."""
    labels = {names.LABEL_STACK: ledger.session.settings.stack, names.LABEL_RUN: run_id}
    return training.find(ledger.session, labels)


def _submit_once(ledger: Ledger, run: Run, data: Imported, progress: Progress) -> Pipeline:
    """The run's one pipeline, found by its label or submitted; never a second."""
    with ledger.lock(run.id):
        found = pipelines(ledger, run.id)
        pipeline = found[0] if found else way(run).submit(ledger, run, data)
        if not any(event.event == SUBMITTED for event in run.events()):
            run.event(SUBMITTED, pipeline=pipeline.name)
    if found and not pipeline.is_ended:
        since = f" since {pipeline.created:%Y-%m-%d %H:%M} UTC" if pipeline.created else ""
        progress.note(f"Already running{since}: joining it; nothing more is billed.")
    return pipeline


def _settle(ledger: Ledger, run: Run, data: Imported, ended: Pipeline) -> Trained:
    if not ended.succeeded:
        last_words = way(run).last_words(ledger, ended)
        train_failures.settle(run, ended, way(run).used(ledger, run, ended), last_words)
    more = way(run).outcome(ledger, run, ended)
    result = replace(train_result.of(run, data, ended), **more)
    run.finish(result.as_json())
    return result
