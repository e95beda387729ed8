"""The end of a deployment: checked against the evaluation, and taken off when it differs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ops import names
from ops.cloud import endpoints, models, patience
from ops.cloud.endpoints import Endpoint
from ops.cloud.models import Model
from ops.errors import Code, OpsError
from ops.ledger import Ledger, Plan, Run, RunState
from ops.progress import Progress
from ops.workflows import deploy_reference, imported, served_check, serving
from ops.workflows.deploy_reference import Reference
from ops.workflows.evaluate import DEFAULT_THRESHOLD
from ops.workflows.evaluate_metrics import confusion_of
from ops.workflows.evaluate_photos import Photos

DEPLOYED, CHECKED, UNDEPLOYED = "deployed", "checked", "undeployed"
NOT_CHECKED = "not checked"
SHOWN = 5


def settle(
    ledger: Ledger,
    run: Run,
    model: Model,
    endpoint: Endpoint,
    reference: Reference,
    progress: Progress,
) -> dict[str, Any]:
    """The check of a model that is served: `state` is `passed` or `not checked` (and `why`).

    Once for a run; SERVED_DIFFERS, with the model taken off, when what is served is not what was
    evaluated. Taken off too when the check cannot be done; errors that pass are raised as they are.
    """
    known = of_run(run)
    if known is None:
        if reference.photos is None:
            return {"state": NOT_CHECKED, "why": reference.why}
        try:
            known = _check(ledger, model, endpoint, reference.photos, progress)
        except Exception as error:
            if passes(error):
                raise
            raise give_up(ledger, run, _lasting(error)) from error
        run.event(CHECKED, endpoint=endpoint.name, **known)
    if known["state"] == "passed":
        return known
    raise refuse(ledger, run, endpoint.name, known)


def of_run(run: Run) -> dict[str, Any] | None:
    """The check that is on record of a run; None when there is none yet."""
    found = [event.facts for event in run.events() if event.event == CHECKED]
    if not found:
        return None
    return {key: value for key, value in found[-1].items() if key != "endpoint"}


def refuse_early(ledger: Ledger, run_plan: Plan, problem: OpsError | None) -> None:
    """Raise the problem unless a run of this plan was cut off, or was checked already.

    Those are for `require`: what is served of a run that was cut off must be taken off.
    """
    if problem is None:
        return
    newest = ledger.newest(run_plan)
    if newest is not None and newest.state is RunState.UNFINISHED:
        return
    if newest is not None and newest.state is RunState.SUCCEEDED:
        if of_run(ledger.open(newest.id)) is None:
            raise _with(problem, "Nothing was changed; ops status shows what is served.")
        return
    raise _with(problem, "Nothing was deployed.")


def require(ledger: Ledger, run: Run, problem: OpsError | None) -> None:
    """Nothing when the run can be, or has been, checked; else nothing of it stays served."""
    if problem is not None and of_run(run) is None:
        raise give_up(ledger, run, problem)


def give_up(ledger: Ledger, run: Run, problem: OpsError) -> OpsError:
    """The error of a run that cannot be checked, once nothing of it is served, on record."""
    session = ledger.session
    stack = {names.LABEL_STACK: names.label_value(session.settings.stack)}
    own = [
        one for one in endpoints.find(session, stack) if one.labels.get(names.LABEL_RUN) == run.id
    ]
    name, was_served = (own[0].name if own else ""), False
    if own:
        running = endpoints.unfinished(session, name, serving.DEPLOY)
        for operation in running:
            session.poll(operation.done, serving.DEPLOY_SECONDS, what="The deployment")
        was_served = bool(running) or serving.served(own[0], run) is not None
    error = _with(problem, "The model was undeployed." if was_served else "Nothing was deployed.")
    facts = {"state": "failed", "code": error.code, "error": error.message, "hint": error.hint}
    run.event(CHECKED, endpoint=name, **facts)
    return refuse(ledger, run, name, facts)


def _with(problem: OpsError, sentence: str) -> OpsError:
    return OpsError(problem.code, f"{problem.message} {sentence}", problem.hint)


def _lasting(error: Exception) -> OpsError:
    if isinstance(error, OpsError):
        return error
    said = str(getattr(error, "message", "") or f"{type(error).__name__}: {error}").rstrip(".")
    return OpsError(
        Code.CHECK_FAILED,
        f"What is served could not be compared with the evaluation: {said}.",
        "Type: ops doctor   and then the same command again, or add --unchecked",
    )


def passes(error: BaseException) -> bool:
    """Whether the same command may succeed later: a busy server, a lost connection, a time-out."""
    if isinstance(error, OpsError):
        return error.code in (Code.TIMED_OUT, Code.BUSY, Code.UNREACHABLE)
    return patience.may_pass(getattr(error, "cause", None) or error)


@contextmanager
def saying(stays: str) -> Iterator[None]:
    """Errors that pass, raised in a `with` block, say what stays served and billed."""
    try:
        yield
    except Exception as error:
        if passes(error):
            error.add_note(stays)
        raise


def take_up_refusal(ledger: Ledger, run: Run) -> None:
    """Finish the refusal of a run that was cut off in it; nothing when there is none."""
    failed = [
        event.facts
        for event in run.events()
        if event.event == CHECKED and event.facts["state"] == "failed"
    ]
    if failed and run.state is RunState.UNFINISHED:
        raise refuse(ledger, run, str(failed[-1]["endpoint"]), failed[-1])


def refuse(ledger: Ledger, run: Run, endpoint_name: str, check: Mapping[str, Any]) -> OpsError:
    """The error to raise, once the model is taken off, its endpoint deleted, and all on record."""
    deployed = names.deployed_model_id(run.id)
    try:
        if endpoint_name:
            serving.take_off(ledger, endpoint_name, deployed)
    except Exception as failure:
        failure.add_note("The model is still served and billed. Type: ops undeploy")
        raise
    happened = {event.event for event in run.events()}
    if UNDEPLOYED not in happened and (endpoint_name or DEPLOYED in happened):
        run.event(UNDEPLOYED, endpoint=endpoint_name, deployed_model=deployed)
    if endpoint_name:
        serving.delete_if_empty(ledger, endpoint_name)
    facts = {key: value for key, value in check.items() if key != "endpoint"}
    error = _error(ledger, run, facts)
    result = {"endpoint": endpoint_name, "check": facts, "error": error.message}
    run.finish(result, RunState.FAILED)
    return error


def _check(
    ledger: Ledger, model: Model, endpoint: Endpoint, reference: Photos, progress: Progress
) -> dict[str, Any]:
    done = served_check.run(ledger.session, endpoint.name, model.kind, reference, progress)
    if done is None:
        raise deploy_reference.gone(model, reference)
    found = _in_own_names(done.as_json(), imported.class_names_of(ledger, model.labels))
    return {**found, **_accuracies(ledger, model, reference)}


def _accuracies(ledger: Ledger, model: Model, reference: Photos) -> dict[str, Any]:
    """The share of photos that are right, beside what the model's evaluation says (0-1).

    Right as `ops evaluate` counts it: of several labels all of them and no other.
    """
    right = reference.right(DEFAULT_THRESHOLD)
    known = models.evaluations(ledger.session, model.full)
    confusion = confusion_of(known[0].metrics, {}) if known and not reference.multi_label else None
    return {
        "reference_photos": len(reference.rows),
        "multi_label": reference.multi_label,
        "reference_accuracy": round(right / len(reference.rows), 6),
        "evaluated_accuracy": confusion.accuracy if confusion else None,
    }


def _in_own_names(check: dict[str, Any], own: Mapping[str, str]) -> dict[str, Any]:
    """The check with the class names that the user wrote."""
    differing = [
        {**one, **{side: own.get(one[side], one[side]) for side in ("reference", "served")}}
        for one in check["differing"]
    ]
    return {**check, "differing": differing}


def _error(ledger: Ledger, run: Run, check: Mapping[str, Any]) -> OpsError:
    if "error" in check:
        return OpsError(Code(check["code"]), str(check["error"]), str(check["hint"]))
    photos, differing = int(check["photos"]), list(check["differing"])
    lines = [_line(one) for one in differing[:SHOWN]]
    if len(differing) > SHOWN:
        where = names.gs_uri(ledger.session.settings.bucket, names.run_prefix(run.id))
        lines.append(f"and {len(differing) - SHOWN} more: {where}events.jsonl")
    shown = "".join(f"\n  {line}" for line in lines)
    return OpsError(
        Code.SERVED_DIFFERS,
        f"What is served is not what was evaluated: of {photos} photos {check['same_label']} have "
        f"the same label, and scores differ by {check['mean_difference']:.3f} on average (at most "
        f"{served_check.MOST_MEAN_DIFFERENCE:g}). The model was undeployed. "
        f"The reference is {check['reference']}.{shown}",
        "The model's files may have been replaced. Type: ops models list   and deploy another "
        "version, or: ops train --again",
    )


def _line(one: Mapping[str, Any]) -> str:
    expected = f"{one['reference']} {one['reference_score']:.2f}"
    served = one["problem"] or f"{one['served']} {one['served_score']:.2f}"
    return f"{one['uri']}: evaluated as {expected}, served {served}"
