"""The steps of a deployment that may each be cut off and taken up: endpoint, labels, deployment.

The endpoint carries the run's label, or is one that an earlier `ops undeploy --keep-endpoint` left
without such a label. The deployed model's id follows from the run's, so that the API itself
refuses to deploy the same thing twice.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ops import names
from ops.cloud import endpoints
from ops.cloud.endpoints import DeployedModel, Endpoint
from ops.cloud.models import Model
from ops.errors import Code, OpsError
from ops.ledger import Ledger, Run, RunState
from ops.progress import Progress
from ops.workflows import prepared

CREATE_SECONDS = 600.0
# Deploying an AutoML image model takes Google many minutes; the SDK's own limit is 30 of them
# (python-aiplatform issue 3329: the deployment goes on after a time-out).
DEPLOY_SECONDS = 3600.0
UNDEPLOY_SECONDS = 1800.0
DEPLOY = "DeployModel"


def endpoint_of(ledger: Ledger, run: Run, progress: Progress) -> Endpoint:
    """The run's endpoint: its own by label, one kept from before, or a new one."""
    with ledger.lock("endpoints"):
        stack = {names.LABEL_STACK: ledger.session.settings.stack}
        found = endpoints.find(ledger.session, stack)
        own = [one for one in found if one.labels.get(names.LABEL_RUN) == run.id]
        kept = [one for one in found if names.LABEL_RUN not in one.labels and not one.deployed]
        if own or kept:
            return (own or kept)[0]
        return _create(ledger, run, progress)


def _create(ledger: Ledger, run: Run, progress: Progress) -> Endpoint:
    from google.api_core.exceptions import Conflict

    session = ledger.session
    # After a teardown the same run is planned anew; Google keeps an endpoint's id for a week.
    id = names.endpoint_id(session.settings.stack, f"{run.id}/{run.plan['planned_at']}")
    name = names.resource(session.settings.project, session.settings.region, "endpoints", id)
    with progress.step("Making the endpoint"):
        try:
            operation = endpoints.create(session, id, session.settings.stack, run.labels)
            session.wait(operation, CREATE_SECONDS)
        except Conflict:
            progress.note(f"Endpoint {id} is being made already.")
        made = session.poll(lambda: endpoints.get(session, name), CREATE_SECONDS, what=name)
    assert isinstance(made, Endpoint)
    return made


def relabel(ledger: Ledger, endpoint: Endpoint, run: Run, until: datetime) -> Endpoint:
    """The endpoint with the run's labels and the end of its time to live."""
    expires = {names.LABEL_EXPIRES: names.expiry_label(until)}
    labels = {**endpoint.labels, **run.labels, **expires}
    return endpoints.relabel(ledger.session, endpoint.name, labels)


def served(endpoint: Endpoint, run: Run) -> DeployedModel | None:
    """The run's model on the endpoint; None when it is not there (yet, or any more)."""
    id = names.deployed_model_id(run.id)
    return next((model for model in endpoint.deployed if model.id == id), None)


def deploy_once(
    ledger: Ledger, run: Run, model: Model, endpoint: Endpoint, progress: Progress
) -> DeployedModel:
    """The run's model, served: at once if it is, after the deployment that runs, or a new one."""
    session = ledger.session

    def look() -> DeployedModel | None:
        seen = endpoints.get(session, endpoint.name)
        return served(seen, run) if seen else None

    with progress.step("Deploying"):
        operation = _deployment(ledger, run, model, endpoint)
        if operation is not None:
            _wait(ledger, run, operation, endpoint)
        found = session.poll(look, DEPLOY_SECONDS, what=f"The deployment {run.id}")
    assert isinstance(found, DeployedModel)
    return found


def _deployment(ledger: Ledger, run: Run, model: Model, endpoint: Endpoint) -> Any:
    """The operation to wait for: the one that runs, or one submitted now; None if it is served."""
    from google.api_core.exceptions import Conflict

    session = ledger.session
    with ledger.lock(run.id):
        running = endpoints.unfinished(session, endpoint.name, DEPLOY)
        if running:
            return running[-1]
        seen = endpoints.get(session, endpoint.name)
        if seen is not None and served(seen, run):
            return None
        id = names.deployed_model_id(run.id)
        try:
            machine = str(run.plan["inputs"].get("machine", ""))
            account = prepared.predictor(session.settings, model.kind)
            explains = bool(run.plan["inputs"].get("explain"))
            name = endpoint.name, id, model.full, model.display_name
            return endpoints.deploy(session, *name, machine, account, explains)
        except Conflict:
            return None  # it is being deployed by a call that is not listed yet


def _wait(ledger: Ledger, run: Run, operation: Any, endpoint: Endpoint) -> None:
    """Return when the operation has ended well; JOB_FAILED, on record, when it ended badly."""
    from google.api_core.exceptions import GoogleAPICallError

    try:
        ledger.session.wait(operation, DEPLOY_SECONDS)
    except GoogleAPICallError as error:
        if not operation.operation.HasField("error"):
            raise
        run.finish({"endpoint": endpoint.name, "error": error.message}, RunState.FAILED)
        raise OpsError(
            Code.JOB_FAILED,
            f"The deployment {run.id} failed: {str(error.message).rstrip('.')}. "
            "Google does not bill a model that failed to deploy.",
            "Type the same command again to deploy anew, or: ops undeploy",
        ) from error


def take_off(ledger: Ledger, endpoint_name: str, deployed_id: str) -> None:
    """Return when the model is not on the endpoint (any more)."""
    from google.api_core.exceptions import NotFound

    seen = endpoints.get(ledger.session, endpoint_name)
    if seen is None or all(model.id != deployed_id for model in seen.deployed):
        return
    try:
        operation = endpoints.undeploy(ledger.session, endpoint_name, deployed_id)
        ledger.session.wait(operation, UNDEPLOY_SECONDS)
    except NotFound:
        return  # somebody else took it off in between


def delete_if_empty(ledger: Ledger, endpoint_name: str) -> None:
    """Return when the endpoint is gone, or kept because another model is on it."""
    from google.api_core.exceptions import FailedPrecondition, NotFound

    seen = endpoints.get(ledger.session, endpoint_name)
    if seen is None or seen.deployed:
        return
    try:
        ledger.session.wait(endpoints.delete(ledger.session, endpoint_name), UNDEPLOY_SECONDS)
    except (NotFound, FailedPrecondition):
        return  # somebody else deleted it, or deployed to it, in between
