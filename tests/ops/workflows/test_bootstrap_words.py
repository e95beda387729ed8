"""A plan in words; plans in the documented form of `terraform show -json`."""

from typing import Any

from ops.workflows import bootstrap_imports, bootstrap_words
from ops.workflows.bootstrap_words import Action


def planned(address: str, *actions: str, **change: Any) -> dict[str, Any]:
    """A resource of a plan."""
    type_ = next(part for part in address.split(".") if part.startswith("google_"))
    body = {"actions": list(actions), "before": None, "after": None, **change}
    return {"address": address, "mode": "managed", "type": type_, "change": body}


BUCKET = "module.bucket.google_storage_bucket.this"
READERS = "module.bucket.google_storage_bucket_iam_binding.readers[0]"
ACCOUNT = 'module.identities.google_service_account.this["runner"]'
SERVICE = 'module.services.google_project_service.this["aiplatform.googleapis.com"]'


def lines(*resources: dict[str, Any]) -> list[str]:
    """The plan's words."""
    return bootstrap_words.lines(bootstrap_words.changes({"resource_changes": list(resources)}))


def test_what_is_made_is_grouped_and_named() -> None:
    """By kind, in an order for people, with the names that they gave."""
    members = [
        "serviceAccount:default-trainer@p.iam.gserviceaccount.com",
        "serviceAccount:default-runner@p.iam.gserviceaccount.com",
    ]
    grants = {"role": "roles/storage.objectViewer", "members": members}

    text = lines(
        planned(SERVICE, "create", after={"service": "aiplatform.googleapis.com"}),
        planned(READERS, "create", after=grants),
        planned(ACCOUNT, "create", after={"account_id": "default-runner"}),
        planned(BUCKET, "create", after={"name": "photos"}),
    )

    assert text == [
        "Will be made: 4",
        "  1 bucket: photos",
        "  1 API: aiplatform",
        "  1 account: default-runner",
        "  1 permission:",
        "    storage.objectViewer (bucket): default-runner, default-trainer",
    ]


def test_what_changes_says_in_what() -> None:
    """The attributes that differ, not those that stay."""
    before = {"name": "photos", "labels": {"a": "b"}, "location": "EU"}
    after = {**before, "labels": {"a": "c"}}

    assert lines(planned(BUCKET, "update", before=before, after=after)) == [
        "Will change: 1",
        "  1 bucket: photos (labels)",
    ]


def test_a_bucket_that_goes_is_named_loudly() -> None:
    """Deleted or made anew, with everything in it; and why it cannot stay."""
    before = {"name": "photos", "location": "EU"}
    again = planned(BUCKET, "delete", "create", before=before, after={"name": "photos"})
    again["change"]["replace_paths"] = [["location"]]
    gone = planned('google_storage_bucket.old["x"]', "delete", before={"name": "old"})

    text = lines(again, gone)

    assert "WILL BE DELETED AND MADE AGAIN: 1" in text
    assert "WILL BE DELETED: 1" in text
    assert text[-2:] == [
        "WARNING: bucket gs://photos would be deleted with every object in it and made again, "
        "empty: location cannot be changed.",
        "WARNING: bucket gs://old would be deleted with every object in it.",
    ]


def test_what_is_taken_over_may_change_too() -> None:
    """Importing is one thing, the change that comes with it another."""
    taken = planned(
        ACCOUNT, "update", before={"account_id": "a"}, after={"account_id": "a"}, importing={}
    )
    taken["change"]["importing"] = {"id": "x"}

    found = bootstrap_words.changes({"resource_changes": [taken]})

    assert [one.action for one in found] == [Action.TAKE, Action.CHANGE]
    assert bootstrap_words.summary(found) == "1 taken over, 1 changed"


def test_what_stays_and_what_is_only_read_is_not_mentioned() -> None:
    """No-ops and data sources are no changes."""
    data = planned("data.google_project.this[0]", "read")
    data["mode"] = "data"

    assert lines(planned(BUCKET, "no-op", after={"name": "photos"}), data) == []


def test_a_kind_that_nobody_foresaw_is_called_by_its_type() -> None:
    """It is shown, and has no price of its own to hide."""
    assert lines(planned('google_pubsub_topic.this["new"]', "create", after={})) == [
        "Will be made: 1",
        "  1 pubsub topic: new",
    ]


def test_only_what_would_be_made_is_looked_for() -> None:
    """Not what changes, goes, or is taken over already."""
    taken = planned(BUCKET, "create", after={"name": "photos"}, importing={"id": "x"})
    made = planned(ACCOUNT, "create", after={"account_id": "default-runner"})

    (wanted,) = bootstrap_imports.wanted({"resource_changes": [taken, made]})

    assert (wanted.address, wanted.values) == (ACCOUNT, {"account_id": "default-runner"})


def test_a_permission_says_on_what_and_who_is_google_s_own() -> None:
    """The stack's bucket or that of the state, which account, and Vertex AI's agent by name."""
    agent = "serviceAccount:service-12@gcp-sa-aiplatform.iam.gserviceaccount.com"
    state = "module.identities.google_storage_bucket_iam_member.runner_reads_state[0]"
    acts = 'module.identities.google_service_account_iam_member.runner_acts_as["trainer"]'
    made = {"service_account_id": "projects/p/serviceAccounts/default-predictor@p.iam"}
    admin = "module.identities.google_service_account_iam_member.agent_administers"

    text = lines(
        planned(READERS, "create", after={"bucket": "photos", "members": [agent]}),
        planned(state, "create", after={"bucket": "photos-state", "member": "user:a@b.c"}),
        planned(acts, "create", after={"member": "user:a@b.c"}),
        planned(admin, "create", after={**made, "member": agent}),
    )

    assert {line.partition("(")[2] for line in text if "(" in line} == {
        "bucket): Vertex AI",
        "state bucket): a@b.c",
        "account trainer): a@b.c",
        "account default-predictor): Vertex AI",
    }


def test_what_terraform_only_forgets_is_not_called_deleted() -> None:
    """Quota requests stay with Google, and APIs that are not to be switched off stay on."""
    quota = "module.gpu_quota.google_cloud_quotas_quota_preference.this[0]"
    stays = {"service": "sts.googleapis.com", "disable_on_destroy": False}
    goes = {"service": "iam.googleapis.com", "disable_on_destroy": True}
    planned_all = [
        planned(SERVICE, "delete", before=stays),
        planned(SERVICE, "delete", before=goes),
        planned(quota, "delete", before={"name": "ops-t4"}),
    ]

    found = bootstrap_words.changes({"resource_changes": planned_all})

    assert bootstrap_words.lines(found) == [
        "Forgotten, they stay: 2",
        "  1 API: sts",
        "  1 quota request: ops-t4",
        "WILL BE DELETED: 1",
        "  1 API: iam",
    ]
    assert bootstrap_words.summary(found) == "2 forgotten, 1 deleted"


def test_what_is_lost_is_more_than_permissions() -> None:
    """A repository goes with its images; a permission, or what stays, is nothing lost."""
    images = planned(
        "google_artifact_registry_repository.this", "delete", before={"repository_id": "ops-a"}
    )
    grant = planned(READERS, "delete", before={"role": "roles/storage.objectViewer"})
    api = planned(SERVICE, "delete", before={"service": "sts.googleapis.com"})

    found = bootstrap_words.changes({"resource_changes": [images, grant, api]})

    assert [one.name for one in bootstrap_words.lost(found)] == ["ops-a"]
    assert bootstrap_words.warnings(found) == [
        "image repository ops-a would be deleted with every image in it."
    ]
