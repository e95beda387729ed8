"""What doctor asks Google, of a local cloud in Google's place: each check well and ill."""

import json
import re
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
from google.auth.credentials import AnonymousCredentials
from google.oauth2.credentials import Credentials

from ops import settings
from ops.cloud import projects
from ops.cloud.session import Session
from ops.workflows import doctor, doctor_google, doctor_stack, preflight, records
from ops.workflows.doctor_check import Case, Check, Job, Level
from ops.workflows.doctor_google import Visit
from tests.local_cloud import ROOT, LocalCloud, running_cloud


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """A local cloud for all tests, each with a project of its own."""
    with running_cloud(tmp_path_factory.mktemp("there") / "cloud") as cloud:
        yield cloud


class Project:
    """A project on it, seen by a session whose target is gcp."""

    def __init__(self, cloud: LocalCloud, id: str, folder: Path) -> None:
        self.url, self.id, self.folder = cloud.url, id, folder
        self.bucket = f"{id}-ops-default"

    def visit(self, job: Job | None = None, credentials: Any = None, **flags: str) -> Visit:
        """A visit by the owner, or by whose credentials these are."""
        given = {"target": "gcp", "project": self.id, **flags}
        environ = {settings.STATE_DIR: str(self.folder / ".ops")}
        case = Case(settings.read(given, environ, self.folder), job or Job())
        who = credentials or AnonymousCredentials()  # type: ignore[no-untyped-call]
        return doctor_google.visit(case, Session(case.settings, who, base_url=self.url))

    def sent(self, method: str, path: str, body: object) -> dict[str, Any]:
        """What the server answers to its owner."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        request = Request(self.url + path, data, method=method)
        request.add_header("Content-Type", "application/json")
        with urlopen(request) as answer:
            found: dict[str, Any] = json.load(answer)
        return found

    def has_bucket(self, name: str = "", location: str = "us-central1") -> None:
        """The stack's bucket, or another."""
        made = {"name": name or self.bucket, "location": location}
        self.sent("POST", f"/storage/v1/b?project={self.id}", made)

    def policy(self, constraint: str, *rules: dict[str, Any]) -> None:
        """An organisation policy."""
        body = {"name": f"projects/{self.id}/policies/{constraint}", "spec": {"rules": rules}}
        self.sent("POST", f"/v2/projects/{self.id}/policies", body)

    def somebody(self) -> Credentials:
        """Credentials of an account that may only see the project and its bucket."""
        accounts = f"/v1/projects/{self.id}/serviceAccounts"
        email = self.sent("POST", accounts, {"accountId": "somebody"})["email"]
        roles = ("roles/browser", "roles/storage.bucketViewer")
        bindings = [{"role": role, "members": [f"serviceAccount:{email}"]} for role in roles]
        policy = {"policy": {"bindings": bindings}}
        self.sent("POST", f"/v1/projects/{self.id}:setIamPolicy", policy)
        scope = {"scope": ["https://www.googleapis.com/auth/cloud-platform"]}
        path = f"/v1/projects/-/serviceAccounts/{email}:generateAccessToken"
        return Credentials(self.sent("POST", path, scope)["accessToken"])  # type: ignore[no-untyped-call]

    def switch(self, service: str, verb: str) -> None:
        """A service on or off (`enable`, `disable`)."""
        self.sent("POST", f"/v1/projects/{self.id}/services/{service}:{verb}", {})


@pytest.fixture
def project(there: LocalCloud, request: pytest.FixtureRequest, tmp_path: Path) -> Project:
    """A project that no other test uses."""
    number = zlib.crc32(request.node.nodeid.encode())
    return Project(there, f"doctor-{number:010d}", tmp_path)


def test_billing(project: Project) -> None:
    """Off until an account pays; the command that links one is named."""
    off = doctor_google.billing(project.visit())
    account = {"billingAccountName": "billingAccounts/012345-567890-ABCDEF"}
    project.sent("PUT", f"/v1/projects/{project.id}/billingInfo", account)
    on = doctor_google.billing(project.visit())

    assert (off.level, on.level) == (Level.FAILURE, Level.OK)
    assert off.fix == f"gcloud billing projects link {project.id} --billing-account=ACCOUNT"
    assert on.found == "on, billingAccounts/012345-567890-ABCDEF"


@pytest.mark.parametrize(
    ("service", "level", "fix"),
    [
        ("aiplatform.googleapis.com", Level.FAILURE, "gcloud services enable "),
        ("cloudquotas.googleapis.com", Level.WARNING, "make bootstrap"),
    ],
)
def test_a_service_that_is_off(project: Project, service: str, level: Level, fix: str) -> None:
    """A failure when the commands need it, a warning when bootstrap enables it."""
    project.switch(service, "disable")

    check = doctor_google.services(project.visit())

    assert check.level is level
    assert check.found.startswith("not enabled: ") and service in check.found
    assert check.fix.startswith(fix)


