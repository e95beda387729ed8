"""What Terraform is about to make and is there already: found by name, for it to take over.

An apply that was killed had made things that no state knows (the `gcs` backend is written every
20 s), and a second budget or channel is made without any error. What the plan wants made is what
is looked for, so that the addresses are the configuration's own. Ids for `import`: the pages of
each resource in the provider's documentation (7.45.0).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from ops.cloud import rest
from ops.cloud.session import Session

IAM, QUOTAS = "iam.googleapis.com", "cloudquotas.googleapis.com"
REGISTRY, BUDGETS = "artifactregistry.googleapis.com", "billingbudgets.googleapis.com"
MONITORING, STORAGE = "monitoring.googleapis.com", "storage.googleapis.com"
PAGE = 100
DELETED = "DELETED"
UNDELETE_SECONDS = 120.0
Values = Mapping[str, Any]


@dataclass(frozen=True)
class Wanted:
    """A resource that a plan would make: its address, type, and the values known by then."""

    address: str
    type: str
    values: Values


@dataclass(frozen=True)
class Standing:
    """One that is there: the id to import it by; `restored` when it had been deleted softly."""

    address: str
    type: str
    id: str
    restored: bool = False


def find(session: Session, wanted: Iterable[Wanted], *, restore: bool = True) -> list[Standing]:
    """Those of the wanted that exist. A pool that is deleted, but kept for 30 days, is restored.

    Without `restore` such a pool is gone, and nothing is changed.
    """
    by_type: dict[str, list[Wanted]] = {}
    for one in wanted:
        by_type.setdefault(one.type, []).append(one)
    found = []
    # In the table's order: a provider cannot be looked at before its pool is restored.
    looks = LOOKS if restore else {**LOOKS, **dict.fromkeys(RESTORABLE, _active)}
    for type_, look in looks.items():
        for one in by_type.get(type_, ()):
            standing = _looked_for(session, look, one)
            if standing is not None:
                found.append(standing)
    return found


def _looked_for(
    session: Session, look: Callable[[Session, Wanted], Standing | None], one: Wanted
) -> Standing | None:
    """What the look finds; nothing is there where the API itself was never switched on."""
    from google.api_core.exceptions import Forbidden

    try:
        return look(session, one)
    except Forbidden as refused:
        if getattr(refused, "reason", None) == "SERVICE_DISABLED":
            return None
        raise


def _bucket(session: Session, one: Wanted) -> Standing | None:
    path = f"/storage/v1/b/{one.values['name']}"
    if _got(session, STORAGE, path) is None:
        return None
    return _standing(one, f"{_project(session, one)}/{one.values['name']}")


def _account(session: Session, one: Wanted) -> Standing | None:
    project = _project(session, one)
    address = one.values.get("email") or (
        f"{one.values['account_id']}@{project}.iam.gserviceaccount.com"
    )
    name = f"projects/{project}/serviceAccounts/{address}"
    return _standing(one, name) if _got(session, IAM, f"/v1/{name}") else None


def _repository(session: Session, one: Wanted) -> Standing | None:
    location = f"projects/{_project(session, one)}/locations/{one.values['location']}"
    name = f"{location}/repositories/{one.values['repository_id']}"
    return _standing(one, name) if _got(session, REGISTRY, f"/v1/{name}") else None


def _active(session: Session, one: Wanted) -> Standing | None:
    """A pool or provider that is there, and not deleted softly."""
    name = _identity_name(session, one)
    found = _got(session, IAM, f"/v1/{name}")
    return _standing(one, name) if found and found.get("state") != DELETED else None


def _restored(session: Session, one: Wanted) -> Standing | None:
    """A pool or provider, made active again where it was deleted softly."""
    name = _identity_name(session, one)
    found = _got(session, IAM, f"/v1/{name}")
    if found is None:
        return None
    if found.get("state") != DELETED:
        return _standing(one, name)
    operation = rest.post(session, IAM, f"/v1/{name}:undelete", {})
    session.poll(partial(_is_done, session, operation), UNDELETE_SECONDS, what=name)
    return _standing(one, name, restored=True)


def _quota(session: Session, one: Wanted) -> Standing | None:
    """The one request for this quota and region, whoever made it and whatever it is called."""
    path = f"/v1/{one.values['parent']}/locations/global/quotaPreferences"
    same = ("service", "service"), ("quotaId", "quota_id"), ("dimensions", "dimensions")
    for asked in rest.pages(session, QUOTAS, path, "quotaPreferences", PAGE):
        if all(asked.get(theirs) == one.values.get(ours) for theirs, ours in same):
            return _standing(one, str(asked["name"]))
    return None


def _channel(session: Session, one: Wanted) -> Standing | None:
    parent = f"projects/{_project(session, one)}"
    path = f"/v3/{parent}/notificationChannels"
    for channel in rest.pages(session, MONITORING, path, "notificationChannels", PAGE):
        same = ("type", "type"), ("displayName", "display_name")
        if all(channel.get(theirs) == one.values.get(ours) for theirs, ours in same):
            return _standing(one, str(channel["name"]))
    return None


def _budget(session: Session, one: Wanted) -> Standing | None:
    """A billing account has the budgets of many projects: the project must be the same too."""
    account = one.values["billing_account"]
    projects = _budgeted(one.values.get("budget_filter") or [], "projects")
    path = f"/v1/billingAccounts/{account}/budgets"
    for budget in rest.pages(session, BUDGETS, path, "budgets", PAGE):
        theirs = _budgeted([budget.get("budgetFilter", {})], "projects")
        if budget.get("displayName") == one.values.get("display_name") and theirs == projects:
            return _standing(one, str(budget["name"]))
    return None


def _budgeted(filters: Iterable[Values], key: str) -> set[str]:
    return {str(project) for one in filters for project in one.get(key) or ()}


def _is_done(session: Session, operation: Values) -> bool:
    if operation.get("done"):
        return True
    return bool(rest.get(session, IAM, f"/v1/{operation['name']}").get("done"))


def _got(session: Session, host: str, path: str) -> dict[str, Any] | None:
    """What is at the path; None when nothing is. Other refusals are google.api_core's errors."""
    from google.api_core.exceptions import NotFound

    try:
        return rest.get(session, host, path)
    except NotFound:
        return None


def _identity_name(session: Session, one: Wanted) -> str:
    """The full name of a pool, or of a provider of one."""
    parent = f"projects/{_project(session, one)}/locations/global"
    name = f"{parent}/workloadIdentityPools/{one.values['workload_identity_pool_id']}"
    provider = one.values.get("workload_identity_pool_provider_id")
    return f"{name}/providers/{provider}" if provider else name


def _project(session: Session, one: Wanted) -> str:
    return str(one.values.get("project") or session.settings.project)


def _standing(one: Wanted, id: str, *, restored: bool = False) -> Standing:
    return Standing(one.address, one.type, id, restored)


LOOKS: dict[str, Callable[[Session, Wanted], Standing | None]] = {
    "google_storage_bucket": _bucket,
    "google_service_account": _account,
    "google_artifact_registry_repository": _repository,
    "google_iam_workload_identity_pool": _restored,
    "google_iam_workload_identity_pool_provider": _restored,
    "google_cloud_quotas_quota_preference": _quota,
    "google_monitoring_notification_channel": _channel,
    "google_billing_budget": _budget,
}
RESTORABLE = tuple(type_ for type_, look in LOOKS.items() if look is _restored)
