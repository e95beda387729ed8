"""What is particular to an AutoML training: its price, what it is asked, what came of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from ops import names
from ops.cloud import training
from ops.cloud.session import Session
from ops.cloud.training import Pipeline
from ops.ledger import Ledger, Run
from ops.pricing import estimate, regions
from ops.pricing.estimate import Cost, Estimate
from ops.progress import Progress
from ops.settings import Settings
from ops.workflows import evaluate, registry
from ops.workflows.imported import Imported
from ops.workflows.train_options import Options, check_budget, check_cap


def check(settings: Settings, options: Options) -> Estimate:
    """The most that the budget can cost; USAGE, REGION_WITHOUT_AUTOML or OVER_CAP if refused."""
    regions.check_automl(settings.region)
    check_budget(options.node_hours)
    price = most(inputs(settings, options), settings.region)
    check_cap(price, options)
    return price


def most(asked: Mapping[str, Any], region: str) -> Estimate:
    """The whole budget of a plan's inputs."""
    node_hours = float(asked["budget_node_hours"])
    return Estimate((estimate.automl_training(node_hours, region),))


def inputs(settings: Settings, options: Options) -> dict[str, Any]:  # noqa: ARG001
    """What decides the outcome, beside mode and data set."""
    return {"budget_node_hours": options.node_hours}


def beforehand(
    session: Session,  # noqa: ARG001
    inputs: Mapping[str, Any],  # noqa: ARG001
    how: str,  # noqa: ARG001
) -> tuple[Cost, ...]:
    """Nothing: AutoML brings its own."""
    return ()


def prepare(
    ledger: Ledger,
    run: Run,
    how: str,
    progress: Progress,
) -> None:
    """Nothing has to be there."""


def submit(ledger: Ledger, run: Run, data: Imported) -> Pipeline:
    """The new pipeline of the run; its model is the next version of the data set's AutoML model."""
    with registry.placing(ledger, data.name, "automl", run.id) as place:
        spec = training.AutoMlSpec(
            display_name=run.id,
            dataset_id=names.resource_id(data.resource),
            place=place.fields,
            model_display_name=f"{data.name}-automl",
            budget_node_hours=float(run.plan["inputs"]["budget_node_hours"]),
            multi_label=data.multi_label,
            labels=run.labels,
        )
        return training.submit(ledger.session, spec)


def limit(run: Run) -> str:
    """What the training may use, in words."""
    return f"budget {run.plan['inputs']['budget_node_hours']:g} node hours"


def outcome(ledger: Ledger, run: Run, ended: Pipeline) -> dict[str, Any]:  # noqa: ARG001
    """What is known of a training that succeeded, beside what its pipeline says."""
    usd = None
    if ended.node_hours is not None:
        region = ledger.session.settings.region
        usd = round(estimate.automl_training(ended.node_hours, region).usd, 6)
    return {"evaluation": evaluate.headline(ledger, ended.model_name), "usd_on_google": usd}


def used(ledger: Ledger, run: Run, ended: Pipeline) -> dict[str, Any]:  # noqa: ARG001
    """What an ended training cost that left no model: its pipeline does not say."""
    return {}


def listen(
    ledger: Ledger,  # noqa: ARG001
    pipeline: Pipeline,  # noqa: ARG001
    now: Callable[[], datetime],  # noqa: ARG001
) -> Callable[[], str]:
    """Nothing: AutoML keeps no log."""
    return str


def last_words(ledger: Ledger, ended: Pipeline) -> str:  # noqa: ARG001
    """Nothing: AutoML keeps no log, and its error says why."""
    return ""
