"""How to feed an exported model: a README.txt beside its files, from what its `model.json` says.

The preprocessing is that of our trainer's exports, known by its name; a model that was prepared in
another way gets no README rather than a wrong one.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any

README = "README.txt"
KNOWN_PREPROCESSING = "centre-square-bilinear-1"
TFLITE_FILE, SAVED_MODEL_FILE = "model.tflite", "saved_model.pb"
INT8_FILE = "model_int8.tflite"

HEAD = """$model, exported by ops export.
Labels, in the order of the scores (the first column of labels.txt): $labels.
$meaning
"""

TFLITE = """
$file (LiteRT, for phones)
  in   float32 (1, $size, $size, 3): RGB from 0 to 255, as it is; do not divide by 255.
       Of the photo the centre square, scaled to $size x $size (bilinear); EXIF is not applied.
  out  float32 (1, $count): the scores.

Python: pip install ai-edge-litert numpy pillow

"""

TFLITE_SNIPPET = """import numpy as np
from ai_edge_litert.interpreter import Interpreter
from PIL import Image

SIZE = $size
labels = [line.split("\\t")[-1].strip() for line in open("labels.txt", encoding="utf-8")]
model = Interpreter(model_path="$file")
model.allocate_tensors()


def scores(photo):
    image = Image.open(photo)
    image.draft("RGB", (SIZE, SIZE))  # a large JPEG is decoded smaller, as in training
    image = image.convert("RGB")
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    image = image.crop((left, top, left + side, top + side))
    image = image.resize((SIZE, SIZE), Image.Resampling.BILINEAR)
    pixels = np.asarray(image, np.float32)[None]
    model.set_tensor(model.get_input_details()[0]["index"], pixels)
    model.invoke()
    return dict(zip(labels, model.get_tensor(model.get_output_details()[0]["index"])[0]))


print(scores("photo.jpg"))
"""

INT8 = """
Its arithmetic is in whole numbers of 8 bits; how well it does beside the model in float32 is in
model.json, "int8": accuracy, sameLabel (the share of test photos with the same answer), poor.
"""

SAVED_MODEL = """
saved_model.pb (TensorFlow SavedModel), signature serving_default
  in   image_bytes: strings (batch,), each a whole JPEG, PNG, GIF, BMP or WebP file; the model
       decodes it.
  out  labels: strings (batch, $count); scores: float32 (batch, $count).

Python, in this folder: pip install "tensorflow>=2.20"

"""

SAVED_MODEL_SNIPPET = """import tensorflow as tf

model = tf.saved_model.load(".").signatures["serving_default"]


def scores(photo):
    answer = model(image_bytes=tf.constant([open(photo, "rb").read()]))
    names = [label.decode() for label in answer["labels"][0].numpy()]
    return dict(zip(names, answer["scores"][0].numpy()))


print(scores("photo.jpg"))
"""

ONE = "The scores of a photo are 0 to 1 and sum to 1; the highest is the answer."
SEVERAL = "Each score is its label's own chance, 0 to 1; a label is in the photo from 0.5 on."


@dataclass(frozen=True)
class Card:
    """What must be known to feed a model; the size is in pixels."""

    size: int
    labels: tuple[str, ...]
    multi_label: bool

    @property
    def words(self) -> str:
        """The input of the LiteRT file in a line."""
        size = self.size
        return f"float32 (1, {size}, {size}, 3), RGB 0-255, centre square, bilinear"


def card(folder: Path) -> Card | None:
    """What the `model.json` of a folder says; None where it does not say how photos are fed."""
    try:
        said: Any = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(said, dict) or said.get("preprocessing") != KNOWN_PREPROCESSING:
        return None
    if not isinstance(said.get("inputSize"), int) or not isinstance(said.get("labels"), list):
        return None
    labels = tuple(str(label) for label in said["labels"])
    return Card(said["inputSize"], labels, bool(said.get("multiLabel")))


def text(model: str, found: Card, files: Collection[str]) -> str:
    """The README of a folder with these files."""
    lite = next((name for name in (TFLITE_FILE, INT8_FILE) if name in files), "")
    facts = {
        "model": model,
        "labels": ", ".join(found.labels),
        "meaning": SEVERAL if found.multi_label else ONE,
        "size": str(found.size),
        "count": str(len(found.labels)),
        "file": lite,
    }
    parts = [HEAD]
    parts += [TFLITE, tflite_snippet(found, lite)] if lite else []
    parts += [INT8] if lite == INT8_FILE else []
    parts += [SAVED_MODEL, SAVED_MODEL_SNIPPET] if SAVED_MODEL_FILE in files else []
    return "".join(Template(part).safe_substitute(facts) for part in parts)


def tflite_snippet(found: Card, file: str = TFLITE_FILE) -> str:
    """A program that scores photo.jpg with the LiteRT file, in the exported folder."""
    return Template(TFLITE_SNIPPET).substitute(size=found.size, file=file)
