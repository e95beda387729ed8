"""Google's unmodified Python SDK: the generated clients over REST, and the high-level one."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from tests.emulator.vertex import Body, Vertex, photo


def client(name: str, vertex: Vertex) -> Any:
    """A generated client, sent to the local cloud."""
    from google.auth.credentials import AnonymousCredentials
    from google.cloud import aiplatform_v1

    anonymous: Any = AnonymousCredentials
    return getattr(aiplatform_v1, name)(
        credentials=anonymous(),
        transport="rest",
        client_options={"api_endpoint": vertex.url},
    )


def test_operations_come_back_as_the_clients_types(vertex: Vertex) -> None:
    """An operation that is done gives its result and metadata at once, as Google's messages."""
    datasets = client("DatasetServiceClient", vertex)
    schema = "gs://google-cloud-aiplatform/schema/dataset/metadata/image_1.0.0.yaml"
    dataset = {"display_name": "x", "metadata_schema_uri": schema, "labels": {"a": "b"}}

    operation = datasets.create_dataset(parent=vertex.parent, dataset=dataset)

    assert operation.done()
    assert operation.result().labels["aiplatform.googleapis.com/dataset_metadata_schema"] == "IMAGE"
    assert operation.metadata.generic_metadata.create_time is not None
    request = {"parent": vertex.parent, "filter": "labels.a=b"}
    assert [one.name for one in datasets.list_datasets(request=request)] == [
        operation.result().name
    ]


def test_an_import_is_awaited_and_its_failures_are_read(vertex: Vertex, bucket: str) -> None:
    """The client polls under /ui until the end; partial failures are google.rpc.Status."""
    datasets = client("DatasetServiceClient", vertex)
    vertex.upload(bucket, {"0.png": photo(0)})
    rows = f"gs://{bucket}/0.png,cat\ngs://{bucket}/1.png,cat"
    vertex.upload(bucket, {"rows.csv": rows.encode()})
    schema = "image_classification_single_label_io_format_1.0.0.yaml"
    config = {
        "gcs_source": {"uris": [f"gs://{bucket}/rows.csv"]},
        "import_schema_uri": f"gs://google-cloud-aiplatform/schema/dataset/ioformat/{schema}",
    }
    name = vertex.dataset()

    operation = datasets.import_data(name=name, import_configs=[config])
    operation.result(timeout=60)

    (failure,) = operation.metadata.generic_metadata.partial_failures
    assert failure.code == 3 and "line 2" in failure.message
    items = list(datasets.list_data_items(parent=name))
    assert len(items) == 1 and items[0].payload["imageGcsUri"] == f"gs://{bucket}/0.png"


def test_errors_are_the_clients_exceptions(vertex: Vertex) -> None:
    """404, 409 and 400 become NotFound, AlreadyExists and the like."""
    from google.api_core import exceptions

    endpoints = client("EndpointServiceClient", vertex)
    with pytest.raises(exceptions.NotFound):
        endpoints.get_endpoint(name=f"{vertex.parent}/endpoints/none")
    request = {
        "parent": vertex.parent,
        "endpoint": {"display_name": "x"},
        "endpoint_id": "mine",
    }
    endpoints.create_endpoint(request=request).result()
    with pytest.raises((exceptions.AlreadyExists, exceptions.Conflict)):
        endpoints.create_endpoint(request=request)
    with pytest.raises(exceptions.MethodNotImplemented):
        client("FeaturestoreServiceClient", vertex).list_featurestores(parent=vertex.parent)


def test_a_model_is_deployed_and_predicts(trained_project: tuple[Vertex, Body]) -> None:
    """Enumerations arrive as numbers, numbers in Struct as numbers; predict gives plain values."""
    from google.protobuf import json_format, struct_pb2

    vertex, pipeline = trained_project
    pipelines = client("PipelineServiceClient", vertex)
    got = pipelines.get_training_pipeline(name=pipeline["name"])
    assert got.state.name == "PIPELINE_STATE_SUCCEEDED"
    assert got.training_task_metadata["costMilliNodeHours"] == "5500"
    models = client("ModelServiceClient", vertex)
    model = models.get_model(name=got.model_to_upload.name)
    assert model.model_source_info.source_type.name == "AUTOML"
    (evaluation,) = models.list_model_evaluations(parent=model.name)
    assert evaluation.metrics["auPrc"] == 0.5
    endpoints = client("EndpointServiceClient", vertex)
    endpoint = endpoints.create_endpoint(
        parent=vertex.parent, endpoint={"display_name": "x"}
    ).result()
    deployed = {"model": model.name, "automatic_resources": {"min_replica_count": 1}}
    endpoints.deploy_model(
        endpoint=endpoint.name, deployed_model=deployed, traffic_split={"0": 100}
    ).result(timeout=60)

    predictions = client("PredictionServiceClient", vertex)
    content = base64.b64encode(photo(1000)).decode()
    instance = json_format.ParseDict({"content": content}, struct_pb2.Value())
    answer = predictions.predict(endpoint=endpoint.name, instances=[instance])

    assert list(answer.predictions[0]["displayNames"]) == ["dog"]
    assert answer.model == model.name and answer.deployed_model_id.isdigit()
    deployed_id = endpoints.get_endpoint(name=endpoint.name).deployed_models[0].id
    endpoints.undeploy_model(endpoint=endpoint.name, deployed_model_id=deployed_id).result()
    endpoints.delete_endpoint(name=endpoint.name).result()
