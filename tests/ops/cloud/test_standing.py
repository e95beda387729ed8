"""What a plan would make and is there already, found by name."""

from typing import Any

import pytest

from ops.cloud import rest, standing, storage
from ops.cloud.session import Session
from ops.cloud.standing import Standing, Wanted

PROJECT = "local-project"
ACCOUNT = "012345-6789AB-CDEF01"
POOL = f"projects/{PROJECT}/locations/global/workloadIdentityPools/default-github"


def send(session: Session, method: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """What the local cloud answers."""
    import json

    sent = json.dumps(body).encode()
    wire = session.wire(standing.IAM)
    answer = session.call(wire.send, method, path, sent, {"content-type": "application/json"})
    assert answer.status == 200, answer.data
    found: dict[str, Any] = json.loads(answer.data)
    return found


def budget(project: str, name: str = "ops default") -> dict[str, Any]:
    """A budget of one project, as the API takes it."""
    amount = {"specifiedAmount": {"currencyCode": "USD", "units": "5"}}
    return {"displayName": name, "budgetFilter": {"projects": [project]}, "amount": amount}


def wanted_budget(project: str) -> Wanted:
    """The same as a plan has it."""
    filters = [{"projects": [project]}]
    values = {"billing_account": ACCOUNT, "display_name": "ops default", "budget_filter": filters}
    return Wanted("module.budget[0].google_billing_budget.this", "google_billing_budget", values)


POOL_WANTED = Wanted(
    "module.github[0].google_iam_workload_identity_pool.this",
    "google_iam_workload_identity_pool",
    {"project": PROJECT, "workload_identity_pool_id": "default-github"},
)


def test_nothing_stands_in_a_new_project(session: Session) -> None:
    """Each kind is looked for, and none is there."""
    wanted = [
        Wanted("a", "google_storage_bucket", {"name": "local-project-ops-default"}),
        Wanted("b", "google_service_account", {"account_id": "default-runner"}),
        Wanted(
            "c",
            "google_artifact_registry_repository",
            {"location": "us-central1", "repository_id": "ops-default"},
        ),
        POOL_WANTED,
        Wanted(
            "e",
            "google_cloud_quotas_quota_preference",
            {"parent": f"projects/{PROJECT}", "name": "ops-training-t4-us-central1"},
        ),
        Wanted(
            "f",
            "google_monitoring_notification_channel",
            {"type": "email", "display_name": "ops default budget"},
        ),
        wanted_budget("projects/1"),
        Wanted("h", "google_project_iam_member", {}),
    ]
    assert {one.type for one in wanted} >= set(standing.LOOKS) - {
        "google_iam_workload_identity_pool_provider"
    }

    assert standing.find(session, wanted) == []


def test_buckets_and_accounts_are_found_by_name(session: Session) -> None:
    """Their ids are those that `terraform import` takes."""
    storage.create_bucket(session, "local-project-ops-default")
    send(
        session, "POST", f"/v1/projects/{PROJECT}/serviceAccounts", {"accountId": "default-runner"}
    )
    wanted = [
        Wanted("x", "google_service_account", {"account_id": "default-runner"}),
        Wanted("y", "google_storage_bucket", {"name": "local-project-ops-default"}),
    ]

    address = f"default-runner@{PROJECT}.iam.gserviceaccount.com"
    assert standing.find(session, wanted) == [
        Standing("y", "google_storage_bucket", f"{PROJECT}/local-project-ops-default"),
        Standing("x", "google_service_account", f"projects/{PROJECT}/serviceAccounts/{address}"),
    ]


def test_a_budget_of_another_project_is_not_taken(session: Session) -> None:
    """A billing account pays for many projects, and each may have a stack of the same name."""
    path = f"/v1/billingAccounts/{ACCOUNT}/budgets"
    send(session, "POST", path, budget("projects/2"))
    made = send(session, "POST", path, budget("projects/1"))

    (found,) = standing.find(session, [wanted_budget("projects/1")])

    assert found.id == made["name"]
    assert standing.find(session, [wanted_budget("projects/3")]) == []


@pytest.mark.parametrize("name", ["ops-training-t4-us-central1", "made-by-hand"])
def test_a_quota_request_is_found_by_what_it_asks_for(session: Session, name: str) -> None:
    """Google has one for a quota and region: another stack's, or one that a person made."""
    parent = f"projects/{PROJECT}"
    path = f"/v1/{parent}/locations/global/quotaPreferences?quotaPreferenceId={name}"
    quota = "CustomModelTrainingT4GPUsPerProjectPerRegion"
    values = {"service": "aiplatform.googleapis.com", "dimensions": {"region": "us-central1"}}
    send(
        session, "POST", path, {**values, "quotaId": quota, "quotaConfig": {"preferredValue": "1"}}
    )
    type_ = "google_cloud_quotas_quota_preference"
    wanted = {"parent": parent, "name": "ops-training-t4-us-central1", **values, "quota_id": quota}
    elsewhere = {**wanted, "dimensions": {"region": "europe-west4"}}

    found = standing.find(session, [Wanted("a", type_, wanted), Wanted("b", type_, elsewhere)])

    full = f"{parent}/locations/global/quotaPreferences/{name}"
    assert found == [Standing("a", type_, full)]


def test_a_channel_is_found_by_its_display_name(session: Session) -> None:
    """Among others of the same kind."""
    path = f"/v3/projects/{PROJECT}/notificationChannels"
    for name in ("ops other budget", "ops default budget"):
        body = {"type": "email", "displayName": name, "labels": {"email_address": "a@b.example"}}
        made = send(session, "POST", path, body)
    values = {"type": "email", "display_name": "ops default budget"}

    (found,) = standing.find(
        session, [Wanted("x", "google_monitoring_notification_channel", values)]
    )

    assert found.id == made["name"]


@pytest.mark.parametrize("restore", [True, False])
def test_a_deleted_pool_is_restored_if_asked(session: Session, restore: bool) -> None:
    """Its name is taken for 30 days; a teardown that only looks leaves it as it is."""
    parent, _, id = POOL.rpartition("/")
    send(session, "POST", f"/v1/{parent}?workloadIdentityPoolId={id}", {"displayName": "GitHub"})
    send(session, "DELETE", f"/v1/{POOL}", {})

    found = standing.find(session, [POOL_WANTED], restore=restore)

    state = rest.get(session, standing.IAM, f"/v1/{POOL}")["state"]
    assert [(one.id, one.restored) for one in found] == ([(POOL, True)] if restore else [])
    assert state == ("ACTIVE" if restore else "DELETED")
