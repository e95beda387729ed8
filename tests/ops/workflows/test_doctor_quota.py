"""Which quota a job needs, and what doctor says of it."""

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from google.auth.credentials import AnonymousCredentials

from ops import settings
from ops.cloud import projects, quotas
from ops.cloud.session import Session
from ops.workflows import doctor_quota
from ops.workflows.doctor_check import Case, Job, Level
from ops.workflows.doctor_google import Visit
from tests.local_cloud import LocalCloud, running_cloud

T4, L4, A100 = "NVIDIA_TESLA_T4", "NVIDIA_L4", "NVIDIA_TESLA_A100"


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """A local cloud that has the quotas of Google's page."""
    with running_cloud(tmp_path_factory.mktemp("quotas") / "cloud") as cloud:
        yield cloud


def visit(cloud: LocalCloud, job: Job, folder: Path, infra: str = "", **flags: str) -> Visit:
    """A visit for a job; `infra` are lines of ops.toml."""
    (folder / "ops.toml").write_text(infra)
    given = {"target": "gcp", "project": "photos-of-a-company", **flags}
    case = Case(settings.read(given, {}, folder), job)
    nobody = AnonymousCredentials()  # type: ignore[no-untyped-call]
    session = Session(case.settings, nobody, base_url=cloud.url)
    return Visit(case, session, projects.get(session, case.settings.project), None)


@pytest.mark.parametrize(
    ("job", "named"),
    [
        (Job("custom", T4), ["CustomModelTrainingT4GPUs", "CustomModelTrainingCPUs"]),
        (Job("custom", L4), ["CustomModelTrainingL4GPUs"]),
        (Job("custom", L4, is_spot=True), ["CustomModelTrainingPreemptibleL4GPUs"]),
        (Job("serving", A100), ["CustomModelServingA100GPUs"]),
        (Job("serving"), ["CustomModelServingCPUs"]),
        (Job("custom"), ["CustomModelTrainingCPUs"]),
        (
            Job("custom", T4, is_spot=True),
            ["CustomModelTrainingPreemptibleT4GPUs", "CustomModelTrainingPreemptibleCPUs"],
        ),
    ],
)
def test_training_spot_and_serving_have_each_their_own(job: Job, named: list[str]) -> None:
    """An accelerator on an N1 machine takes CPUs of N1's quota too; others bring their machine."""
    wanted = doctor_quota.wanted(job)

    assert [one.name.id for one in wanted] == [f"{name}PerProjectPerRegion" for name in named]


@pytest.mark.parametrize(
    ("job", "level", "said"),
    [
        (
            Job("serving", T4),
            Level.OK,
            "CustomModelServingT4GPUsPerProjectPerRegion in us-central1: 12, asked 1",
        ),
        (
            Job("custom", L4),
            Level.FAILURE,
            "CustomModelTrainingL4GPUsPerProjectPerRegion in us-central1: 0, asked 1",
        ),
        (
            Job("serving", T4, 16),
            Level.FAILURE,
            "CustomModelServingT4GPUsPerProjectPerRegion in us-central1: 12, asked 16",
        ),
        (
            Job("serving"),
            Level.OK,
            "CustomModelServingCPUsPerProjectPerRegion in us-central1: 2,200, asked 2",
        ),
    ],
)
def test_what_is_there_and_what_is_asked(
    there: LocalCloud, tmp_path: Path, job: Job, level: Level, said: str
) -> None:
    """Enough, too little and nothing at all."""
    check = doctor_quota.quota(visit(there, job, tmp_path))

    assert check.level is level
    assert said in check.found


def test_too_little_says_what_asks_for_more(there: LocalCloud, tmp_path: Path) -> None:
    """Terraform's variable as it stands in ops.toml; the address only if none is set."""
    job = Job("custom", L4, 2)
    unknown = doctor_quota.quota(visit(there, job, tmp_path))
    line = '[infra]\ncontact_email = "ada@example.com"\n'
    known = doctor_quota.quota(visit(there, job, tmp_path, line))

    row = '{ gpu = "NVIDIA_L4", use = "training", count = 2 }'
    assert f"gpu_quota = {{ l4 = {row} }}" in unknown.fix
    assert "contact_email" in unknown.fix and "contact_email" not in known.fix
    assert known.fix.startswith("ops bootstrap")


