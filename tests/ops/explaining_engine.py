"""An engine that trains in a blink and is served, and explained, by the trainer's own server.

`explaining_engine train GATE [--manifest=…]|serve`. The nearest mean colour, once more, but as a
real export: with squared distances it is a linear model of a photo's mean colour.
"""

import json
import sys
from pathlib import Path

import numpy as np

from tests.ops import tiny_custom_engine, tiny_engine
from tests.ops.tiny_engine import Mean
from trainer import serve
from trainer.artifacts import write_json
from trainer.export import save
from trainer.models.litert import classifier_model
from trainer.models.network import Classifier, Layer, Network
from trainer.serving import load

SIZE, SHARPNESS = 16, 20.0


def train(*words: str) -> None:
    """What the tiny engines leave, and the same model as SavedModel and LiteRT file."""
    if len(words) > 1:
        tiny_custom_engine.train(*words)
        folder = tiny_custom_engine.folder_of("AIP_MODEL_DIR")
    else:
        tiny_engine.train(*words)
        folder = tiny_custom_engine.folder_of("AIP_MODEL_DIR")
    classifier = nearest(json.loads((folder / "means.json").read_text()))
    save(classifier, folder)
    (folder / "model.tflite").write_bytes(classifier_model(classifier))
    card = {"labels": classifier.labels, "inputSize": SIZE, "engine": "means"}
    write_json(folder / "model.json", card)
    score_again(folder)


def nearest(means: dict[str, Mean]) -> Classifier:
    """Of softmax(−s·|x − m|²) only s·(2·m·x − |m|²) differs from label to label."""
    identity = np.eye(3, dtype=np.float32)[None, None]
    layers = (Layer("convolution", identity, np.zeros(3, np.float32)),)
    centres = np.array(list(means.values()), np.float32) / 255
    return Classifier(
        Network("means", SIZE, 0.0, 255.0, layers),
        (2 * SHARPNESS * centres.T).astype(np.float32),
        (-SHARPNESS * (centres**2).sum(axis=1)).astype(np.float32),
        tuple(means),
        False,
    )


def score_again(folder: Path) -> None:
    """`predictions.jsonl`, where there is one, with the scores of what is served."""
    file = folder / "predictions.jsonl"
    if not file.exists():
        return
    model = load(folder)
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    for row in rows:
        scores = model.scores([tiny_engine.local(row["uri"]).read_bytes()])[0]
        row["prediction"] = model.labels[int(scores.argmax())]
        row["scores"] = [float(score) for score in scores]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))


if __name__ == "__main__":
    if sys.argv[1] != "train":
        sys.exit(serve.main())
    train(*sys.argv[2:])
