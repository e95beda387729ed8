"""What is particular to a custom training: its flags, machine, price, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from ops import names
from ops.cloud import storage, training
from ops.cloud.session import Session
from ops.cloud.training import Pipeline
from ops.errors import Code, OpsError
from ops.ledger import Ledger, Run
from ops.pricing import estimate
from ops.pricing.estimate import Cost, Estimate
from ops.pricing.machines import DEFAULT_TRAINING_MACHINE, Machine, machine
from ops.progress import Progress
from ops.settings import Settings
from ops.workflows import (
    backbone_weights,
    custom_evaluation,
    prepared,
    registry,
    train_limits,
    train_log,
    train_options,
    trainer_flags,
    trainer_image,
)
from ops.workflows.imported import Imported
from ops.workflows.registry import Place
from ops.workflows.train_log import LastSaid
from ops.workflows.train_options import CUSTOM, CustomOptions, Options
from ops.workflows.train_watch import minutes
from ops.workflows.trainer_flags import MAX_SECONDS, MODEL_TYPE

MANIFEST = "manifest.jsonl"


def check(settings: Settings, options: Options) -> Estimate:
    """The most that the training can cost; USAGE, UNKNOWN_PRICE or OVER_CAP if refused."""
    return most(inputs(settings, options), settings.region)


def most(asked: Mapping[str, Any], region: str) -> Estimate:
    """The whole time-out of a plan's inputs, on their machine."""
    return Estimate(costs(asked, asked["timeout_seconds"], region))


def checked_flags(custom: CustomOptions) -> dict[str, str]:
    """The trainer's flags, and the model type; USAGE for one that is missing or not usable."""
    if custom.model_type is None:
        raise OpsError(
            Code.USAGE,
            f"--mode custom needs a model type: {', '.join(trainer_flags.model_types())}.",
            "Add --model-type cnn",
        )
    model_type = trainer_flags.check_model_type(custom.model_type)
    return {MODEL_TYPE: model_type, **trainer_flags.checked(custom.flags, model_type)}


def inputs(settings: Settings, options: Options) -> dict[str, Any]:
    """What decides the outcome, beside mode and data set."""
    chosen = _machine(options.custom)
    train_options.check_build(options.custom)
    kept = trainer_image.kept_usd(settings, options.custom, chosen)
    limits = train_limits.of(options, chosen, settings.region, kept)
    flags = {**checked_flags(options.custom), MAX_SECONDS: str(limits.max_seconds)}
    return {
        **backbone_weights.planned(settings, flags),
        "machine": {**chosen.spec(), "is_included": chosen.is_included},
        "spot": options.custom.spot,
        "image": trainer_image.planned(settings, options.custom, chosen),
        "timeout_seconds": limits.timeout_seconds,
    }


def beforehand(session: Session, inputs: Mapping[str, Any], how: str) -> tuple[Cost, ...]:
    """What the image costs at most, where it has to be built: see `trainer_image`."""
    return trainer_image.beforehand(session, inputs, how)


def prepare(ledger: Ledger, run: Run, how: str, progress: Progress) -> None:
    """The image of the run is there, and the weights that its backbone begins with."""
    backbone_weights.ensure(ledger, run, progress)
    trainer_image.ensure(ledger, run, how, progress)


def submit(ledger: Ledger, run: Run, data: Imported) -> Pipeline:
    """The new pipeline of the run; its model is the next version of the data set's custom model."""
    with registry.placing(ledger, data.name, CUSTOM, run.id) as place:
        return training.submit(ledger.session, _spec(ledger, run, data, place))


def _spec(ledger: Ledger, run: Run, data: Imported, place: Place) -> training.CustomSpec:
    asked = run.plan["inputs"]
    manifest = names.dataset_prefix(data.name, data.digest) + MANIFEST
    return training.CustomSpec(
        display_name=run.id,
        place=place.fields,
        model_display_name=f"{data.name}-custom",
        image=trainer_image.of(run),
        arguments=[
            f"--manifest={storage.uri(ledger.session, manifest)}",
            *trainer_flags.arguments(asked["flags"], multi_label=data.multi_label),
        ],
        machine_spec=_of_record(asked).spec(),
        spot=asked["spot"],
        output_uri=storage.uri(ledger.session, f"runs/{run.id}"),
        timeout_seconds=asked["timeout_seconds"],
        labels=run.labels,
        service_account=prepared.trainer(ledger.session.settings),
    )


def limit(run: Run) -> str:
    """What the training may use, in words."""
    return f"at most {minutes(run.plan['inputs']['timeout_seconds'])}"


def listen(ledger: Ledger, pipeline: Pipeline, now: Callable[[], datetime]) -> Callable[[], str]:
    """What gives the last message of the training's log."""
    return LastSaid(ledger, pipeline, now)


def last_words(ledger: Ledger, ended: Pipeline) -> str:
    """The last error of the training's log, which Google's own error does not repeat."""
    return train_log.last_error(ledger, ended)


def outcome(ledger: Ledger, run: Run, ended: Pipeline) -> dict[str, Any]:
    """What is known of a training that succeeded, beside what its pipeline says."""
    evaluation = custom_evaluation.ensure(ledger, run, ended.model_name)
    said = custom_evaluation.read_json(ledger, run.id, custom_evaluation.OUTCOME) or {}
    return {
        "stop_reason": str(said.get("stopReason", "")),
        "evaluation": custom_evaluation.headline_of(evaluation),
        **used(ledger, run, ended),
    }


def used(ledger: Ledger, run: Run, ended: Pipeline) -> dict[str, Any]:
    """What an ended training cost on Google: its machine, also if it failed, and its image."""
    if ended.started is None or ended.ended is None:
        return {}
    seconds = round((ended.ended - ended.started).total_seconds(), 1)
    found = costs(run.plan["inputs"], seconds, ledger.session.settings.region)
    most = {"usd_is_most": True} if run.plan["inputs"].get("spot") else {}
    usd = estimate.total_usd(found) + trainer_image.usd(run)
    return {"seconds": seconds, "usd_on_google": round(usd, 6), **most}


def costs(asked: Mapping[str, Any], seconds: float, region: str) -> tuple[Cost, ...]:
    """What these seconds cost on the machine of a plan's inputs; at most, if it is a spot one."""
    spot = bool(asked.get("spot"))
    return estimate.custom_training(seconds, _of_record(asked), region, spot=spot)


def _machine(custom: CustomOptions) -> Machine:
    return machine(custom.machine or DEFAULT_TRAINING_MACHINE, custom.accelerator or "")


def _of_record(asked: Mapping[str, Any]) -> Machine:
    spec = asked["machine"]
    return Machine(
        spec["machineType"],
        spec.get("acceleratorType", ""),
        int(spec.get("acceleratorCount", 0)),
        bool(spec["is_included"]),
    )
