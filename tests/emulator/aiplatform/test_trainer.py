"""The real trainer behind the local AutoML, for the engine contract's sake."""

from __future__ import annotations

import base64
import importlib.util
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.emulator.vertex import Vertex
from tests.local_cloud import LocalCloud

LABELS = ("3", "7")


@pytest.mark.training
@pytest.mark.skipif(
    importlib.util.find_spec("tensorflow") is None,
    reason="needs TensorFlow: install the package with its extra 'train'",
)
def test_the_real_trainer_keeps_the_contract(
    start: Callable[..., LocalCloud], digits: Path
) -> None:
    """Two digits, trained, evaluated and served by the default engines: better than by chance."""
    vertex = Vertex(start("--seconds-per-node-hour", "2").url, "real")
    bucket = vertex.bucket("real-photos")
    photos = [(label, path) for label in LABELS for path in sorted((digits / label).glob("*.png"))]
    names = {path: f"{label}/{path.name}" for label, path in photos}
    vertex.upload(bucket, {names[path]: path.read_bytes() for _, path in photos})
    rows = "\n".join(f"gs://{bucket}/{names[path]},digit_{label}" for label, path in photos)
    vertex.upload(bucket, {"rows.csv": rows.encode()})
    dataset = vertex.dataset()
    vertex.done(vertex.begin_import(dataset, f"gs://{bucket}/rows.csv"))
    config = {"datasetId": dataset.rsplit("/", 1)[1]}

    pipeline = vertex.trained(vertex.begin_training(dataset, inputDataConfig=config), 300)

    assert pipeline["state"] == "PIPELINE_STATE_SUCCEEDED", pipeline
    model = pipeline["modelToUpload"]["name"]
    (evaluation,) = vertex.get(f"{model}/evaluations")["modelEvaluations"]
    matrix = evaluation["metrics"]["confusionMatrix"]
    assert {one["displayName"] for one in matrix["annotationSpecs"]} == {"digit_3", "digit_7"}
    assert all(one["id"].isdigit() for one in matrix["annotationSpecs"])
    assert evaluation["metrics"]["auPrc"] > 0.7
    endpoint = vertex.endpoint()
    operation = vertex.done(vertex.begin_deployment(endpoint, model), 120)
    assert "error" not in operation, operation
    content = base64.b64encode(photos[0][1].read_bytes()).decode()
    answer = vertex.post(f"{endpoint}:predict", {"instances": [{"content": content}]})
    (prediction,) = answer["predictions"]
    assert set(prediction["displayNames"]) == {"digit_3", "digit_7"}
    assert sum(prediction["confidences"]) == pytest.approx(1, abs=0.01)
    refused = vertex.call("POST", f"{endpoint}:predict", {"instances": [{"content": "AAAA"}]})
    assert refused.status_code == 400 and "instance 0" in refused.json()["error"]["message"]
