"""The LiteRT file in whole numbers of 8 bits: a quarter of the size, for small devices.

TensorFlow's converter quantises the exported graph after training: weights by channel, −127 to 127,
activations by tensor, their ranges read off a few training photos (Jacob et al., 2018,
arXiv:1712.05877; Krishnamoorthi, 2018, arXiv:1806.08342). Input and output stay float32, so that
the file is fed as the other one is; what the converter has no whole-number form of stays float32.
It is made only where it is asked for (`--int8 yes`, about 20 s), and never served unless that is
asked for too: `model.json` says how well it does.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from trainer.artifacts import LIKELY
from trainer.data.decode import square_of_file
from trainer.data.manifest import Photo
from trainer.evaluate import evaluate_photos
from trainer.journal import Journal
from trainer.models.network import Exportable, Floats
from trainer.quiet import without_remarks

if TYPE_CHECKING:
    from trainer.serving import Model

INT8_FILE = "model_int8.tflite"
# Krishnamoorthi (2018), section 3.1, calls about a hundred mini-batches enough; of photos as well.
CALIBRATION_PHOTOS = 100
WORST_LOSS = 0.02
LEAST_SAME_LABEL = 0.95


def quantised(classifier: Exportable, photos: Sequence[Path]) -> bytes:
    """A LiteRT file of the classifier in int8, its ranges those of these photos."""
    from trainer.imports import tensorflow

    tf, size = tensorflow(), classifier.size

    def calibration() -> Iterator[list[Floats]]:
        for path in photos:
            yield [square_of_file(path, size)[None].astype(np.float32)]

    spec = tf.TensorSpec((1, size, size, 3), tf.float32, name="pixels")
    scores = tf.function(lambda pixels: classifier.scores_graph(pixels)[0], autograph=False)
    module = tf.Module()
    module.tracked = classifier.tracked()
    with without_remarks():
        concrete = scores.get_concrete_function(spec)
        converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete], module)
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = calibration
        whole, other = tf.lite.OpsSet.TFLITE_BUILTINS_INT8, tf.lite.OpsSet.TFLITE_BUILTINS
        converter.target_spec.supported_ops = [whole, other]
        return bytes(converter.convert())


def add(
    folder: Path,
    classifier: Exportable,
    taught: Sequence[Path],
    judged: Sequence[Photo],
    known: Floats,
    journal: Journal,
) -> dict[str, Any]:
    """Writes `model_int8.tflite`; gives back the `int8` of `model.json`.

    `taught` are training photos in an order of which every beginning is a fair sample; `known` are
    the scores `(photos, labels)` that the float32 model gave the judged photos. Where the network
    cannot be quantised there is no file, and `why` says so: the model is as good without it.
    """
    from trainer.serving import LiteModel

    started = time.monotonic()
    labels, several = classifier.labels, classifier.multi_label
    try:
        file = quantised(classifier, taught[:CALIBRATION_PHOTOS])
        model = LiteModel(file, classifier.size, labels, several)
    except Exception as error:
        # The converter and XNNPACK have errors of many kinds, none of which is about the model.
        why = str(error).strip().splitlines()[0][:300] if str(error).strip() else repr(error)
        journal.say(f"{INT8_FILE} is not made: {why}", "WARNING", phase="export")
        return {"poor": True, "why": why}
    (folder / INT8_FILE).write_bytes(file)
    figures = _figures(model, judged, known) | {
        "sizeBytes": len(file),
        "calibrationPhotos": min(len(taught), CALIBRATION_PHOTOS),
        "seconds": round(time.monotonic() - started, 2),
    }
    whole = evaluate_photos(known, judged, labels, several)[1]
    poor = figures["accuracy"] < whole - WORST_LOSS or figures["sameLabel"] < LEAST_SAME_LABEL
    journal.say(remark(figures, whole), "WARNING" if poor else "INFO", phase="export")
    return figures | {"poor": poor}


def _figures(model: Model, judged: Sequence[Photo], known: Floats) -> dict[str, Any]:
    from trainer.scoring import scores_of_files

    scores = scores_of_files(model, [photo.path for photo in judged])
    accuracy = evaluate_photos(scores, judged, model.labels, model.multi_label)[1]
    return {"accuracy": accuracy, "sameLabel": same_answer(known, scores, model.multi_label)}


def same_answer(known: Floats, scores: Floats, multi_label: bool) -> float:
    """The share (0–1) of photos with the same label, or with exactly the same labels."""
    if multi_label:
        return float(((known >= LIKELY) == (scores >= LIKELY)).all(axis=1).mean())
    return float((known.argmax(axis=1) == scores.argmax(axis=1)).mean())


def remark(figures: dict[str, Any], accuracy: float) -> str:
    """A sentence on how the quantised file does beside the float32 one."""
    return (
        f"{INT8_FILE}: {figures['sizeBytes'] / 1e6:.1f} MB, accuracy {figures['accuracy']:.4f} "
        f"(float32: {accuracy:.4f}), the same answer on {figures['sameLabel']:.2%} of the photos."
    )
