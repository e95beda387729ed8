"""A custom training right here: the same package, no API, no price; its model is a folder.

On record like every training, so that the same command takes it up, shows it, or trains anew.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ops import ledger as runs
from ops import names
from ops.errors import Code, OpsError
from ops.ledger import Ledger, Run, RunState
from ops.pricing.estimate import Estimate
from ops.progress import Progress
from ops.settings import Settings
from ops.workflows import (
    backbone_weights,
    custom_evaluation,
    local_process,
    local_training_files,
    train_failures,
    trainer_flags,
)
from ops.workflows.imported import Imported
from ops.workflows.local_process import Ended
from ops.workflows.train_custom import checked_flags
from ops.workflows.train_options import Options, check_local
from ops.workflows.train_result import Trained

OUTCOME, EVALUATION = "outcome.json", "model/evaluation.json"


def check(settings: Settings, options: Options) -> Estimate:  # noqa: ARG001
    """Nothing is spent; USAGE for options that are not for this, NOT_PREPARED without a trainer."""
    from importlib.util import find_spec

    check_local(options)
    checked_flags(options.custom)
    if find_spec("trainer") is None or find_spec("tensorflow") is None:
        raise OpsError(
            Code.NOT_PREPARED,
            "The trainer, or TensorFlow, is not installed on this machine.",
            "Type: make setup   or leave --local out",
        )
    return Estimate()


def inputs(settings: Settings, options: Options) -> dict[str, Any]:  # noqa: ARG001
    """What decides the outcome, beside mode and data set."""
    to = options.custom.to
    where = {"to": str(to.expanduser().absolute())} if to else {}
    return {"local": True, "flags": backbone_weights.here(checked_flags(options.custom)), **where}


def is_local(inputs: Mapping[str, Any]) -> bool:
    """Whether a plan's inputs are those of a training on this machine."""
    return bool(inputs.get("local"))


def is_new(ledger: Ledger, plan: runs.Plan, again: bool) -> bool:
    """Whether `ledger.begin` must make a new run: asked for, or the folder of the last is gone."""
    stem = ledger.stem(plan)
    found = [one for one in ledger.records(plan.kind) if one.id.startswith(stem)]
    if not found or again:
        return True
    last = max(found, key=lambda record: names.run_ordinal(record.id))
    evaluation = Path(str(last.result.get("folder", ""))).parent / EVALUATION
    return last.state is RunState.SUCCEEDED and not evaluation.is_file()


def run(ledger: Ledger, run: Run, data: Imported, progress: Progress) -> Trained:
    """The trained model, in its folder; JOB_FAILED, on record, when it failed.

    A run that was cut off goes on from its last whole checkpoint.
    """
    asked = run.plan["inputs"]
    settings = ledger.session.settings
    folder = Path(asked.get("to") or settings.state_dir / settings.stack / "runs" / run.id)
    folder = folder.absolute()
    mount = (settings.state_dir / settings.stack / "files").absolute()
    manifest = local_training_files.fetch(ledger, data, mount, progress)
    progress.goes_on(f"Training stopped; its checkpoints stay in {folder}.")
    flags = trainer_flags.arguments(asked["flags"], multi_label=data.multi_label)
    arguments = [f"--manifest={manifest}", *flags]
    environ = local_process.variables(folder, mount, os.environ)
    with progress.step("Training", 1.0) as step:
        ended = local_process.run(folder, arguments, environ, lambda said: _tell(step, said))
    progress.goes_on("")
    return _settle(run, data, folder, ended)


def _tell(step: Any, said: Mapping[str, Any]) -> None:
    if isinstance(said.get("fraction"), int | float):
        step.reach(float(said["fraction"]), str(said.get("message", "")))


def _settle(run: Run, data: Imported, folder: Path, ended: Ended) -> Trained:
    outcome = custom_evaluation.json_file(folder / OUTCOME)
    evaluation = custom_evaluation.json_file(folder / EVALUATION)
    if ended.exit_code or outcome is None or evaluation is None:
        raise _failed(run, folder, ended)
    result = Trained(
        run=run.id,
        dataset=data.name,
        digest=data.digest,
        pipeline="",
        state="succeeded",
        folder=str(folder / "model"),
        stop_reason=str(outcome.get("stopReason", "")),
        seconds=outcome.get("seconds"),
        evaluation=custom_evaluation.headline_of(evaluation),
    )
    run.finish(result.as_json())
    return result


def _failed(run: Run, folder: Path, ended: Ended) -> OpsError:
    said = train_failures.last_words(ended.last_lines)
    code = f"exit code {ended.exit_code}" if ended.exit_code else "no model"
    if ended.exit_code == -signal.SIGKILL:
        code = f"{code} (killed, most often for want of memory)"
    run.finish({"folder": str(folder), "error": said}, RunState.FAILED)
    _, hint = train_failures.reason(f"{code}. {said}")
    return OpsError(
        Code.JOB_FAILED,
        f"The training {run.id} ended with {code}{f': {said}' if said else '.'}",
        f"{hint}\nWhat it said is in {folder / local_process.LOG}",
    )
