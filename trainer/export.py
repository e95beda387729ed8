"""Writes a classifier as one SavedModel: encoded photos in, label names and scores out.

`serving_default` takes `image_bytes`, `(batch,)` strings (JPEG, PNG, GIF, BMP), and gives `labels`
`(batch, n)` strings and `scores` `(batch, n)` float32. Decoding, the centre square, scaling and the
mirror image are in the graph, so that what is measured is what is served.
"""

from __future__ import annotations

import functools
import math
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from trainer.data.decode import MAGIC_NUMBERS, SCALED_DECODES
from trainer.errors import PhotoError
from trainer.models.network import Classifier, Floats, Network
from trainer.quiet import without_remarks

SIGNATURE = "serving_default"
BATCH = 16


@functools.cache
def tensorflow() -> Any:
    """TensorFlow, quiet and on the CPU's cores; its import takes seconds, so it comes late."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
    with without_remarks():
        import tensorflow as tf

        # Where TensorFlow is built for CUDA, it is this that says there is none.
        tf.config.list_physical_devices()
    return tf


def save(classifier: Classifier, folder: Path) -> None:
    """Writes the SavedModel of a classifier into `folder`."""
    tf = tensorflow()

    def serve(image_bytes: Any) -> dict[str, Any]:
        pixels = decoded(image_bytes, classifier.network.size)
        scores = classified(classifier, pixels)
        names = tf.constant([label.encode() for label in classifier.labels])
        labels = tf.repeat(names[None], tf.shape(scores)[0], axis=0)
        return {"labels": labels, "scores": scores}

    module = tf.Module()
    spec = tf.TensorSpec((None,), tf.string, name="image_bytes")
    module.serve = tf.function(serve, input_signature=[spec], autograph=False)
    tf.saved_model.save(module, str(folder), signatures={SIGNATURE: module.serve})


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
            raise PhotoError(
                f"the graph cannot read it ({error.message.splitlines()[0]})"
            ) from None
        if photos and not self.labels:
            self.labels = tuple(name.decode() for name in answer["labels"].numpy()[0])
        scores: Floats = answer["scores"].numpy()
        return scores

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


def classified(classifier: Classifier, pixels: Any) -> Any:
    """The graph of scores `(batch, labels)` of pixels `(batch, size, size, 3)` float32, 0–255."""
    tf = tensorflow()
    if classifier.mirrored:
        pixels = tf.concat([pixels, tf.reverse(pixels, [2])], axis=0)
    features = embedded(classifier.network, pixels)
    if classifier.mirrored:
        features = tf.add_n(tf.split(features, 2)) / 2.0
    logits = tf.matmul(features, classifier.weights) + classifier.bias
    return tf.sigmoid(logits) if classifier.multi_label else tf.nn.softmax(logits)


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


def decoded(image_bytes: Any, size: int) -> Any:
    """The graph of square pixels `(batch, size, size, 3)` float32, 0–255, of encoded photos."""
    tf = tensorflow()

    def square(data: Any) -> Any:
        pixels = _decode(tf, data, size)
        shape = tf.shape(pixels)
        side = tf.minimum(shape[0], shape[1])
        top, left = (shape[0] - side) // 2, (shape[1] - side) // 2
        pixels = pixels[top : top + side, left : left + side]
        wide = _rounded(tf, tf.image.resize(pixels, (side, size), "bilinear", antialias=True))
        small = _rounded(tf, tf.image.resize(wide, (size, size), "bilinear", antialias=True))
        return tf.ensure_shape(small, (size, size, 3))

    return tf.map_fn(square, image_bytes, fn_output_signature=tf.float32)


def _decode(tf: Any, data: Any, size: int) -> Any:
    """All pixels `(height, width, 3)` uint8 of one photo; a big JPEG at a fraction of its size."""

    def starts(name: str) -> Any:
        magic = MAGIC_NUMBERS[name]
        return tf.equal(tf.strings.substr(data, 0, len(magic)), magic)

    def jpeg() -> Any:
        shape = tf.io.extract_jpeg_shape(data)
        short = tf.minimum(shape[0], shape[1])
        fits = [tf.cast(short >= ratio * size, tf.int32) for ratio in SCALED_DECODES]
        return tf.switch_case(
            tf.add_n(fits), [_jpeg_reader(tf, data, ratio) for ratio in (1, 2, 4, 8)]
        )

    def other() -> Any:
        readers = [
            (starts("PNG"), lambda: _on_white(tf, tf.io.decode_png(data, 4))),
            (starts("GIF"), lambda: tf.io.decode_gif(data)[0]),
        ]
        return tf.case(readers, default=lambda: _bitmap(tf, data))

    return tf.cond(starts("JPEG"), jpeg, other)


def _rounded(tf: Any, pixels: Any) -> Any:
    """Whole pixel values: Pillow, which training uses, rounds after each direction of a resize."""
    return tf.clip_by_value(tf.floor(pixels + 0.5), 0.0, 255.0)


def _jpeg_reader(tf: Any, data: Any, ratio: int) -> Callable[[], Any]:
    return lambda: tf.io.decode_jpeg(data, 3, ratio=ratio, dct_method="INTEGER_ACCURATE")


def _on_white(tf: Any, pixels: Any) -> Any:
    seen, cover = tf.cast(pixels[..., :3], tf.float32), tf.cast(pixels[..., 3:], tf.float32) / 255.0
    return tf.cast(tf.round(seen * cover + 255.0 * (1.0 - cover)), tf.uint8)


def _bitmap(tf: Any, data: Any) -> Any:
    """A BMP of 1, 3 or 4 channels as RGB; anything else is refused by TensorFlow's own reader."""
    pixels = tf.io.decode_bmp(data)
    copies = tf.where(tf.equal(tf.shape(pixels)[2], 1), 3, 1)
    return tf.tile(pixels[..., :3], [1, 1, copies])
