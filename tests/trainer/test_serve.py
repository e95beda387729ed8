"""`trainer.serve` as a process: ready, answering as the exported graph does, gone at SIGTERM."""

import base64
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.local_cloud import LocalCloud
from tests.trainer.conftest import Rows, Trained
from trainer.export import Exported

ROOT = Path(__file__).parents[2]
SECONDS_TO_START = 60


class Server:
    """A prediction server of its own process on a free port."""

    def __init__(self, storage_uri: str, **variables: str) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        environ = {"AIP_HTTP_PORT": str(port), "AIP_STORAGE_URI": storage_uri, **variables}
        environ |= {"AIP_HEALTH_ROUTE": "/healthz", "AIP_PREDICT_ROUTE": "/v1/predict"}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "trainer.serve"],
            cwd=ROOT,
            env={**os.environ, "TRAINER_SERVE_HOST": "127.0.0.1", **environ},
            stdout=subprocess.PIPE,
            text=True,
        )

    def wait(self) -> None:
        """Returns when the health route answers 200."""
        end = time.monotonic() + SECONDS_TO_START
        while time.monotonic() < end:
            try:
                with urllib.request.urlopen(self.url + "/healthz", timeout=5):
                    return
            except OSError:
                assert self.process.poll() is None, "the server ended"
                time.sleep(0.05)
        raise AssertionError("the server was not ready in time")

    def predict(self, **body: Any) -> tuple[int, Any]:
        """Status and answer of a prediction request."""
        request = urllib.request.Request(
            self.url + "/v1/predict",
            json.dumps(body).encode(),
            {"Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def stop(self) -> int:
        """The exit code after SIGTERM."""
        self.process.terminate()
        return self.process.wait(20)


@pytest.fixture(scope="module")
def server(digits_model: Trained) -> Iterator[Server]:
    """The small digits model, served from its folder."""
    made = Server(str(digits_model.folder))
    try:
        made.wait()
        yield made
    finally:
        made.process.kill()
        made.process.wait()


@pytest.mark.training
def test_served_answers_are_the_exported_graphs(
    server: Server, digits_model: Trained, digit_rows: Rows
) -> None:
    """On thirty test photos the server's scores are those of the SavedModel, to 1e-3."""
    photos = [path for path, _ in digit_rows["test"]][::3]
    instances = [{"b64": base64.b64encode(path.read_bytes()).decode()} for path in photos]

    status, answer = server.predict(instances=instances)

    served = np.array([prediction["scores"] for prediction in answer["predictions"]])
    assert status == 200
    np.testing.assert_allclose(
        served, Exported(digits_model.folder).scores_of_files(photos), atol=1e-3
    )


@pytest.mark.training
def test_a_bad_photo_is_a_400_that_names_the_instance(server: Server, digit_rows: Rows) -> None:
    """The second of two instances is text: the error says so, and the server goes on."""
    photo = base64.b64encode(digit_rows["test"][0][0].read_bytes()).decode()
    bad = base64.b64encode(b"hello").decode()

    status, answer = server.predict(instances=[{"content": photo}, {"content": bad}])

    assert status == 400
    assert answer["error"].startswith("instance 1: not a JPEG, PNG, GIF or BMP photo")
    assert server.predict(instances=[{"content": photo}])[0] == 200


@pytest.mark.training
def test_a_model_is_brought_from_the_bucket_and_sigterm_ends_it_cleanly(
    cloud: LocalCloud, digits_model: Trained
) -> None:
    """From gs:// through the local cloud, with its key file; exit code 0 after SIGTERM."""
    upload(cloud, digits_model.folder)
    server = Server("gs://served/runs/1/model", **cloud.variables)
    try:
        server.wait()

        code = server.stop()
    finally:
        server.process.kill()
        server.process.wait()

    assert code == 0


def test_a_server_without_a_model_says_why(tmp_path: Path) -> None:
    """An empty folder ends the process with exit code 1 and a sentence."""
    server = Server(str(tmp_path))

    out, _ = server.process.communicate(timeout=SECONDS_TO_START)

    assert server.process.returncode == 1
    assert "holds neither model.tflite nor a SavedModel" in json.loads(out)["message"]


def upload(cloud: LocalCloud, folder: Path) -> None:
    """Copies a model's folder into the bucket `served` with Google's client."""
    from google.auth.credentials import AnonymousCredentials
    from google.cloud import storage

    client = storage.Client(
        project="demo",
        credentials=AnonymousCredentials(),  # type: ignore[no-untyped-call]
        client_options={"api_endpoint": cloud.url},
    )
    bucket = client.create_bucket("served")
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            name = f"runs/1/model/{path.relative_to(folder)}"
            bucket.blob(name).upload_from_filename(str(path))