def test_the_services_are_those_that_infra_enables() -> None:
    """The list of needs.toml is the one of infra/modules/services, and has what commands need."""
    text = (ROOT / "infra" / "modules" / "services" / "main.tf").read_text()
    always = re.search(r"\balways = \[(.*?)\]", text, re.DOTALL)

    assert always is not None
    enabled = re.findall(r'"([a-z.]+)"', always[1])
    assert sorted(preflight.infra_services()) == sorted(enabled)
    assert set(preflight.needs().services) <= set(enabled)


def test_the_bucket_is_in_another_region(project: Project) -> None:
    """A failure when the region was asked for; otherwise the commands go where the bucket is."""
    project.has_bucket(location="europe-west4")

    asked = doctor_stack.bucket(project.visit(region="us-central1"))
    free = doctor_stack.bucket(project.visit())

    assert (asked.level, free.level) == (Level.FAILURE, Level.OK)
    assert "is in europe-west4, and Vertex AI reads from its own region" in asked.found
    assert asked.found.endswith("Received: us-central1")
    assert asked.fix == "--region europe-west4   (or --stack with another name)"
    assert free.found.endswith("commands go there, not to us-central1")


def test_the_bucket_is_where_vertex_is_not(project: Project) -> None:
    """No region can be named for it; another stack can, and nothing has to go."""
    project.has_bucket(location="us")

    check = doctor_stack.bucket(project.visit())

    assert (check.level, "where Vertex AI does not run" in check.found) == (Level.FAILURE, True)
    assert check.fix.startswith("ops bootstrap --stack NAME")


def test_there_is_no_bucket(project: Project) -> None:
    """On Google that is a failure, which bootstrap mends."""
    check = doctor_stack.bucket(project.visit())

    assert (check.level, check.fix) == (Level.FAILURE, "make bootstrap")


def test_the_agent_has_its_role_or_not(project: Project) -> None:
    """Without role and right to read a failure, with that right a warning, with its role well."""
    project.has_bucket()
    lacking = doctor_stack.agent(project.visit())
    number = projects.get(project.visit().session, project.id).number
    member = f"serviceAccount:service-{number}@gcp-sa-aiplatform.iam.gserviceaccount.com"
    service = f"/v1beta1/projects/{project.id}/services/aiplatform.googleapis.com"
    project.sent("POST", f"{service}:generateServiceIdentity", {})
    well = doctor_stack.agent(project.visit())
    project.sent("POST", f"/v1/projects/{project.id}:setIamPolicy", {"policy": {}})
    reader = {"role": "roles/storage.objectViewer", "members": [member]}
    project.sent("PUT", f"/storage/v1/b/{project.bucket}/iam", {"bindings": [reader]})
    reads = doctor_stack.agent(project.visit())

    assert (lacking.level, reads.level, well.level) == (Level.FAILURE, Level.WARNING, Level.OK)
    assert f"--member={member} --role=roles/aiplatform.serviceAgent" in lacking.fix
    assert "imports work and deployments may not" in reads.found


def test_the_accounts_that_jobs_run_as(project: Project) -> None:
    """Well without any, and with those that may be acted as; a failure with one that is gone."""
    none = doctor_stack.accounts(project.visit())
    made = f"/v1/projects/{project.id}/serviceAccounts"
    email = project.sent("POST", made, {"accountId": "default-trainer"})["email"]
    records.note(project.visit().case.settings, records.TERRAFORM, {"trainer_email": email})
    well = doctor_stack.accounts(project.visit())
    somebody = project.visit(credentials=project.somebody())
    refused = doctor_stack.accounts(somebody)
    gone = {"trainer_email": email, "predictor_email": f"gone@{project.id}.iam.gserviceaccount.com"}
    records.note(project.visit().case.settings, records.TERRAFORM, gone)
    missing = doctor_stack.accounts(project.visit())

    assert (none.level, well.level) == (Level.OK, Level.OK)
    assert well.found == f"{email}: may be acted as"
    assert refused.level is Level.FAILURE
    assert refused.fix.startswith(f"gcloud iam service-accounts add-iam-policy-binding {email}")
    assert (missing.level, missing.fix) == (Level.FAILURE, "make bootstrap")


