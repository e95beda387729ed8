"""Take models off their endpoints, which ends what they cost, and put the time on record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ops import names
from ops.cloud import endpoints
from ops.cloud.endpoints import DeployedModel, Endpoint
from ops.errors import Code, OpsError
from ops.ledger import Ledger, Record, RunState
from ops.progress import Progress
from ops.workflows import deploy, serving

UNDEPLOY_SECONDS = 1800.0
UNDEPLOY = "UndeployModel"
OF_A_RUN = (names.LABEL_RUN, names.LABEL_EXPIRES)


@dataclass(frozen=True)
class Undeployed:
    """What was taken off, and which endpoints were deleted or kept."""

    models: tuple[str, ...]
    deleted: tuple[str, ...]
    kept: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return {"undeployed": self.models, "deleted": self.deleted, "kept": self.kept}


def run(
    ledger: Ledger,
    progress: Progress,
    *,
    endpoint: str | None = None,
    keep_endpoint: bool = False,
) -> Undeployed:
    """What was undeployed: everything of the stack, or of one endpoint; nothing is fine too."""
    chosen = _chosen(ledger, endpoint)
    models = [name for one in chosen for name in _clear(ledger, one, progress)]
    for one in chosen:
        if keep_endpoint:
            _keep(ledger, one)
        else:
            _delete(ledger, one, progress)
    if endpoint is None:
        _settle(ledger)
    ended = tuple(one.name for one in chosen)
    deleted, kept = ((), ended) if keep_endpoint else (ended, ())
    return Undeployed(tuple(models), deleted, kept)


def _chosen(ledger: Ledger, endpoint: str | None) -> list[Endpoint]:
    session = ledger.session
    found = endpoints.find(session, {names.LABEL_STACK: session.settings.stack})
    if endpoint is None:
        return found
    chosen = [one for one in found if endpoint in (one.name, names.resource_id(one.name))]
    if chosen:
        return chosen
    known = ", ".join(names.resource_id(one.name) for one in found) or "none"
    raise OpsError(
        Code.NOT_FOUND,
        f"Stack {session.settings.stack} has no endpoint {endpoint}; it has: {known}.",
        "Type: ops status",
    )


def _clear(ledger: Ledger, endpoint: Endpoint, progress: Progress) -> list[str]:
    """The names of the models taken off; a deployment that still runs is waited for first."""
    session = ledger.session
    with progress.step("Undeploying"):
        for operation in endpoints.unfinished(session, endpoint.name, serving.DEPLOY):
            session.poll(operation.done, serving.DEPLOY_SECONDS, what="The deployment")
        for operation in endpoints.unfinished(session, endpoint.name, UNDEPLOY):
            session.poll(operation.done, UNDEPLOY_SECONDS, what="The undeployment")
        seen = endpoints.get(session, endpoint.name)
        for model in seen.deployed if seen else ():
            _take_off(ledger, endpoint, model)
    _end_run(ledger, endpoint)
    return [model.model_name for model in seen.deployed] if seen else []


def _take_off(ledger: Ledger, endpoint: Endpoint, model: DeployedModel) -> None:
    from google.api_core.exceptions import NotFound

    try:
        operation = endpoints.undeploy(ledger.session, endpoint.name, model.id)
        ledger.session.wait(operation, UNDEPLOY_SECONDS)
    except NotFound:
        return  # somebody else took it off in between


def _end_run(ledger: Ledger, endpoint: Endpoint) -> None:
    label = endpoint.labels.get(names.LABEL_RUN, "")
    for record in ledger.records(deploy.KIND):
        if record.id == label and record.state in (RunState.SUCCEEDED, RunState.UNFINISHED):
            deploy.end(ledger.open(record.id), endpoint.name)


def _keep(ledger: Ledger, endpoint: Endpoint) -> None:
    """Without the labels of its run, which is how the next deployment knows that it is free."""
    labels = {key: value for key, value in endpoint.labels.items() if key not in OF_A_RUN}
    endpoints.relabel(ledger.session, endpoint.name, labels)


def _delete(ledger: Ledger, endpoint: Endpoint, progress: Progress) -> None:
    from google.api_core.exceptions import NotFound

    with progress.step("Deleting the endpoint"):
        try:
            operation = endpoints.delete(ledger.session, endpoint.name)
            ledger.session.wait(operation, UNDEPLOY_SECONDS)
        except NotFound:
            return


def _settle(ledger: Ledger) -> None:
    """End the runs whose endpoint is gone: deleted by others, or before this could be recorded."""
    for record in ledger.records(deploy.KIND):
        if record.state is RunState.SUCCEEDED and not _is_there(ledger, record):
            deploy.end(ledger.open(record.id), str(record.result["endpoint"]))


def _is_there(ledger: Ledger, record: Record) -> bool:
    found = endpoints.get(ledger.session, str(record.result["endpoint"]))
    return found is not None and bool(found.deployed)
