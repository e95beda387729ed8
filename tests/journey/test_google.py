"""The whole journey with --target gcp, unmodified, through a company's proxy."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from ops.workflows import preflight
from tests.google_proxy import REGISTRY_LOOK, Exchange
from tests.journey import google_calls
from tests.journey.documented import UndocumentedError, judge
from tests.journey.google_journey import PROJECT, GoogleUser, google_user, travel


@pytest.fixture(scope="module")
def user(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GoogleUser]:
    """A user of Google Cloud in front of a server that refuses whom it does not know."""
    with google_user(tmp_path_factory.mktemp("google"), "--require-auth") as found:
        yield found


@pytest.fixture(scope="module")
def journey(user: GoogleUser) -> dict[str, dict[str, Any]]:
    """What each command of the journey found or did."""
    return travel(user)


def test_it_goes_from_photos_to_nothing_left(journey: dict[str, dict[str, Any]]) -> None:
    """Imported, trained, evaluated, served, asked, and all of it deleted, as on local."""
    assert journey["import-dataset"]["photos"] == 36
    assert journey["evaluate"]["labels"]
    assert journey["predict"]["predictions"][0]["prediction"] == "t-shirt"
    assert journey["custom train"]["model"].endswith("/models/default-photos-custom@1")
    assert journey["logs"]["entries"] is not None
    assert journey["cost-report"]["billed_usd"] > 0
    assert journey["teardown"]["left"] == []


def test_nothing_leaves_but_by_the_proxy_to_google_s_hosts(
    user: GoogleUser, journey: dict[str, dict[str, Any]]
) -> None:
    """No other host but Terraform's registry, by doctor; nothing in the clear or looked up."""
    assert journey
    assert set(user.proxy.strays) <= {REGISTRY_LOOK}
    assert user.outside() == set()


@pytest.mark.usefixtures("journey")
def test_every_call_is_documented_and_the_page_lists_it(user: GoogleUser) -> None:
    """Each request is checked against Google's own tables; docs/google-calls.md is current."""
    assert google_calls.page(user.proxy.exchanges, PROJECT) == google_calls.PAGE.read_text()


@pytest.mark.usefixtures("journey")
def test_custom_trainings_run_in_one_image_that_was_built_once(user: GoogleUser) -> None:
    """The first has the image of its source built, the second finds it; both name its digest."""
    sent = [one for one in user.proxy.exchanges if one.method == "POST"]
    builds = [json.loads(one.body) for one in sent if one.host == "cloudbuild.googleapis.com"]
    paths = [(one.target.partition("?")[0], one.body) for one in sent]
    pipelines = [json.loads(body) for path, body in paths if path.endswith("/trainingPipelines")]
    pools = [one["trainingTaskInputs"].get("workerPoolSpecs") for one in pipelines]
    trained = [pool[0]["containerSpec"]["imageUri"] for pool in pools if pool]
    served = [
        one["modelToUpload"]["containerSpec"]
        for one in pipelines
        if "containerSpec" in one["modelToUpload"]
    ]

    assert [one["images"][0].partition("src-")[0] for one in builds] == [
        f"us-central1-docker.pkg.dev/{PROJECT}/ops-default/trainer:"
    ]
    assert len(trained) == 2 and len(set(trained)) == 1
    assert re.search(r"/trainer@sha256:[0-9a-f]{64}$", trained[0])
    assert {(one["imageUri"], *one["command"]) for one in served} == {
        (trained[0], "python", "-m", "trainer.serve")
    }


