"""Models and their evaluations over HTTP."""

from tests.emulator.vertex import Body, Vertex, error


def model_of(trained: tuple[Vertex, Body]) -> tuple[Vertex, Body]:
    """The project and the model that the trained pipeline made."""
    vertex, pipeline = trained
    return vertex, vertex.get(pipeline["modelToUpload"]["name"])


def test_an_automl_model_has_what_google_gives_it(trained_project: tuple[Vertex, Body]) -> None:
    """Version, source, pipeline, resources; no artifacts, since AutoML gives none."""
    vertex, model = model_of(trained_project)

    assert model["versionId"] == "1" and model["versionAliases"] == ["default"]
    assert model["modelSourceInfo"] == {"sourceType": "AUTOML"}
    assert model["supportedDeploymentResourcesTypes"] == ["AUTOMATIC_RESOURCES"]
    assert model["trainingPipeline"] == trained_project[1]["name"]
    assert "artifactUri" not in model and not [key for key in model if key.startswith("_")]
    assert vertex.get(f"{model['name']}@1")["name"] == model["name"]
    assert vertex.get(f"{model['name']}@default")["name"] == model["name"]
    assert vertex.call("GET", f"{model['name']}@2").status_code == 404
    assert len(vertex.get(f"{model['name']}:listVersions")["models"]) == 1


def test_the_evaluation_has_the_ids_of_the_labels(trained_project: tuple[Vertex, Body]) -> None:
    """The confusion matrix names each annotation spec by id and name; rows are true labels."""
    vertex, model = model_of(trained_project)
    (evaluation,) = vertex.get(f"{model['name']}/evaluations")["modelEvaluations"]

    assert evaluation["metricsSchemaUri"].endswith("/classification_metrics_1.0.0.yaml")
    assert evaluation["sliceDimensions"] == ["annotationSpec"]
    matrix = evaluation["metrics"]["confusionMatrix"]
    assert [sum(row) for row in matrix["rows"]] == [2, 2]
    dataset = trained_project[1]["inputDataConfig"]["datasetId"]
    for spec in matrix["annotationSpecs"]:
        name = f"{vertex.parent}/datasets/{dataset}/annotationSpecs/{spec['id']}"
        assert vertex.get(name)["displayName"] == spec["displayName"]
    assert vertex.get(evaluation["name"]) == evaluation


def test_every_label_has_a_slice(trained_project: tuple[Vertex, Body]) -> None:
    """Slices say which label they are of, and can be got one by one."""
    vertex, model = model_of(trained_project)
    (evaluation,) = vertex.get(f"{model['name']}/evaluations")["modelEvaluations"]
    slices = vertex.get(f"{evaluation['name']}/slices")["modelEvaluationSlices"]

    assert [one["slice"] for one in slices] == [
        {"dimension": "annotationSpec", "value": "cat"},
        {"dimension": "annotationSpec", "value": "dog"},
    ]
    assert vertex.get(slices[0]["name"]) == slices[0]


def test_a_deployed_model_cannot_be_deleted(vertex: Vertex, bucket: str) -> None:
    """Google's refusal names the endpoint; undeployed, the model goes with its evaluations."""
    dataset = vertex.filled_dataset(bucket)
    pipeline = vertex.trained(vertex.begin_training(dataset, modelId="my-model"))
    model, endpoint = pipeline["modelToUpload"]["name"], vertex.endpoint()
    assert model.endswith("/models/my-model")
    vertex.done(vertex.begin_deployment(endpoint, model, id="7"))

    code, status, message = error(vertex.call("DELETE", model))
    deployed = vertex.get(model)["deployedModels"]
    vertex.post(f"{endpoint}:undeployModel", {"deployedModelId": "7"})

    assert (code, status) == (400, "FAILED_PRECONDITION")
    assert message == (
        f'The Model "{model}" is deployed or being deployed at the following Endpoint(s): '
        f'"{endpoint}".'
    )
    assert deployed == [{"endpoint": endpoint, "deployedModelId": "7"}]
    assert vertex.call("DELETE", model).json()["done"]
    assert vertex.call("GET", f"{model}/evaluations").status_code == 404
