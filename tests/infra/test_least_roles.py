"""The roles of the stack's accounts are exactly enough: the journey, and the journey less one role.

With the real provider the stack is Terraform's; without it, the same grants are made by hand. IAM
is enforced: every command acts as the runner (`OPS_IMPERSONATE`).
"""

from __future__ import annotations

import io
import json
import re
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from tests.infra.stack_grants import (
    ACCOUNTS,
    BUCKET,
    BUCKET_ITSELF,
    GRANTS,
    IMAGES,
    PROJECT,
    PROJECT_ITSELF,
    REPOSITORY,
    STACK,
    STATE,
    STATE_BUCKET,
    Grant,
    Prepared,
    by_hand,
)
from tests.infra.terraform_stack import prepared, provider_version
from tests.local_cloud import ROOT, LocalCloud, running_cloud, wait_until
from tests.ops.conftest import Ran
from tests.ops.life import Life, engine_options, write_photos
from tests.ops.tiny_custom_engine import DEADLY

RESOURCES = (PROJECT_ITSELF, BUCKET_ITSELF, STATE, IMAGES, "predictor", "runner", "trainer")
CUSTOM = ("train", "--dataset", "photos", "--mode", "custom", "--model-type")
AUTOML_MODEL, CUSTOM_MODEL = f"{STACK}-photos-automl", f"{STACK}-photos-custom"


@dataclass(frozen=True)
class Runner:
    """Somebody whose every command acts as the stack's runner, and the project's owner beside."""

    life: Life
    owner: Prepared

    def run(self, *words: str, **variables: str) -> Ran:
        """How a command ended."""
        return self.life.run(*words, OPS_IMPERSONATE=self.owner.email("runner"), **variables)

    def result(self, *words: str) -> dict[str, Any]:
        """The result of a command that must end well."""
        ran = self.run(*words, "--json")
        assert ran.code == 0, f"{words}: {ran.err}"
        return dict(ran.json["result"])

    def http(self) -> httpx.Client:
        """HTTP as the runner."""
        path = f"/v1/projects/-/serviceAccounts/{self.owner.email('runner')}:generateAccessToken"
        body = {"scope": ["https://www.googleapis.com/auth/cloud-platform"]}
        token = self.owner.http.post(path, json=body).raise_for_status().json()["accessToken"]
        headers = {"authorization": f"Bearer {token}"}
        return httpx.Client(base_url=self.life.cloud.url, headers=headers, timeout=30)


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """A local cloud whose engines train in a blink."""
    folder = tmp_path_factory.mktemp("least")
    (folder / "home").mkdir()
    (folder / "home" / "gate").touch()
    with running_cloud(
        folder / "cloud", *engine_options(folder / "home"), "--build-seconds", "0.1"
    ) as server:
        yield server


@pytest.fixture(scope="module")
def stack(cloud: LocalCloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prepared]:
    """The stack, applied by the real provider where there is one."""
    with httpx.Client(base_url=cloud.url, timeout=60) as http:
        if not provider_version(tmp_path_factory.mktemp("provider"))[0]:
            yield by_hand(cloud, http)
            return
        number = http.get(f"/v1/projects/{PROJECT}").json()["projectNumber"]
        made = prepared(
            cloud, tmp_path_factory.mktemp("stack"),
            automl_members=[], bucket_name=BUCKET, bucket_versioning=False, budget=None,
            contact_email=None, github=None, gpu_quota={}, owner="you", project_id=PROJECT,
            project_number=number, runner_may_bootstrap=False, stack=STACK,
            state_bucket=STATE_BUCKET,
        )  # fmt: skip
        made.apply()
        yield Prepared(http)


@pytest.fixture(scope="module")
def runner(cloud: LocalCloud, stack: Prepared) -> Runner:
    """The runner, who has taken the stack over and has photos, not imported yet."""
    home = cloud.data.parent / "home"
    write_photos(home / "photos")
    found = Runner(Life(cloud, home, cloud.data), stack)
    taken = found.result("bootstrap", "--read-only")
    assert taken["outputs"]["trainer_email"] == stack.email("trainer")
    return found


@pytest.fixture(scope="module")
def trained(runner: Runner) -> dict[str, Any]:
    """Photos imported and a model of each kind, all as the runner; the custom training's result."""
    runner.result("import-dataset", "photos")
    runner.result("train", "--dataset", "photos")
    return runner.result(*CUSTOM, "cnn", "--epochs", "1")


def test_the_table_is_what_the_terraform_files_grant() -> None:
    """Every role that a module grants to accounts of the stack, and no other."""
    files = {
        "identities/grants.tf": (PROJECT_ITSELF, "predictor", "runner", "trainer", STATE),
        "bucket/main.tf": (BUCKET_ITSELF,),
        "registry/main.tf": (IMAGES,),
    }
    for name, resources in files.items():
        text = (ROOT / "infra" / "modules" / name).read_text()
        named = set(re.findall(r'"(roles/[\w.]+)"', text))
        assert named == {one.role for one in GRANTS if one.on in resources}, name