def test_a_lock_that_somebody_holds(project: Project) -> None:
    """Who, since when, and what releases it, by its generation."""
    state = f"{project.bucket}-state"
    free = doctor_stack.lock(project.visit())
    project.has_bucket(state)
    lock = {
        "ID": "1", "Operation": "OperationTypeApply", "Who": "ada@laptop",
        "Created": "2026-11-21T20:15:30.123456789Z",
    }  # fmt: skip
    path = f"/upload/storage/v1/b/{state}/o?uploadType=media&name=infra%2Fdefault.tflock"
    generation = project.sent("POST", path, json.dumps(lock).encode())["generation"]

    held = doctor_stack.lock(project.visit())

    assert (free.level, free.found) == (Level.OK, "free")
    assert held.level is Level.WARNING
    assert "held by ada@laptop since 2026-11-21T20:15:30+00:00 (Apply)" in held.found
    assert held.fix.startswith(f"ops bootstrap --unlock {generation}")


@pytest.mark.parametrize(
    ("seconds", "level"),
    [(0, Level.OK), (90, Level.WARNING), (-90, Level.WARNING), (301 + 5, Level.FAILURE)],
)
def test_a_clock_that_is_off(project: Project, seconds: int, level: Level) -> None:
    """A minute is a warning, five are a failure, both with what sets the clock."""
    session = project.visit().session

    check = doctor_google.clock(session, lambda: time.time() + seconds)

    assert check.level is level
    assert ("timedatectl" in check.fix) is (level is not Level.OK)
    assert seconds == 0 or ("ahead of" if seconds > 0 else "behind") in check.found


def test_a_clock_that_nothing_can_be_compared_with(project: Project) -> None:
    """A target that cannot be reached is another check's failure."""
    nobody = AnonymousCredentials()  # type: ignore[no-untyped-call]
    session = Session(project.visit().session.settings, nobody, "http://127.0.0.1:1")

    assert doctor_google.clock(session).level is Level.WARNING


def test_what_may_not_be_seen_is_a_warning_with_what_to_grant(project: Project) -> None:
    """An account that may only use the project: nothing about policies and quotas is guessed."""
    project.has_bucket()

    visit = project.visit(credentials=project.somebody())
    asked = {name: doctor._asked(name, look, visit) for name, look in doctor._questions()}

    quota = asked["Quota"]
    assert quota.level is Level.WARNING and quota.found.startswith("not seen: ")
    assert asked["Agent"].level is Level.WARNING
    assert asked["Agent"].fix.endswith("--role=roles/iam.securityReviewer")
    assert asked["Permissions"].level is Level.FAILURE


def test_bootstrap_asks_for_billing_and_policies_only(project: Project) -> None:
    """The stack's own checks would fail before there is a stack."""
    checks = doctor.before_bootstrap(project.visit().session)

    assert [check.name for check in checks] == [
        *("Region", "Clock", "Credentials", "Project", "Billing", "Policies")
    ]
    assert [check.name for check in checks if check.level is Level.FAILURE] == ["Billing"]


def test_a_target_that_does_not_answer_is_one_failure(project: Project) -> None:
    """The checks of the machine are shown all the same; nothing is raised."""
    nobody = AnonymousCredentials()  # type: ignore[no-untyped-call]
    local = settings.read({"project": project.id}, {}, project.folder)
    session = Session(local, nobody, base_url="http://127.0.0.1:1")

    checks = doctor.before_bootstrap(session)

    failed = [check for check in checks if check.level is Level.FAILURE]
    assert [check.name for check in failed] == ["Project"]
    assert failed[0].found.startswith("no answer: ")


def is_well(check: Check) -> bool:
    """Whether there is nothing to do."""
    return check.level is Level.OK and not check.fix


def test_images_can_be_built_by_docker_or_by_cloud_build(project: Project, tmp_path: Path) -> None:
    """Either is enough; without both, the command that enables one."""
    visit = project.visit()
    bare = Visit(
        Case(visit.case.settings, environ={"PATH": str(tmp_path)}),
        visit.session, visit.project, visit.bucket,
    )  # fmt: skip
    project.switch("cloudbuild.googleapis.com", "disable")
    neither = doctor_google.images(bare)
    project.switch("cloudbuild.googleapis.com", "enable")
    in_the_cloud = doctor_google.images(bare)
    docker = tmp_path / "docker"
    docker.write_text("#!/bin/sh\necho 27.5.1\n")
    docker.chmod(0o755)
    here = doctor_google.images(bare)

    assert neither.level is Level.WARNING
    assert neither.fix.startswith("gcloud services enable cloudbuild.googleapis.com")
    assert is_well(in_the_cloud) and "Cloud Build" in in_the_cloud.found
    assert is_well(here) and "Docker 27.5.1" in here.found
