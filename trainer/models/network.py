"""A classifier of photos as plain arrays, independent of the library that trains or runs it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

PREPROCESSING = "centre-square-bilinear-1"
# Under the root, so that a grey level more or less in a photo does not decide: features near zero
# were moved so far with 1e-6 and 1e-4 that graph and LiteRT file named other labels for 1 photo in
# 100 of a weak model. Accuracy is 0.3 points lower than with 1e-4 (clothing, 2026-11-22).
ROOT_FLOOR = 1e-3
# Of a network that learns from nothing: pixels 0–255 become −1 to 1.
MIDDLE = 127.5


@dataclass(frozen=True)
class Layer:
    """One step over `(batch, height, width, channels)` float32 maps, always padded "SAME".

    `kernel` is `(height, width, in, out)` for a convolution, `(height, width, channels, 1)` for a
    depthwise one; a pool takes the maximum of 2 × 2 and has no arrays. A flatten makes rows
    `(batch, values)` of maps, for the dense layers after it, whose kernel is `(in, out)`. `adds`
    names the layer (by index, −1 for the input) whose output is added to this one's.
    """

    kind: Literal["convolution", "depthwise", "pool", "flatten", "dense"]
    kernel: Floats | None = None
    bias: Floats | None = None
    stride: int = 1
    relu6: bool = False
    adds: int | None = None


@dataclass(frozen=True)
class Network:
    """Layers from pixels to an embedding: the last layer's row, or the mean of its positions.

    Pixels are `(batch, size, size, 3)` float32, 0–255; the first layer sees them less `mean`,
    divided by `scale`.
    """

    architecture: str
    size: int
    mean: float
    scale: float
    layers: tuple[Layer, ...]

    @property
    def width(self) -> int:
        """The length of the embedding."""
        side, depth = self.size, 3
        for layer in self.layers:
            side = -(-side // (2 if layer.kind == "pool" else layer.stride))
            if layer.kind == "flatten":
                depth *= side * side
            elif layer.kind in ("convolution", "dense") and layer.kernel is not None:
                depth = int(layer.kernel.shape[-1])
        return depth

    @property
    def flat(self) -> bool:
        """Whether the layers end in rows, so that there are no positions to take the mean of."""
        return any(layer.kind == "flatten" for layer in self.layers)


class Exportable(Protocol):
    """A trained model of photos that can be exported, whatever library made it.

    It takes pixels `(batch, size, size, 3)` float32, 0–255, and does its own scaling. Scores are
    softmax(logits), or with `multi_label` sigmoid(logits), each `(batch, labels)`. With `mirrored`
    the answer is of the photo and its mirror image.
    """

    @property
    def labels(self) -> tuple[str, ...]: ...

    @property
    def size(self) -> int: ...

    @property
    def architecture(self) -> str: ...

    @property
    def mirrored(self) -> bool: ...

    @property
    def multi_label(self) -> bool: ...

    def digest(self) -> str:
        """SHA-256, in hex, over all that decides an answer."""
        ...

    def scores_graph(self, pixels: Any) -> tuple[Any, Any]:
        """The TensorFlow graph of scores and logits of a batch; differentiable."""
        ...

    def tracked(self) -> Any:
        """What a SavedModel has to keep beside the graph: variables; None for constants only."""
        ...

    def litert(self) -> bytes:
        """A LiteRT file: pixels `(1, size, size, 3)` float32, 0–255 → scores `(1, labels)`."""
        ...


@dataclass(frozen=True)
class Classifier:
    """A network and a linear head: scores are softmax(embedding · weights + bias).

    With `multi_label` they are sigmoid(…): each label's own chance, not shared with the others.
    `weights` is `(width, labels)`, `bias` `(labels,)`. With `mirrored` the embedding is the mean of
    the photo's and its mirror image's. With `roots` the head reads its square root, taken so often
    (`rooted`).
    """

    network: Network
    weights: Floats
    bias: Floats
    labels: tuple[str, ...]
    mirrored: bool
    multi_label: bool = False
    roots: int = 0

    @property
    def size(self) -> int:
        """The side of the square photo that the network sees, in pixels."""
        return self.network.size

    @property
    def architecture(self) -> str:
        """The network's name."""
        return self.network.architecture

    def scores_graph(self, pixels: Any) -> tuple[Any, Any]:
        """The TensorFlow graph of scores and logits `(batch, labels)`."""
        from trainer.export import classified

        return classified(self, pixels)

    def tracked(self) -> Any:
        """None: the weights are constants of the graph."""
        return None

    def litert(self) -> bytes:
        """The LiteRT form, written without TensorFlow."""
        from trainer.models.litert import classifier_model

        return classifier_model(self)

    def scores(self, embeddings: Floats) -> Floats:
        """Probabilities `(batch, labels)` of embeddings `(batch, width)`."""
        logits = rooted(embeddings, self.roots).astype(np.float64) @ self.weights + self.bias
        if self.multi_label:
            return (1 / (1 + np.exp(-np.clip(logits, -60, 60)))).astype(np.float32)
        exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
        scores: Floats = (exponentials / exponentials.sum(axis=1, keepdims=True)).astype(np.float32)
        return scores

    def digest(self) -> str:
        """SHA-256, in hex, over architecture, preprocessing, labels and every weight."""
        told = hashlib.sha256()
        net = self.network
        said = (PREPROCESSING, net.architecture, net.size, net.mean, net.scale, self.mirrored)
        told.update(repr((said, self.labels)).encode())
        if self.multi_label:
            told.update(b"multi-label")
        if self.roots:
            told.update(f"roots {self.roots}".encode())
        for name, array in _named_arrays(self):
            told.update(f"{name} {array.dtype.str} {array.shape}".encode())
            told.update(np.ascontiguousarray(array).tobytes())
        return told.hexdigest()


def rooted(embeddings: Floats, roots: int) -> Floats:
    """Embeddings, none below 0, with their square root taken `roots` times; 0 leaves them as is.

    Skewed features become more like the bell curves that a discriminant takes them for: Tukey's
    ladder of powers, as in Yang, Liu and Xu, 2021 (arXiv:2101.06395).
    """
    values = embeddings + np.float32(ROOT_FLOOR) if roots else embeddings
    for _ in range(roots):
        values = np.sqrt(values)
    return values


def _named_arrays(classifier: Classifier) -> Iterator[tuple[str, Floats]]:
    for index, layer in enumerate(classifier.network.layers):
        yield f"{index} {layer.kind} {layer.stride} {layer.relu6} {layer.adds}", np.empty(0, "<f4")
        for name, array in (("kernel", layer.kernel), ("bias", layer.bias)):
            if array is not None:
                yield f"{index} {name}", array.astype("<f4", copy=False)
    yield "head weights", classifier.weights.astype("<f4", copy=False)
    yield "head bias", classifier.bias.astype("<f4", copy=False)
