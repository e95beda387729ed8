"""What is looked at before a command spends on Google, and what it says when something lacks."""

import json
import re
from collections.abc import Iterator

import pytest

from tests.google_proxy import Exchange, Fault
from tests.journey.google_journey import PROJECT, GoogleUser, google_user
from tests.ops.conftest import Ran

BUCKET = f"{PROJECT}-ops-default"


@pytest.fixture(scope="module")
def user(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GoogleUser]:
    """A user whose stack is prepared, and whom the server knows."""
    with google_user(tmp_path_factory.mktemp("google"), "--require-auth") as found:
        found.prepare()
        yield found


def member(user: GoogleUser) -> str:
    """The key's account, as a member of policies."""
    return "serviceAccount:" + str(json.loads(user.key.read_text())["client_email"])


def refusal(ran: Ran) -> dict[str, str]:
    """The error of a command with --json."""
    return dict(json.loads(ran.out)["error"])


def changes(exchanges: list[Exchange]) -> list[str]:
    """The requests that make or change something, of those that `ops` sent."""
    reading = ("/token", ":testIamPermissions")
    sent = [one for one in exchanges if one.method != "GET"]
    return [one.target for one in sent if not one.target.split("?")[0].endswith(reading)]


def begun(user: GoogleUser, *words: str) -> tuple[Ran, list[str]]:
    """How a command ended, and what it changed."""
    before = len(user.proxy.exchanges)
    ran = user.run(*words, "--json")
    return ran, changes(user.proxy.exchanges[before:])


def test_a_service_that_is_not_enabled(user: GoogleUser) -> None:
    """Nothing is begun; the command that enables it is named."""
    vertex = "aiplatform.googleapis.com"
    user.posted(f"/v1/projects/{PROJECT}/services/{vertex}:disable", {})

    ran, changed = begun(user, "import-dataset", "photos")
    user.posted(f"/v1/projects/{PROJECT}/services/{vertex}:enable", {})

    assert (ran.code, refusal(ran)["code"], changed) == (4, "not-prepared", [])
    assert f"Services: not enabled: {vertex}" in refusal(ran)["message"]
    assert f"gcloud services enable {vertex} --project {PROJECT}" in refusal(ran)["hint"]


def test_doctor_finds_that_a_gpu_cannot_be_had(user: GoogleUser) -> None:
    """What is there, what is asked, and Terraform's variable that asks for more."""
    ran = user.run("doctor", "--job", "custom", "--accelerator", "L4", "--json")

    checks = {one["name"]: one for one in json.loads(ran.out)["result"]["checks"]}
    quota = checks["Quota"]
    assert quota["level"] == "failure"
    assert "CustomModelTrainingL4GPUsPerProjectPerRegion in us-central1: 0" in quota["found"]
    assert "gpu_quota = " in quota["fix"]


@pytest.mark.parametrize(
    ("words", "variables", "failed", "fix"),
    [
        ((), {"GOOGLE_APPLICATION_CREDENTIALS": "/nowhere/key.json"}, "Credentials", "gcloud auth"),
        (("--project", "somebody-elses"), {}, "Project", "gcloud projects list"),
    ],
)
def test_doctor_stops_asking_where_nothing_would_be_answered(
    user: GoogleUser, words: tuple[str, ...], variables: dict[str, str], failed: str, fix: str
) -> None:
    """Without credentials, or without the project: one failure, and the checks of the machine."""
    ran = user.run("doctor", "--json", *words, **variables)

    checks = {one["name"]: one for one in json.loads(ran.out)["result"]["checks"]}
    assert checks[failed]["level"] == "failure"
    assert checks[failed]["fix"].startswith(fix)
    assert {"Python", "Disk", "Terraform", "Provider", "Region"} < set(checks)
    assert not {"Billing", "Services", "Quota"} & set(checks)
    assert ran.code == 1


