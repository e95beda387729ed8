"""Real prediction servers for tests: `python -m trainer.serve` on a small model, as a process."""

import base64
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from trainer.artifacts import write_json
from trainer.models.litert import classifier_model
from trainer.models.network import Classifier, Layer, Network

ROOT = Path(__file__).parents[2]
SECONDS = 60
LABELS = ("red", "green", "blue", "dark")
PREDICT, HEALTH = "/v1/predict", "/healthz"


def colours(size: int = 16) -> Classifier:
    """A classifier of four labels that any photo's colours decide."""
    dice = np.random.default_rng(0)
    width = size * size * 3
    kernel = dice.normal(0, 3 / np.sqrt(width), (width, 8)).astype(np.float32)
    layers = (
        Layer("flatten"),
        Layer("dense", kernel, np.zeros(8, np.float32), relu6=True),
    )
    network = Network("colours", size, 127.0, 64.0, layers)
    weights = dice.normal(0, 1, (8, len(LABELS))).astype(np.float32)
    return Classifier(network, weights, np.zeros(len(LABELS), np.float32), LABELS, False)


def write_colours(folder: Path) -> Path:
    """The colours' classifier in the files that a server reads."""
    return write_served(folder, colours())


def write_served(folder: Path, classifier: Classifier) -> Path:
    """The LiteRT file and the card of a classifier: what a server needs of a model's folder."""
    card = {"labels": classifier.labels, "inputSize": classifier.network.size, "engine": "test"}
    write_json(folder / "model.json", card)
    (folder / "model.tflite").write_bytes(classifier_model(classifier))
    return folder


def instance(photo: bytes, **fields: Any) -> dict[str, Any]:
    """A photo in the form for custom models."""
    return {"b64": base64.b64encode(photo).decode(), **fields}


class Server:
    """A prediction server of its own process on a free port."""

    def __init__(self, storage_uri: str, **variables: str) -> None:
        self.port = self.free_port()
        environ = {"AIP_HTTP_PORT": str(self.port), "AIP_STORAGE_URI": storage_uri, **variables}
        environ |= {"AIP_HEALTH_ROUTE": HEALTH, "AIP_PREDICT_ROUTE": PREDICT}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "trainer.serve"],
            cwd=ROOT,
            env={**os.environ, "TRAINER_SERVE_HOST": "127.0.0.1", **environ},
            stdout=subprocess.PIPE,
            text=True,
        )

    @staticmethod
    def free_port() -> int:
        """A port that nobody listens on."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            return int(free.getsockname()[1])

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()

    def wait(self) -> "Server":
        """Itself, when the health route answers 200."""
        end = time.monotonic() + SECONDS
        while self.health() != 200:
            assert self.process.poll() is None, "the server ended"
            assert time.monotonic() < end, "the server was not ready in time"
            time.sleep(0.02)
        return self

    def health(self) -> int:
        """The health route's status; 0 while nobody listens."""
        try:
            return self.request("GET", HEALTH)[0]
        except OSError:
            return 0

    def request(
        self, method: str, route: str, body: bytes = b"", **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        """Status, headers in small letters, and body of an answer, over a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=SECONDS)
        try:
            connection.request(method, route, body, headers)
            answer = connection.getresponse()
            sent = {name.lower(): value for name, value in answer.getheaders()}
            return answer.status, sent, answer.read()
        finally:
            connection.close()

    def predict(self, **body: Any) -> tuple[int, Any]:
        """Status and answer of a prediction request."""
        status, _, content = self.request("POST", PREDICT, json.dumps(body).encode())
        return status, json.loads(content)

    def connect(self) -> socket.socket:
        """A bare connection."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=SECONDS)

    def resident_bytes(self) -> int:
        """The memory that the process has now."""
        pages = Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    def stop(self) -> int:
        """The exit code after SIGTERM."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(SECONDS)