def test_every_account_has_what_the_table_says(stack: Prepared) -> None:
    """Asked of the policies, whoever made them; Google's own grant to its agent is not ours."""
    found = {grant for on in RESOURCES for grant in stack.granted(on)}

    assert {one for one in found if one.on != PROJECT_ITSELF or one.to != "agent"} == set(GRANTS)


def test_the_journey_as_the_runner(runner: Runner, trained: dict[str, Any]) -> None:
    """Both kinds are evaluated, checked, served as the predictor, asked, priced and taken off."""
    photo = str(next((runner.life.home / "photos" / "t-shirt").glob("*.png")))

    checks = runner.result("doctor", "--job", "custom", "--accelerator", "T4")["checks"]
    assert "cloudquotas" not in json.dumps(checks)
    assert runner.result("evaluate", "--model", AUTOML_MODEL)
    assert runner.result("evaluate", "--model", CUSTOM_MODEL)
    runner.result("deploy", "--model", AUTOML_MODEL, "--check")
    assert runner.result("predict", photo)["predictions"][0]["prediction"] == "t-shirt"
    runner.result("undeploy")
    runner.result("deploy", "--model", CUSTOM_MODEL)
    (endpoint,) = runner.life.listed("endpoints")
    assert runner.result("predict", photo)["predictions"][0]["prediction"] == "t-shirt"
    said = runner.run("logs", str(trained["run"]))
    runner.result("cost-report")
    runner.result("undeploy")

    (served,) = endpoint["deployedModels"]
    assert served["serviceAccount"] == runner.owner.email("predictor")
    jobs = runner.life.listed("customJobs")
    assert {job["jobSpec"]["serviceAccount"] for job in jobs} == {runner.owner.email("trainer")}
    assert said.code == 0 and said.out


def one_less(grant: Grant) -> str:
    """A test's name."""
    return f"{grant.to} {grant.role.removeprefix('roles/')} on {grant.on}"


def granted(on: str, role: str, to: str, only: str = "") -> Grant:
    """A row of the table, which must have it."""
    found = Grant(on, role, to, only)
    assert found in GRANTS
    return found


# Without the first, the command fails, and what it says has the second.
REFUSED = [
    (granted(PROJECT_ITSELF, "roles/aiplatform.user", "runner"), ("status",), "aiplatform."),
    (
        granted(PROJECT_ITSELF, "roles/logging.viewer", "runner"),
        ("logs", "{run}"),
        "logging.logEntries.list",
    ),
    (
        granted(PROJECT_ITSELF, "roles/serviceusage.serviceUsageConsumer", "runner"),
        ("import-dataset", "photos"),
        "serviceusage.services.",
    ),
    (
        granted(BUCKET_ITSELF, "roles/storage.objectViewer", "runner"),
        ("runs",),
        "storage.objects.get",
    ),
    (
        granted(BUCKET_ITSELF, "roles/storage.legacyBucketWriter", "runner"),
        ("import-dataset", "photos"),
        "storage.buckets.get",
    ),
    (
        granted(STATE, "roles/storage.objectViewer", "runner"),
        ("bootstrap", "--read-only"),
        "storage.objects.get",
    ),
    (
        granted("trainer", "roles/iam.serviceAccountUser", "runner"),
        (*CUSTOM, "cnn", "--epochs", "2"),
        "You do not have permission to act as service_account: default-trainer@",
    ),
    (
        granted("predictor", "roles/iam.serviceAccountUser", "runner"),
        ("deploy", "--model", CUSTOM_MODEL),
        "You do not have permission to act as service_account: default-predictor@",
    ),
    (
        granted(BUCKET_ITSELF, "roles/storage.objectViewer", "predictor"),
        ("deploy", "--model", CUSTOM_MODEL),
        "does not have `[storage.objects.get]`",
    ),
    (
        granted(BUCKET_ITSELF, "roles/storage.objectUser", "trainer", "runs/"),
        (*CUSTOM, "cnn", "--epochs", "3"),
        "does not have `[storage.objects.create]`",
    ),
]


# What is taken away in tests of their own.
READS = granted(BUCKET_ITSELF, "roles/storage.objectViewer", "trainer")
LOGS = granted(PROJECT_ITSELF, "roles/logging.logWriter", "trainer")
QUOTAS = granted(PROJECT_ITSELF, "roles/cloudquotas.viewer", "runner")
PUSHES = granted(IMAGES, "roles/artifactregistry.writer", "runner")
BUILDS = granted(PROJECT_ITSELF, "roles/cloudbuild.builds.editor", "runner")
ITSELF = granted("runner", "roles/iam.serviceAccountUser", "runner")
ELSEWHERE = {READS, LOGS, QUOTAS, PUSHES, BUILDS, ITSELF}


