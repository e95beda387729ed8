"""Writes a classifier as one SavedModel: encoded photos in, label names and scores out.

`serving_default` takes `image_bytes`, `(batch,)` strings (JPEG, PNG, GIF, BMP, WebP), and gives
`labels` `(batch, n)` strings and `scores` `(batch, n)` float32. `keyed` takes `key` `(batch,)`
strings too and gives them back. `pixels` takes decoded squares, float32, 0–255, and gives `scores`
and `logits`, differentiable. Decoding, the centre square, scaling and the mirror image are in the
graph.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from trainer.errors import PhotoError
from trainer.imports import tensorflow
from trainer.models.network import ROOT_FLOOR, Classifier, Exportable, Floats, Network

SIGNATURE, KEYED, PIXELS = "serving_default", "keyed", "pixels"
BATCH = 16


def save(classifier: Exportable, folder: Path) -> None:
    """Writes the SavedModel of a classifier, with its three signatures, into `folder`."""
    tf = tensorflow()
    module = tf.Module()
    module.tracked = classifier.tracked()
    module.pixels = _of_pixels(classifier)
    module.squares = _squares(classifier)
    module.serve = _of_bytes(classifier, module.squares, module.pixels)
    module.keyed = _with_keys(module.serve)
    signatures = {SIGNATURE: module.serve, KEYED: module.keyed, PIXELS: module.pixels}
    tf.saved_model.save(module, str(folder), signatures=signatures)


def _of_pixels(classifier: Exportable) -> Any:
    tf, side = tensorflow(), classifier.size

    def pixels(pixels: Any) -> dict[str, Any]:
        scores, logits = classifier.scores_graph(pixels)
        return {"scores": scores, "logits": logits}

    spec = tf.TensorSpec((None, side, side, 3), tf.float32, name="pixels")
    return tf.function(pixels, input_signature=[spec], autograph=False)


def _squares(classifier: Exportable) -> Any:
    """No signature: only what compares the decoders asks for it."""
    from trainer.data.decode_graph import decoded

    tf = tensorflow()
    spec = tf.TensorSpec((None,), tf.string, name="image_bytes")
    return tf.function(
        lambda image_bytes: decoded(image_bytes, classifier.size),
        input_signature=[spec],
        autograph=False,
    )


def _of_bytes(classifier: Exportable, squares: Any, of_pixels: Any) -> Any:
    tf = tensorflow()

    def serve(image_bytes: Any) -> dict[str, Any]:
        scores = of_pixels(squares(image_bytes))["scores"]
        names = tf.constant([label.encode() for label in classifier.labels])
        labels = tf.repeat(names[None], tf.shape(scores)[0], axis=0)
        return {"labels": labels, "scores": scores}

    spec = tf.TensorSpec((None,), tf.string, name="image_bytes")
    return tf.function(serve, input_signature=[spec], autograph=False)


def _with_keys(of_bytes: Any) -> Any:
    tf = tensorflow()

    def keyed(image_bytes: Any, key: Any) -> dict[str, Any]:
        return {**of_bytes(image_bytes), "key": tf.identity(key)}

    specs = [tf.TensorSpec((None,), tf.string, name=name) for name in ("image_bytes", "key")]
    return tf.function(keyed, input_signature=specs, autograph=False)


class Exported:
    """A SavedModel loaded again: what a server would answer."""

    def __init__(self, folder: Path, multi_label: bool = False) -> None:
        tf = tensorflow()
        self.multi_label = multi_label
        self._constant, self._refusal = tf.constant, tf.errors.InvalidArgumentError
        self._loaded = tf.saved_model.load(str(folder))
        self._serve = self._loaded.signatures[SIGNATURE]
        self.labels: tuple[str, ...] = ()

    def scores(self, photos: Sequence[bytes]) -> Floats:
        """Scores `(photos, labels)`. Raises PhotoError if one of the photos cannot be read."""
        try:
            answer = self._serve(image_bytes=self._constant(list(photos)))
        except self._refusal as error:
            raise PhotoError(f"the graph cannot read it ({_reason(error.message)})") from None
        if photos and not self.labels:
            self.labels = tuple(name.decode() for name in answer["labels"].numpy()[0])
        scores: Floats = answer["scores"].numpy()
        return scores

    def squares(self, photos: Sequence[bytes]) -> Floats:
        """What the network sees of readable photos: `(photos, size, size, 3)`, RGB 0–255."""
        seen: Floats = self._loaded.squares(self._constant(list(photos))).numpy()
        return seen

    def scores_of_files(
        self, paths: Sequence[Path], listen: Callable[[int, int], None] = lambda *_: None
    ) -> Floats:
        """Scores `(files, labels)`, a few photos at a time. A PhotoError names the file."""
        parts = []
        for start in range(0, len(paths), BATCH):
            chosen = paths[start : start + BATCH]
            try:
                parts.append(self.scores([path.read_bytes() for path in chosen]))
            except PhotoError:
                parts.append(np.stack([self._one(path) for path in chosen]))
            listen(min(start + BATCH, len(paths)), len(paths))
        return np.concatenate(parts)

    def _one(self, path: Path) -> Floats:
        try:
            row: Floats = self.scores([path.read_bytes()])[0]
        except PhotoError as error:
            raise PhotoError(f"{path.name}: {error}") from error
        return row


def _reason(message: str) -> str:
    """The sentence of the reason: in TensorFlow's message it stands before the list of nodes."""
    last = message.partition("\n\t [[")[0].splitlines()[-1]
    return last.removeprefix("assertion failed: [").removesuffix("]")


def classified(classifier: Classifier, pixels: Any) -> tuple[Any, Any]:
    """The graph of scores and logits of pixels `(batch, size, size, 3)` float32, 0–255."""
    tf = tensorflow()
    if classifier.mirrored:
        pixels = tf.concat([pixels, tf.reverse(pixels, [2])], axis=0)
    features = embedded(classifier.network, pixels)
    if classifier.mirrored:
        features = tf.add_n(tf.split(features, 2)) / 2.0
    if classifier.roots:
        features += ROOT_FLOOR
    for _ in range(classifier.roots):
        features = tf.sqrt(features)
    logits = tf.matmul(features, classifier.weights) + classifier.bias
    return (tf.sigmoid(logits) if classifier.multi_label else tf.nn.softmax(logits)), logits


def embedded(network: Network, pixels: Any) -> Any:
    """The graph of embeddings `(batch, width)` of pixels `(batch, size, size, 3)`, 0–255."""
    tf = tensorflow()
    outputs = [(pixels - network.mean) / network.scale]
    for layer in network.layers:
        value = outputs[-1]
        if layer.kind == "pool":
            value = tf.nn.max_pool2d(value, 2, 2, "SAME")
        elif layer.kind == "convolution":
            value = tf.nn.conv2d(value, layer.kernel, layer.stride, "SAME") + layer.bias
        elif layer.kind == "flatten":
            value = tf.reshape(value, (-1, math.prod(value.shape[1:])))
        elif layer.kind == "dense":
            value = tf.matmul(value, layer.kernel) + layer.bias
        else:
            strides = (1, layer.stride, layer.stride, 1)
            value = tf.nn.depthwise_conv2d(value, layer.kernel, strides, "SAME") + layer.bias
        value = tf.nn.relu6(value) if layer.relu6 else value
        outputs.append(value if layer.adds is None else value + outputs[layer.adds + 1])
    return outputs[-1] if network.flat else tf.reduce_mean(outputs[-1], (1, 2))
