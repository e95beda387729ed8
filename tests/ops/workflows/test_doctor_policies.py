"""Organisation policies: which of them break something, and what."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from google.auth.credentials import AnonymousCredentials

from ops import settings
from ops.cloud import org_policies, projects
from ops.cloud.org_policies import Policy
from ops.cloud.session import Session
from ops.cloud.storage import Bucket
from ops.workflows import doctor_policies, records
from ops.workflows.doctor_check import Case, Level
from ops.workflows.doctor_google import Visit
from tests.local_cloud import LocalCloud, running_cloud

BUCKET = Bucket("b", "US-CENTRAL1", {}, 0, datetime(2026, 11, 22, tzinfo=UTC))
GITHUB = '[infra]\ngithub = { owner_id = "1", repository_id = "2" }\n'
PEOPLE = '[infra]\nautoml_members = ["user:ada@example.com"]\n'


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """A local cloud whose policies anybody may set."""
    with running_cloud(tmp_path_factory.mktemp("policies") / "cloud") as cloud:
        yield cloud


def visit(url: str, folder: Path, infra: str = "", **flags: str) -> Visit:
    """A visit of a project without a bucket; `infra` are lines of ops.toml."""
    (folder / "ops.toml").write_text(infra)
    given = {"target": "gcp", "project": "photos-of-a-company", **flags}
    environ = {settings.STATE_DIR: str(folder / ".ops")}
    case = Case(settings.read(given, environ, folder))
    nobody = AnonymousCredentials()  # type: ignore[no-untyped-call]
    project = projects.Project("photos-of-a-company", "123", "ACTIVE")
    return Visit(case, Session(case.settings, nobody, base_url=url), project, None)


def test_policies_of_a_project_are_asked_for_and_judged(there: LocalCloud, tmp_path: Path) -> None:
    """Without one that matters all is well; then the worst is named with how to read it whole."""
    seen = visit(there.url, tmp_path)
    well = doctor_policies.policies(seen)
    name = "projects/photos-of-a-company/policies/gcp.resourceLocations"
    rules = [{"values": {"allowedValues": ["in:eu-locations"]}}]
    body = json.dumps({"name": name, "spec": {"rules": rules}}).encode()
    with urlopen(Request(f"{there.url}/v2/{name.rpartition('/')[0]}", body)) as answer:
        assert answer.status == 200
    ill = doctor_policies.policies(seen)
    found = org_policies.effective(seen.session, "gcp.resourceLocations")

    for constraint in doctor_policies.JUDGES:
        assert org_policies.effective(seen.session, constraint).constraint == constraint
    assert (well.level, well.fix) == (Level.OK, "")
    assert found == Policy("gcp.resourceLocations", allowed=("in:eu-locations",))
    assert ill.level is Level.FAILURE
    assert ill.found == "gcp.resourceLocations allows in:eu-locations, not us-central1"
    assert ill.fix == (
        "gcloud org-policies describe gcp.resourceLocations --project=photos-of-a-company "
        "--effective"
    )


@pytest.mark.parametrize(
    ("allowed", "denied", "region", "level"),
    [
        (["in:us-locations"], [], "us-central1", None),
        (["in:us-central1-locations"], [], "us-central1", None),
        (["us-central1"], [], "us-central1", None),
        (["is:us-central1"], [], "us-central1", None),
        (["in:eu-locations"], [], "europe-west4", None),
        (["in:eu-locations"], [], "europe-west2", Level.FAILURE),
        (["in:europe-locations"], [], "us-central1", Level.FAILURE),
        (["in:us-east1-locations", "us-east4"], [], "us-central1", Level.FAILURE),
        (["in:some-locations"], [], "us-central1", Level.WARNING),
        ([], ["in:us-locations"], "us-central1", Level.FAILURE),
        (["in:us-locations"], ["us-central1"], "us-central1", Level.FAILURE),
        ([], ["in:asia-locations"], "us-central1", None),
        ([], [], "us-central1", None),
    ],
)
def test_where_resources_may_be(
    tmp_path: Path, allowed: list[str], denied: list[str], region: str, level: Level | None
) -> None:
    """Values, groups of a region, a continent and the EU; a group not known here is a warning."""
    seen = visit("", tmp_path, region=region)
    policy = Policy("gcp.resourceLocations", allowed=tuple(allowed), denied=tuple(denied))

    verdict = doctor_policies.locations(policy, seen)

    assert (verdict[0] if verdict else None) is level


@pytest.mark.parametrize(
    ("policy", "infra", "said"),
    [
        (Policy("gcp.restrictServiceUsage"), "", ""),
        (
            Policy("gcp.restrictServiceUsage", denied=("aiplatform.googleapis.com",)),
            "",
            "forbids aiplatform.googleapis.com",
        ),
        (Policy("gcp.restrictNonCmekServices", denied=("bigquery.googleapis.com",)), "", ""),
        (
            Policy("gcp.restrictNonCmekServices", denied=("is:storage.googleapis.com",)),
            "",
            "asks for your own encryption keys in storage.googleapis.com",
        ),
        (Policy("iam.disableServiceAccountCreation"), "", ""),
        (Policy("iam.disableServiceAccountCreation", enforced=True), "", "forbids the service"),
        (Policy("iam.allowedPolicyMemberDomains", allowed=("C0abc",)), "", ""),
        (
            Policy("iam.allowedPolicyMemberDomains", allowed=("C0abc",)),
            PEOPLE,
            "lets C0abc have roles",
        ),
        (Policy("iam.workloadIdentityPoolProviders", denies_all=True), "", ""),
        (
            Policy("iam.workloadIdentityPoolProviders", denies_all=True),
            GITHUB,
            "does not allow https://token.actions.githubusercontent.com",
        ),
        (
            Policy("storage.softDeletePolicySeconds", allowed=("604800",)),
            "",
            "wants deleted objects kept 7 days",
        ),
        (
            Policy("storage.softDeletePolicySeconds", allowed=("604800",)),
            "[infra]\nbucket_soft_delete_days = 7\n",
            "",
        ),
        (Policy("storage.retentionPolicySeconds", allowed=("0", "60")), "", ""),
        (Policy("storage.retentionPolicySeconds", allowed=("60",)), "", "wants a retention policy"),
    ],
)
def test_what_breaks(tmp_path: Path, policy: Policy, infra: str, said: str) -> None:
    """Each constraint breaks only what is really going to be done."""
    seen = visit("", tmp_path, infra)

    verdict = doctor_policies.JUDGES[policy.constraint](policy, seen)

    assert (verdict[1] if verdict else "")[: len(said) or None] == said


def test_what_is_there_already_stays(tmp_path: Path) -> None:
    """Policies are not retroactive: accounts and bucket of a stack that stands are no matter."""
    seen = visit("", tmp_path)
    standing = Visit(seen.case, seen.session, seen.project, BUCKET)
    records.note(seen.case.settings, records.TERRAFORM, {"trainer_email": "trainer@example.com"})
    made = Policy("iam.disableServiceAccountCreation", enforced=True)
    kept = Policy("storage.softDeletePolicySeconds", allowed=("604800",))

    assert doctor_policies.accounts(made, standing) is None
    assert doctor_policies.soft_delete(kept, standing) is None
