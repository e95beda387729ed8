"""A custom trainer that trains in a blink: `tiny_custom_engine train GATE --manifest=… …|serve`.

The nearest mean colour again (`tiny_engine`), by the contract of a custom job and its prediction
server, so that tests of `ops` can train and deploy dozens of times. Some numbers of `--epochs`
make it fail: 13 with a sentence, 14 as if out of memory, 15 with half an evaluation.
"""

import base64
import json
import os
import signal
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.ops.tiny_engine import Mean, colour, evaluation, fetched, local, scores

DEADLY, HUNGRY, UNFINISHED = "13", "14", "15"


def arguments(words: list[str]) -> dict[str, str]:
    """`--name=value` words as a mapping."""
    return dict(word.removeprefix("--").split("=", 1) for word in words)


def folder_of(variable: str) -> Path:
    """A folder that a variable names, as a gs:// URI or a path."""
    value = os.environ[variable]
    return local(value) if value.startswith("gs://") else Path(value)


def means_of(rows: list[dict[str, Any]]) -> dict[str, Mean]:
    """The mean colour of each label's training photos."""
    pixels: dict[str, list[Mean]] = {}
    for row in rows:
        if row["split"] == "training":
            seen = pixels.setdefault(row["labels"][0], [])
            seen.append(colour(local(row["uri"]).read_bytes()))
    return {
        label: tuple(sum(column) / len(seen) for column in zip(*seen, strict=True))
        for label, seen in sorted(pixels.items())
    }


def train(gate: str, *words: str) -> None:
    """Leave a model and all that belongs to it, once the gate is there."""
    while not Path(gate).exists():
        time.sleep(0.02)
    asked = arguments(list(words))
    fail(asked.get("epochs", ""))
    text = local(asked["manifest"]).read_text()
    rows = [json.loads(line) for line in text.splitlines()]
    means = means_of(rows)
    tested = [row for row in rows if row["split"] == "test"]
    judged = [
        (row["labels"][0], scores(means, colour(local(row["uri"]).read_bytes()))) for row in tested
    ]
    predictions = [
        {
            "uri": row["uri"],
            "labels": row["labels"],
            "prediction": max(found, key=found.__getitem__),
            "scores": [found[label] for label in means],
        }
        for row, (_, found) in zip(tested, judged, strict=True)
    ]
    leave(means, evaluation(list(means), judged), predictions)
    if asked.get("epochs") == UNFINISHED:
        (folder_of("AIP_MODEL_DIR") / "evaluation.json").write_text('{"metrics": {"auPrc": 0.9')


def fail(epochs: str) -> None:
    """End badly if this number of epochs says so."""
    if epochs == DEADLY:
        print(json.dumps({"severity": "ERROR", "message": "No photo is a circle."}), flush=True)
        sys.exit(3)
    if epochs == HUNGRY:
        os.kill(os.getpid(), signal.SIGKILL)


def leave(means: dict[str, Mean], found: dict[str, Any], predictions: list[dict[str, Any]]) -> None:
    """Write the files of the contract."""
    folder = folder_of("AIP_MODEL_DIR")
    folder.mkdir(parents=True, exist_ok=True)
    files = {
        "means.json": json.dumps(means),
        "labels.txt": "".join(f"{label}\n" for label in means),
        "model.json": json.dumps({"labels": list(means), "engine": "means"}),
        "evaluation.json": json.dumps(found),
        "predictions.jsonl": "".join(json.dumps(row) + "\n" for row in predictions),
    }
    for name, text in files.items():
        (folder / name).write_text(text)
    outcome = {"stopReason": "MODEL_CONVERGED", "seconds": 0.5}
    (folder.parent / "outcome.json").write_text(json.dumps(outcome))


def serve() -> None:
    """Answer health checks and predictions on the port that Vertex AI's variables name."""
    means = json.loads(fetched(os.environ["AIP_STORAGE_URI"].rstrip("/") + "/means.json"))
    address = ("127.0.0.1", int(os.environ["AIP_HTTP_PORT"]))
    ThreadingHTTPServer(address, handler(means)).serve_forever()


def handler(means: dict[str, Mean]) -> type[BaseHTTPRequestHandler]:
    """What speaks HTTP for the model."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.answer({})

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            found = [
                scores(means, colour(base64.b64decode(one["b64"]))) for one in body["instances"]
            ]
            self.answer({"predictions": [answer(one) for one in found]})

        def answer(self, body: dict[str, Any]) -> None:
            data = json.dumps(body).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    return Handler


def answer(found: dict[str, float]) -> dict[str, Any]:
    """A prediction as a custom model gives it."""
    best = max(found, key=found.__getitem__)
    return {"prediction": best, "labels": list(found), "scores": list(found.values())}


if __name__ == "__main__":
    train(*sys.argv[2:]) if sys.argv[1] == "train" else serve()