# docs.cloud.google.com/gemini-enterprise-agent-platform/machine-learning/general/iam-permissions,
# read in a copy of 2026-08-22: the permission that each method needs.
PERMISSIONS = {
    "DatasetService.CreateDataset": "aiplatform.datasets.create",
    "DatasetService.GetDataset": "aiplatform.datasets.get",
    "DatasetService.ImportData": "aiplatform.datasets.import",
    "DatasetService.ListDatasets": "aiplatform.datasets.list",
    "EndpointService.CreateEndpoint": "aiplatform.endpoints.create",
    "EndpointService.DeployModel": "aiplatform.endpoints.deploy",
    "EndpointService.GetEndpoint": "aiplatform.endpoints.get",
    "EndpointService.ListEndpoints": "aiplatform.endpoints.list",
    "EndpointService.UndeployModel": "aiplatform.endpoints.undeploy",
    "EndpointService.UpdateEndpoint": "aiplatform.endpoints.update",
    "JobService.CreateBatchPredictionJob": "aiplatform.batchPredictionJobs.create",
    "JobService.DeleteBatchPredictionJob": "aiplatform.batchPredictionJobs.delete",
    "JobService.GetBatchPredictionJob": "aiplatform.batchPredictionJobs.get",
    "JobService.ListBatchPredictionJobs": "aiplatform.batchPredictionJobs.list",
    "ModelService.BatchImportModelEvaluationSlices": "aiplatform.modelEvaluationSlices.import",
    "ModelService.GetModel": "aiplatform.models.get",
    "ModelService.ImportModelEvaluation": "aiplatform.modelEvaluations.import",
    "ModelService.ListModelEvaluations": "aiplatform.modelEvaluations.list",
    "ModelService.ListModelEvaluationSlices": "aiplatform.modelEvaluationSlices.list",
    "ModelService.ListModels": "aiplatform.models.list",
    "ModelService.ListModelVersions": "aiplatform.models.list",
    "ModelService.MergeVersionAliases": "aiplatform.models.update",
    "PipelineService.CreateTrainingPipeline": "aiplatform.trainingPipelines.create",
    "PipelineService.GetTrainingPipeline": "aiplatform.trainingPipelines.get",
    "PipelineService.ListTrainingPipelines": "aiplatform.trainingPipelines.list",
    "PredictionService.Predict": "aiplatform.endpoints.predict",
}
# A training makes a model, which its maker may upload; a second one, and a deployment of the
# newest, list what there is; a model that answers wrongly is undeployed.
BESIDES: dict[str, set[str]] = {
    "import-dataset": set(),
    "train": {"aiplatform.models.upload", "aiplatform.models.list"},
    "deploy": {"aiplatform.endpoints.undeploy", "aiplatform.models.list"},
}


@pytest.mark.parametrize("command", ["import-dataset", "train", "deploy"])
@pytest.mark.usefixtures("journey")
def test_the_pre_flight_asks_for_what_the_calls_need(user: GoogleUser, command: str) -> None:
    """The permissions looked at before a command are those of the calls that it makes."""
    calls = {judge(one, PROJECT) for one in user.proxy.exchanges if one.command == command}
    vertex = {one.name for one in calls if "aiplatform" in one.host}
    needed = {PERMISSIONS[name] for name in vertex if not name.startswith("Operations.")}

    asked = {one for one in preflight.needs(command).project if one.startswith("aiplatform.")}

    assert asked == needed | BESIDES[command]


def asked(method: str, host: str, target: str, body: bytes = b"", **changed: str) -> Exchange:
    """A request with everything that a call of `ops` carries."""
    carried = {
        "authorization": "Bearer token",
        "x-goog-user-project": PROJECT,
        "user-agent": "ops/0.1.0",
        "content-type": "application/json",
    }
    carried |= {name.replace("_", "-"): value for name, value in changed.items()}
    return Exchange("test", host, method, target, carried, body, 200)


VERTEX = "us-central1-aiplatform.googleapis.com"
PARENT = f"/v1/projects/{PROJECT}/locations/us-central1"
BAD = {
    "a path that no method has": asked("GET", VERTEX, f"{PARENT}/datums"),
    "a field that no message has": asked("POST", VERTEX, f"{PARENT}/datasets", b'{"nam": "x"}'),
    "a parameter that no message has": asked("GET", VERTEX, f"{PARENT}/models?page_sise=3"),
    "another region's path": asked("GET", VERTEX, f"/v1/projects/{PROJECT}/locations/x1/models"),
    "a task's input that it has not": asked(
        "POST",
        VERTEX,
        f"{PARENT}/trainingPipelines",
        b'{"trainingTaskDefinition": "gs://x/automl_image_classification_1.0.0.yaml",'
        b' "trainingTaskInputs": {"budget": 1}}',
    ),
    "an instance with another field": asked(
        "POST", VERTEX, f"{PARENT}/endpoints/1:predict", b'{"instances": [{"content": "", "k": 1}]}'
    ),
    "a storage path": asked("GET", "storage.googleapis.com", "/storage/v1/buckets"),
    "a storage parameter": asked("GET", "storage.googleapis.com", "/storage/v1/b?projct=x"),
    "a bucket's field": asked("POST", "storage.googleapis.com", "/storage/v1/b", b'{"nam": "x"}'),
    "nobody's token": asked("GET", VERTEX, f"{PARENT}/models", authorization=""),
    "another's bill": asked("GET", VERTEX, f"{PARENT}/models", x_goog_user_project="other"),
    "no program": asked("GET", VERTEX, f"{PARENT}/models", user_agent="python-requests"),
    "a token's form": asked("POST", "oauth2.googleapis.com", "/token", b"grant_type=password"),
}


@pytest.mark.parametrize("exchange", BAD.values(), ids=BAD)
def test_what_google_does_not_document_is_found(exchange: Exchange) -> None:
    """The judge lets nothing through that differs in one thing from a documented call."""
    with pytest.raises(UndocumentedError):
        judge(exchange, PROJECT)
