"""An engine that trains in a blink: `python tiny_engine.py train|serve`, the nearest mean colour.

It obeys the whole contract of an AutoML job and of a prediction server, so that tests of `ops` can
train and deploy dozens of times. Its figures are measured, as the real trainer's are.
"""

import base64
import io
import json
import os
import sys
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import Request, urlopen

from PIL import Image

Mean = tuple[float, ...]
THRESHOLDS = (0.0, 0.5)


def local(uri: str) -> Path:
    """The file or folder that a gs:// URI is in the mount."""
    return Path(os.environ["GCS_MOUNT"], uri.removeprefix("gs://"))


def colour(data: bytes) -> Mean:
    """The mean red, green and blue of a photo, 0-255."""
    image = Image.open(io.BytesIO(data)).convert("RGB").resize((1, 1), Image.Resampling.BOX)
    found = image.getpixel((0, 0))
    assert isinstance(found, tuple)
    return tuple(float(value) for value in found)


def scores(means: dict[str, Mean], seen: Mean) -> dict[str, float]:
    """How near each label's mean is, summing to 1."""
    near = {
        label: 1 / (1 + sum((a - b) ** 2 for a, b in zip(mean, seen, strict=True)))
        for label, mean in means.items()
    }
    return {label: value / sum(near.values()) for label, value in near.items()}


def rows(split: str) -> list[tuple[str, str]]:
    """(uri, label) of every photo of a split, for each of its labels."""
    pattern = local(os.environ[f"AIP_{split}_DATA_URI"])
    files = sorted(pattern.parent.glob(pattern.name))
    found = [json.loads(line) for file in files for line in file.read_text().splitlines()]
    return [(row["imageGcsUri"], label) for row in found for label in labels_of(row)]


def labels_of(row: dict[str, Any]) -> list[str]:
    """The row's label, or its several."""
    several = row.get("classificationAnnotations") or [row["classificationAnnotation"]]
    return [str(one["displayName"]) for one in several]


def train(gate: str = "") -> None:
    """Leave a model, its evaluation and the outcome where Vertex AI's variables say.

    With a `gate`, begin once that file is there.
    """
    while gate and not Path(gate).exists():
        time.sleep(0.02)
    started = time.monotonic()
    folder = local(os.environ["AIP_MODEL_DIR"])
    task = json.loads((local(os.environ["AIP_TRAINING_DATA_URI"]).parent / "task.json").read_text())
    pixels: dict[str, list[Mean]] = {label: [] for label in task["labels"]}
    for uri, label in rows("TRAINING"):
        pixels[label].append(colour(local(uri).read_bytes()))
    means = {
        label: tuple(sum(column) / len(seen) for column in zip(*seen, strict=True))
        for label, seen in pixels.items()
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "means.json").write_text(json.dumps(means))
    if task["trainingTaskInputs"]["modelType"].startswith("MOBILE_"):
        (folder / "model.tflite").write_text(json.dumps(means))
    judged = [
        (label, scores(means, colour(local(uri).read_bytes()))) for uri, label in rows("TEST")
    ]
    labels = task["labels"]
    (folder / "labels.txt").write_text("".join(f"{label}\n" for label in labels))
    (folder / "evaluation.json").write_text(json.dumps(evaluation(labels, judged)))
    (folder / "model.json").write_text(json.dumps({"labels": labels, "engine": "means"}))
    outcome = {"stopReason": "MODEL_CONVERGED", "seconds": time.monotonic() - started}
    (folder.parent / "outcome.json").write_text(json.dumps({**outcome, "nodeHours": 1.25}))


def evaluation(labels: list[str], judged: list[tuple[str, dict[str, float]]]) -> dict[str, Any]:
    """Counts over the test photos in Vertex AI's fields, overall and for each label."""
    matrix = [
        [
            sum(t == row and max(s, key=s.__getitem__) == column for t, s in judged)
            for column in labels
        ]
        for row in labels
    ]
    slices = [
        {"label": label, "metrics": metrics([(t == label, s[label]) for t, s in judged])}
        for label in labels
    ]
    overall = metrics([(t == label, s[label]) for t, s in judged for label in labels])
    overall["confusionMatrix"] = {
        "annotationSpecs": [{"displayName": label} for label in labels],
        "rows": matrix,
    }
    return {"metrics": overall, "slices": slices}


def metrics(pairs: list[tuple[bool, float]]) -> dict[str, Any]:
    """Precision and recall at two thresholds; auPrc is the mean precision of the two."""
    rows = [at(threshold, pairs) for threshold in THRESHOLDS]
    return {"auPrc": sum(row["precision"] for row in rows) / len(rows), "confidenceMetrics": rows}


def at(threshold: float, pairs: list[tuple[bool, float]]) -> dict[str, float]:
    """One row of confidenceMetrics; the threshold is left out when it is 0, as Google does."""
    hits = sum(true for true, score in pairs if score >= threshold)
    taken = sum(score >= threshold for _, score in pairs)
    precision = hits / taken if taken else 1.0
    recall = hits / max(1, sum(true for true, _ in pairs))
    f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
    row = {"precision": precision, "recall": recall, "f1Score": f1}
    return {"confidenceThreshold": threshold, **row} if threshold else row


def fetched(uri: str) -> bytes:
    """An object's bytes, from the server that started this process."""
    bucket, _, name = uri.removeprefix("gs://").partition("/")
    anonymous = os.environ.get("STORAGE_EMULATOR_HOST")
    host = anonymous or os.environ["API_ENDPOINT_OVERRIDE"]
    url = f"{host}/storage/v1/b/{bucket}/o/{quote(name, safe='')}?alt=media"
    try:
        if anonymous:
            with urlopen(url) as answer:
                return bytes(answer.read())
    except HTTPError as refused:
        if refused.code != 401:
            raise
    # A server with --require-auth asks who it is, and one that runs it as an account wants that.
    token = own_token(Path(os.environ["GOOGLE_APPLICATION_CREDENTIALS"]))
    with urlopen(Request(url, headers={"Authorization": f"Bearer {token}"})) as answer:
        return bytes(answer.read())


def own_token(key: Path) -> str:
    """A token that the account of a key file signed itself; no host is asked for it."""
    from google.auth import jwt

    # Google ships this module without types.
    kind: Any = jwt.Credentials
    credentials = kind.from_service_account_file(key, audience="https://storage.googleapis.com/")
    credentials.refresh(None)
    return bytes(credentials.token).decode()


def serve() -> None:
    """Answer health checks and predictions on the port that Vertex AI's variables name."""
    means = json.loads(fetched(os.environ["AIP_STORAGE_URI"].rstrip("/") + "/means.json"))
    address = ("127.0.0.1", int(os.environ["AIP_HTTP_PORT"]))
    ThreadingHTTPServer(address, handler(lambda data: scores(means, colour(data)))).serve_forever()


def handler(judge: Callable[[bytes], dict[str, float]]) -> type[BaseHTTPRequestHandler]:
    """What speaks HTTP around `judge`."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.answer(200, {})

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            found = [judge(base64.b64decode(one["content"])) for one in body["instances"]]
            self.answer(200, {"predictions": [ranked(one) for one in found]})

        def answer(self, status: int, body: dict[str, Any]) -> None:
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    return Handler


def ranked(found: dict[str, float]) -> dict[str, Any]:
    """An answer by falling confidence."""
    labels = sorted(found, key=lambda label: -found[label])
    return {"displayNames": labels, "confidences": [found[label] for label in labels]}


if __name__ == "__main__":
    {"train": train, "serve": serve}[sys.argv[1]](*sys.argv[2:])