def test_what_was_granted_counts(there: LocalCloud, tmp_path: Path) -> None:
    """After a preference that was granted, there is enough."""
    body = {
        "service": quotas.SERVICE,
        "quotaId": "CustomModelTrainingV100GPUsPerProjectPerRegion",
        "quotaConfig": {"preferredValue": "9"},
        "dimensions": {"region": "us-central1"},
        "contactEmail": "ada@example.com",
    }
    path = "/v1/projects/photos-of-a-company/locations/global/quotaPreferences?quotaPreferenceId=v"
    job = Job("serving")
    seen = visit(there, job, tmp_path).session
    name = "CustomModelTrainingV100GPUsPerProjectPerRegion"
    before = quotas.get(seen, name)
    with urlopen(Request(there.url + path, json.dumps(body).encode(), method="POST")) as answer:
        assert answer.status == 200
    after = quotas.get(seen, name)

    assert before is not None and after is not None
    assert (before.has(7), after.has(7)) == (False, True)


def test_a_quota_by_its_metric(there: LocalCloud, tmp_path: Path) -> None:
    """Where Google calls the quota something else, the metric of the refusal finds it."""
    seen = visit(there, Job(), tmp_path).session

    found = quotas.by_metric(seen, "custom_model_serving_cpus")

    assert quotas.get(seen, "CustomModelServingCPUs") is None
    assert quotas.by_metric(seen, "custom_model_nothing") is None
    assert found is not None
    assert found.id == "CustomModelServingCPUsPerProjectPerRegion"


def test_a_region_in_which_there_is_no_such_accelerator(there: LocalCloud, tmp_path: Path) -> None:
    """Google lists the regions of a quota: one that is not among them does not offer it."""
    check = doctor_quota.quota(visit(there, Job("serving", T4), tmp_path, region="us-west8"))

    assert check.level is Level.FAILURE
    assert "Google lists none in us-west8" in check.found


def test_automl_has_its_own(there: LocalCloud, tmp_path: Path) -> None:
    """How many train, of how many at a time; a GPU changes nothing, and that is said."""
    plain = doctor_quota.quota(visit(there, Job("automl"), tmp_path))
    with_gpu = doctor_quota.quota(visit(there, Job("automl", T4), tmp_path))

    assert plain.level is Level.OK
    assert plain.found.startswith("AutoML: 0 of 5 trainings at a time run (Google's default)")
    assert with_gpu.level is Level.WARNING
    assert "it takes neither --accelerator nor --spot" in with_gpu.found


@pytest.mark.parametrize(
    ("running", "nodes", "level", "said"),
    [
        (4, 10, Level.OK, "AutoML: 4 of 5 trainings"),
        (5, 10, Level.FAILURE, "AutoML: 5 of 5 trainings"),
        (0, 0, Level.FAILURE, "AutoMLImageClassificationDeployedModelNodes: 0, asked 1"),
        (0, None, Level.OK, "Cloud Quotas lists none of AutoML's here"),
    ],
)
def test_automl_has_no_room(running: int, nodes: int | None, level: Level, said: str) -> None:
    """When as many train as may, or no node may serve."""
    there = [quotas.Quota(doctor_quota.AUTOML_NODES, "", nodes)]

    check = doctor_quota.automl(running, there, Job("automl"), "console")

    assert check.level is level
    assert said in check.found


def test_without_a_job_where_there_is_no_automl(there: LocalCloud, tmp_path: Path) -> None:
    """Nothing is asked about: which quota counts is not known."""
    check = doctor_quota.quota(visit(there, Job(), tmp_path, region="us-east1"))

    assert (check.level, check.found) == (
        Level.OK,
        "us-east1 has no AutoML; name a job: --job custom",
    )


@pytest.mark.parametrize(
    ("rows", "value"),
    [
        ([], None),
        ([{"details": {"value": "4"}, "applicableLocations": ["us-central1"]}], 4),
        ([{"details": {"value": "4"}, "applicableLocations": ["europe-west4"]}], None),
        (
            [
                {"details": {"value": "4"}, "applicableLocations": ["us-central1"]},
                {"dimensions": {"region": "us-central1"}, "details": {"value": "-1"}},
            ],
            -1,
        ),
    ],
)
def test_the_row_of_a_region(rows: list[dict[str, object]], value: int | None) -> None:
    """Its own row wins over that of all regions; -1 is unlimited."""
    found = quotas._quota({"quotaId": "q", "dimensionsInfos": rows}, "us-central1")

    assert found.value == value
    assert found.has(1000) is (value == quotas.UNLIMITED)
