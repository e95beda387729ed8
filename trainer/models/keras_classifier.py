"""A trained Keras backbone with its linear head, as what can be exported (`Exportable`)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainer.imports import tensorflow
from trainer.models.backbones import LITE, is_lite
from trainer.models.keras_backbone import Backbone
from trainer.models.keras_lite import folded
from trainer.models.network import PREPROCESSING, Classifier, Exportable, Floats
from trainer.quiet import without_remarks


@dataclass(frozen=True)
class KerasClassifier:
    """Scores are softmax(embedding · weights + bias), or sigmoid(…) with `multi_label`.

    The backbone's weights are constants of its graph: training it further changes nothing here.
    With `mirrored` the embedding is the mean of the photo's and its mirror image's.
    """

    graph: Any
    fingerprint: str
    architecture: str
    size: int
    weights: Floats
    bias: Floats
    labels: tuple[str, ...]
    mirrored: bool
    multi_label: bool

    def digest(self) -> str:
        """SHA-256, in hex, over architecture, preprocessing, labels and every weight."""
        said = (PREPROCESSING, self.architecture, self.size, self.mirrored, self.multi_label)
        told = hashlib.sha256(repr((said, self.labels, self.fingerprint)).encode())
        for array in (self.weights, self.bias):
            told.update(np.ascontiguousarray(array, "<f4").tobytes())
        return told.hexdigest()

    def scores_graph(self, pixels: Any) -> tuple[Any, Any]:
        """The TensorFlow graph of scores and logits `(batch, labels)`."""
        tf = tensorflow()
        if self.mirrored:
            pixels = tf.concat([pixels, tf.reverse(pixels, [2])], axis=0)
        features = self.graph(pixels)
        if self.mirrored:
            features = tf.add_n(tf.split(features, 2)) / 2.0
        logits = tf.matmul(features, self.weights) + self.bias
        return (tf.sigmoid(logits) if self.multi_label else tf.nn.softmax(logits)), logits

    def tracked(self) -> Any:
        """None: the weights are constants of the graph."""
        return None

    def litert(self) -> bytes:
        """The LiteRT form, by TensorFlow's converter: seconds to a minute."""
        tf = tensorflow()
        spec = tf.TensorSpec((1, self.size, self.size, 3), tf.float32, name="pixels")
        held = tf.Module()
        held.scores = tf.function(
            lambda pixels: self.scores_graph(pixels)[0], input_signature=[spec], autograph=False
        )
        with without_remarks():
            made = [held.scores.get_concrete_function()]
            model: bytes = tf.lite.TFLiteConverter.from_concrete_functions(made, held).convert()
        return model


def classifier(
    backbone: Backbone,
    head: tuple[NDArray[Any], NDArray[Any]],
    labels: tuple[str, ...],
    mirrored: bool,
    multi_label: bool,
    trained: int,
) -> Exportable:
    """The classifier that a backbone, as it is now, and a head make; `trained` layers were.

    Of Lite it is one of arrays, as other trainings make it.
    """
    more = f", {trained} layers trained" if trained else ""
    weights, bias = (np.asarray(part, np.float32) for part in head)
    if is_lite(backbone.name):
        network = folded(backbone.base, LITE.index(backbone.name), backbone.size)
        network = replace(network, architecture=network.architecture + more)
        return Classifier(network, weights, bias, labels, mirrored, multi_label)
    return KerasClassifier(
        _constant(backbone),
        fingerprint(backbone),
        backbone.name + more,
        backbone.size,
        weights,
        bias,
        labels,
        mirrored,
        multi_label,
    )


def fingerprint(backbone: Backbone) -> str:
    """SHA-256, in hex, over every weight of a backbone."""
    told = hashlib.sha256(backbone.name.encode())
    for variable in backbone.base.weights:
        array = variable.numpy()
        told.update(f"{variable.path} {array.dtype.str} {array.shape}".encode())
        told.update(np.ascontiguousarray(array).tobytes())
    return told.hexdigest()


def _constant(backbone: Backbone) -> Any:
    """The graph of embeddings of pixels with weights that no longer change."""
    from tensorflow.python.framework.convert_to_constants import (
        convert_variables_to_constants_v2,
    )

    tf = tensorflow()
    spec = tf.TensorSpec((None, backbone.size, backbone.size, 3), tf.float32)
    embed = tf.function(backbone.embedding, input_signature=[spec], autograph=False)
    made = convert_variables_to_constants_v2(embed.get_concrete_function())
    return lambda pixels: made(tf.convert_to_tensor(pixels))[0]