def test_doctor_does_not_wait_for_what_is_away(user: GoogleUser) -> None:
    """The other commands try for two minutes, which is more than this test would wait."""
    user.proxy.faults.append(Fault(r"^GET cloudresourcemanager", 503, times=10_000))

    ran = user.run("doctor", "--json")
    user.proxy.faults.clear()

    checks = {one["name"]: one for one in json.loads(ran.out)["result"]["checks"]}
    assert checks["Project"]["level"] == "failure"
    assert checks["Project"]["found"].startswith("no answer: ")


def test_permissions_that_are_missing_are_named_with_the_role_to_grant(user: GoogleUser) -> None:
    """Granting the roles that the hint names is enough for the command to go through."""
    # Who may still say who may what, and see the bucket.
    kept = ("roles/resourcemanager.projectIamAdmin", "roles/storage.bucketViewer")
    owner = [{"role": role, "members": [member(user)]} for role in kept]
    viewer = [{"role": "roles/serviceusage.serviceUsageViewer", "members": [member(user)]}]
    policy = f"/v1/projects/{PROJECT}:setIamPolicy"
    user.posted(policy, {"policy": {"bindings": [*owner, *viewer]}})

    ran, changed = begun(user, "import-dataset", "photos")
    hint = refusal(ran)["hint"]
    roles = re.findall(r"--role=(\S+)", hint)
    granted = [{"role": role, "members": [member(user)]} for role in roles]
    user.posted(policy, {"policy": {"bindings": [*owner, *viewer, *granted]}})
    done, _ = begun(user, "import-dataset", "photos")

    assert (ran.code, refusal(ran)["code"], changed) == (7, "denied", [])
    assert "aiplatform.datasets.create" in refusal(ran)["message"]
    assert f"--member={member(user)} --role=roles/aiplatform.user" in hint
    assert "roles/storage.objectAdmin" in roles and "roles/owner" not in roles
    assert done.code == 0, done.err


def test_doctor_looks_at_the_same_and_at_more(user: GoogleUser) -> None:
    """A line each, in order; without billing and Terraform's rights the stack still works."""
    ran = user.run("doctor", "--json")

    checks = {one["name"]: one for one in json.loads(ran.out)["result"]["checks"]}
    assert [*checks] == [
        *("Python", "Disk", "Terraform", "Provider", "Region", "Clock", "Credentials", "Project"),
        *(
            "Billing",
            "Services",
            "Permissions",
            "Policies",
            "Bucket",
            "Agent",
            "Accounts",
            "State lock",
        ),
        *("Quota", "Images"),
    ]
    well = ("Clock", "Credentials", "Project", "Permissions", "Policies", "Bucket", "State lock")
    assert {checks[name]["level"] for name in well} == {"ok"}, checks
    assert checks["Credentials"]["found"] == member(user)
    assert checks["Bucket"]["found"].startswith(f"gs://{BUCKET} in us-central1")
    assert checks["Billing"]["level"] == "failure"
    assert checks["Quota"]["found"].startswith("not seen: ")
    assert (ran.code, refusal(ran)["code"]) == (1, "check-failed")
    assert user.outside() == set()


def test_a_stack_that_is_not_prepared(user: GoogleUser) -> None:
    """Without its bucket nothing is begun."""
    ran, changed = begun(user, "import-dataset", "photos", "--stack", "unprepared")

    assert (ran.code, refusal(ran)["code"], changed) == (4, "not-prepared", [])
    assert refusal(ran)["hint"] == "Type:\n  make bootstrap"


def test_nothing_is_spent_that_was_not_agreed_to(user: GoogleUser) -> None:
    """Without a terminal and without --yes: the price, what to add, and nothing begun."""
    user.result("import-dataset", "photos")

    ran, changed = begun(user, "train")

    assert (ran.code, refusal(ran)["code"], changed) == (5, "needs-yes", [])
    assert refusal(ran)["hint"] == "Add --yes to agree."
    assert "Price: " in ran.err and "$27.72" in ran.err