@pytest.mark.parametrize(
    ("grant", "words", "missing"), REFUSED, ids=[one_less(one[0]) for one in REFUSED]
)
def test_without_one_role_the_journey_stops(
    runner: Runner, trained: dict[str, Any], grant: Grant, words: tuple[str, ...], missing: str
) -> None:
    """At a step that needs it, with the permission that is missing."""
    typed = [word.format(run=trained["run"]) for word in words]

    with runner.owner.without(grant):
        ran = runner.run(*typed)

    assert ran.code != 0
    assert missing in ran.err
    assert "--target gcp" not in ran.err


@pytest.mark.usefixtures("trained")
def test_a_trainer_that_may_not_read_the_photos(runner: Runner) -> None:
    """Its training fails, and the log has the permission that is missing."""
    with runner.owner.without(READS):
        ran = runner.run(*CUSTOM, "cnn", "--epochs", "4")

    assert "does not have `[storage.objects.get]`" in log(runner, ran)


@pytest.mark.usefixtures("trained")
def test_a_trainer_that_may_not_write_logs(runner: Runner) -> None:
    """Its log has, in place of what the training says, which permission is missing."""
    with runner.owner.without(LOGS):
        ran = runner.run(*CUSTOM, "cnn", "--epochs", DEADLY)

    assert "Permission 'logging.logEntries.create' denied" in log(runner, ran)


def log(runner: Runner, failed: Ran) -> str:
    """The log of a training that failed."""
    run = re.search(r"The training (train-\S+) failed", failed.err)
    assert run is not None, failed.err
    return runner.run("logs", run[1]).out


def test_a_runner_that_may_not_ask_for_quotas(runner: Runner) -> None:
    """A check of `ops doctor` is not seen, for want of the permission."""
    words = ("doctor", "--job", "custom", "--accelerator", "T4")

    with runner.owner.without(QUOTAS):
        ran = runner.run(*words)

    assert "not seen: Permission 'cloudquotas.quotas.get' denied" in ran.out


def build(http: httpx.Client, project: str, email: str) -> str:
    """How a build of an image as the runner ended, or which permission it was refused for."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        tar.addfile(tarfile.TarInfo("Dockerfile"), io.BytesIO())
    where = {"uploadType": "media", "name": "builds/source/source.tar.gz"}
    path = f"/upload/storage/v1/b/{BUCKET}/o"
    http.post(path, params=where, content=packed.getvalue()).raise_for_status()
    image = f"{REPOSITORY.split('/')[3]}-docker.pkg.dev/{project}/ops-{STACK}/trainer:src-1"
    body = {
        "source": {"storageSource": {"bucket": BUCKET, "object": where["name"]}},
        "steps": [
            {"name": "gcr.io/cloud-builders/docker", "args": ["build", f"--tag={image}", "."]}
        ],
        "images": [image],
        "serviceAccount": f"projects/{project}/serviceAccounts/{email}",
        "logsBucket": f"gs://{BUCKET}/builds/logs",
    }
    builds = f"/v1/{REPOSITORY.partition('/repositories')[0]}/builds"
    answer = http.post(builds, json=body).json()
    if "error" in answer:
        return str(answer["error"]["message"])
    one = f"{builds}/{answer['metadata']['build']['id']}"
    wait_until(lambda: http.get(one).json()["status"] not in ("QUEUED", "WORKING"), 30)
    found = http.get(one).json()
    return str(found.get("statusDetail", found["status"]))


def test_a_runner_that_may_not_build_or_push_images(runner: Runner) -> None:
    """An image is built as the runner by the runner; without one of three roles it is not."""
    email = runner.owner.email("runner")

    with runner.http() as http:
        whole = build(http, PROJECT, email)
        said = {}
        for grant in (BUILDS, ITSELF, PUSHES):
            with runner.owner.without(grant):
                said[grant] = build(http, PROJECT, email)

    assert whole == "SUCCESS"
    assert "cloudbuild.builds.create" in said[BUILDS]
    assert "iam.serviceAccounts.actAs" in said[ITSELF]
    assert "artifactregistry.repositories.uploadArtifacts" in said[PUSHES]


def test_every_role_is_taken_away_once() -> None:
    """But for those of Vertex AI's agent, whose own role in the project is Google's."""
    assert {one[0] for one in REFUSED} | ELSEWHERE == {one for one in GRANTS if one.to in ACCOUNTS}


@pytest.mark.usefixtures("trained")
def test_the_teardown_as_the_runner(runner: Runner) -> None:
    """Everything of Vertex AI goes; what Terraform made stays, and the runner may not delete it."""
    runner.result("teardown", "--keep-infrastructure", "--yes")

    kinds = ("endpoints", "models", "datasets", "trainingPipelines", "customJobs")
    assert [runner.life.listed(kind) for kind in kinds] == [[]] * len(kinds)
    assert runner.owner.http.get(f"/storage/v1/b/{BUCKET}").status_code == 200
    assert json.loads((runner.life.home / "state" / "default.json").read_text())["stacks"]
