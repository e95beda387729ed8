"""An engine for tests that keeps the contract in a moment: it learns photos by heart.

`fake_engine.py train|serve`. It really reads the rows and photos it is given and really writes
what the contract asks for; a photo is known by its SHA-256, any other gets the commonest label.
FAKE_SECONDS in the command's arguments (`train 5`) makes the training last.
"""

import base64
import hashlib
import json
import os
import sys
import time
import urllib.parse
import urllib.request
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


def local(uri: str) -> Path:
    """Where a `gs://` address is in the mount."""
    return Path(os.environ["GCS_MOUNT"], *uri.removeprefix("gs://").split("/"))


def rows(variable: str) -> list[dict[str, Any]]:
    """The rows of one set."""
    pattern = local(os.environ[variable])
    files = sorted(pattern.parent.glob(pattern.name))
    return [json.loads(line) for file in files for line in file.read_text().splitlines()]


def labels(row: dict[str, Any]) -> list[str]:
    """A row's labels: several in a task of several, else one."""
    several = row.get("classificationAnnotations") or [row["classificationAnnotation"]]
    return [str(one["displayName"]) for one in several]


def train(seconds: float) -> int:
    """The exit code, after `seconds` of work."""
    started = time.monotonic()
    task_file = local(os.environ["AIP_TRAINING_DATA_URI"]).parent / "task.json"
    task = json.loads(task_file.read_text())
    by_heart = {
        hashlib.sha256(local(row["imageGcsUri"]).read_bytes()).hexdigest(): labels(row)
        for row in rows("AIP_TRAINING_DATA_URI")
    }
    print(json.dumps({"severity": "INFO", "message": "reading", "phase": "read", "fraction": 0.1}))
    time.sleep(max(0.0, min(seconds, task["maxSeconds"])))
    if seconds < 0:
        print(json.dumps({"severity": "ERROR", "message": "asked to fail"}), flush=True)
        return 3
    write(task, by_heart, time.monotonic() - started)
    return 0


def write(task: dict[str, Any], by_heart: dict[str, list[str]], seconds: float) -> None:
    """Everything that a training leaves."""
    folder = local(os.environ["AIP_MODEL_DIR"].rstrip("/"))
    folder.mkdir(parents=True)
    commonest = Counter(one for own in by_heart.values() for one in own).most_common(1)[0][0]
    known = {"labels": task["labels"], "by_heart": by_heart, "commonest": commonest}
    (folder / "known.json").write_text(json.dumps(known))
    if task["trainingTaskInputs"]["modelType"].startswith("MOBILE_"):
        (folder / "model.tflite").write_bytes(b"by heart")
    metrics = {"auPrc": 0.5, "logLoss": 1.0, "confidenceMetrics": [{"recall": 0.5}]}
    evaluation = {
        "metrics": metrics | matrix(task, commonest),
        "slices": [{"label": name, "metrics": metrics} for name in task["labels"]],
    }
    (folder / "evaluation.json").write_text(json.dumps(evaluation))
    digest = hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()
    (folder / "model.json").write_text(json.dumps({"digest": digest, "engine": "by heart"}))
    outcome = {"stopReason": "MODEL_CONVERGED", "seconds": seconds, "nodeHours": 5.5}
    (folder.parent / "outcome.json").write_text(json.dumps(outcome))


def matrix(task: dict[str, Any], commonest: str) -> dict[str, Any]:
    """The confusion matrix of always the same answer; none where photos have several labels."""
    if task["trainingTaskInputs"].get("multiLabel"):
        return {}
    found = [[0] * len(task["labels"]) for _ in task["labels"]]
    for row in rows("AIP_TEST_DATA_URI"):
        found[task["labels"].index(labels(row)[0])][task["labels"].index(commonest)] += 1
    specs = [{"displayName": name} for name in task["labels"]]
    return {"confusionMatrix": {"annotationSpecs": specs, "rows": found}}


def fetch(uri: str) -> bytes:
    """The bytes of an object, by Cloud Storage's JSON API."""
    bucket, _, name = uri.removeprefix("gs://").partition("/")
    if "API_ENDPOINT_OVERRIDE" in os.environ:
        from google.cloud import storage

        return bytes(storage.Client().bucket(bucket).blob(name).download_as_bytes())
    path = f"/storage/v1/b/{bucket}/o/{urllib.parse.quote(name, safe='')}?alt=media"
    with urllib.request.urlopen(os.environ["STORAGE_EMULATOR_HOST"] + path) as answer:
        return bytes(answer.read())


def photo(instance: dict[str, str]) -> bytes:
    """An instance's bytes: inside it, or in Cloud Storage."""
    given = instance.get("content") or instance["b64"]
    return fetch(given) if given.startswith("gs://") else base64.b64decode(given)


class Handler(BaseHTTPRequestHandler):
    """Health and predictions."""

    protocol_version = "HTTP/1.1"
    known: dict[str, Any]
    was_busy = False

    def do_GET(self) -> None:
        """Healthy once the model is there."""
        self.answer(200, {})

    def do_POST(self) -> None:
        """One prediction an instance."""
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if "instances" not in body:
            self.answer(400, {"error": "instances are missing"})
            return
        contents = [photo(instance) for instance in body["instances"]]
        if any(b"deadly" in content for content in contents):
            os._exit(9)
        if any(content.startswith(b"busy") for content in contents) and not Handler.was_busy:
            Handler.was_busy = True
            self.answer(503, {"error": "too many photos"}, ("retry-after", "0"))
            return
        for number, content in enumerate(contents):
            if content == b"no photo":
                self.answer(400, {"error": f"instance {number}: not a photo"})
                return
        found = [self.predict(number, content) for number, content in enumerate(contents)]
        self.answer(200, {"predictions": found})

    def predict(self, number: int, content: bytes) -> dict[str, Any]:
        """The labels known by heart, or the commonest; of a spoilt photo the error in its place."""
        if content == b"spoilt":
            return {"error": {"code": 400, "message": f"instance {number}: spoilt"}}
        sha256 = hashlib.sha256(content).hexdigest()
        names = self.known["by_heart"].get(sha256, [self.known["commonest"]])
        return {"displayNames": names, "confidences": [1.0] * len(names)}

    def answer(self, status: int, value: dict[str, Any], *headers: tuple[str, str]) -> None:
        """Sends JSON."""
        content = json.dumps(value).encode()
        self.send_response(status)
        for header in headers:
            self.send_header(*header)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


def serve() -> int:
    """Serves until it is ended."""
    Handler.known = json.loads(fetch(os.environ["AIP_STORAGE_URI"] + "/known.json"))
    address = ("127.0.0.1", int(os.environ["AIP_HTTP_PORT"]))
    ThreadingHTTPServer(address, Handler).serve_forever()
    return 0


if __name__ == "__main__":
    seconds_asked = float(sys.argv[2]) if len(sys.argv) > 2 else 0.0
    sys.exit(train(seconds_asked) if sys.argv[1] == "train" else serve())
