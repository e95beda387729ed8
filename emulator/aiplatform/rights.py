"""Who may call which RPC of Vertex AI, and whom a job may run as."""

from __future__ import annotations

from typing import Any

from emulator.cloud import Cloud
from emulator.errors import ApiError
from emulator.iam import enforce, permissions, service_accounts, targets
from emulator.iam.targets import Target
from emulator.resourcemanager import projects
from emulator.tokens import Caller

Body = dict[str, Any]

ACT_AS = "iam.serviceAccounts.actAs"
# github.com/googleapis/python-aiplatform/issues/1073, read 2026-11-21.
NOT_YOURS = "You do not have permission to act as service_account: {email}. (or it may not exist)."
# Without an account named, pipelines run as the project's default account of Compute Engine
# (docs.cloud.google.com/vertex-ai/docs/pipelines/configure-project, "service account").
DEFAULT_RUNNERS = frozenset({"CreatePipelineJob", "CreateSchedule"})
COMPUTE = "{number}-compute@developer.gserviceaccount.com"
# The right that a method of an operation needs on what the operation is about (IAM permissions).
OPERATION_VERBS = {"cancel": "delete"}


def check(cloud: Cloud, caller: Caller, rpc: str, variables: dict[str, str]) -> None:
    """PERMISSION_DENIED unless the caller may do this to the resource, or in the location, named.

    `variables` are those of the path, the first of which is the resource.
    """
    if caller.owner:
        return
    permission = permissions.of_rpc(rpc)
    name = next(iter(variables.values()), "")
    if permission is None:
        raise ApiError("INTERNAL", f"No permission is known for {rpc}.")
    enforce.require(cloud, caller, permission, target(name))


def check_operation(cloud: Cloud, caller: Caller, path: str, verb: str | None) -> None:
    """PERMISSION_DENIED unless the caller has the right on what the operation is about."""
    if caller.owner or not path.startswith("projects/"):
        return
    name = path.partition("/operations")[0]
    if not _is_location(name):
        right = f"{_collection(name)}.{OPERATION_VERBS.get(verb or '', 'get')}"
    else:
        right = "operations.list" if path.endswith("/operations") else "locations.get"
    enforce.require(cloud, caller, f"aiplatform.{right}", target(name))


def check_account(cloud: Cloud, caller: Caller, rpc: str, body: Body) -> None:
    """INVALID_ARGUMENT, in Google's words, for an account that the caller may not act as.

    An account that the owner names and that is not there is an error of the job.
    """
    if caller.owner:
        return
    value: Any = body
    for key in permissions.account_field(rpc):
        value = value.get(key, {}) if isinstance(value, dict) else {}
    if not isinstance(value, str) or not value:
        if rpc in DEFAULT_RUNNERS:
            _check_default(cloud, caller, str(body.get("parent", "")))
        return
    found = service_accounts.find(cloud, value)
    if found is None or not enforce.allowed(cloud, caller, ACT_AS, targets.account(cloud, found)):
        raise ApiError("INVALID_ARGUMENT", NOT_YOURS.format(email=value))


def _check_default(cloud: Cloud, caller: Caller, parent: str) -> None:
    """INVALID_ARGUMENT unless the caller may act as the default account, which has no policy."""
    project_id = projects.canonical(cloud, parent.split("/")[1])
    on = targets.project(project_id, targets.IAM)
    if not enforce.allowed(cloud, caller, ACT_AS, on):
        email = COMPUTE.format(number=projects.number(cloud, project_id))
        raise ApiError("INVALID_ARGUMENT", NOT_YOURS.format(email=email))


def target(name: str) -> Target:
    """A resource of Vertex AI by its name with the project's id."""
    parts = name.split("/")
    kind = "Location" if _is_location(name) else _singular(_collection(name))
    project = parts[1] if len(parts) > 1 and parts[0] == "projects" else ""
    return Target(project, targets.VERTEX, f"{targets.VERTEX}/{kind}", name, name)


def _is_location(name: str) -> bool:
    return name.count("/") <= 3


def _collection(name: str) -> str:
    return name.split("/")[-2] if "/" in name else name


def _singular(collection: str) -> str:
    one = collection.removesuffix("ies") + "y" if collection.endswith("ies") else collection
    return (one[:1].upper() + one[1:]).removesuffix("s")
